#pragma once

#include <string>

#include "host/runtime.h"

namespace kehu::host {

// As a browser on this machine takes it: who listens everywhere listens here too.
std::string page_of(const std::string& listen, int port);

// Where to look and how to get in, for the terminal that a server was started in: the page, the admin token
// and a write key that opens a source, and where they come from; without one, how to make one. Elsewhere,
// where a log is kept, only which command shows them.
void welcome(Runtime& runtime, const std::string& page, const std::string& data);

}  // namespace kehu::host
