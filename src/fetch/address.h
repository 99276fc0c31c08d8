#pragma once

#include <sys/socket.h>

namespace kehu::fetch {

// Of the public internet: not this machine, not a private network, not what else is reserved (the registries
// of special addresses of RFC 6890), also where an IPv6 address stands for one of IPv4.
bool is_public(const sockaddr& address);

}  // namespace kehu::fetch
