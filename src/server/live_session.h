#pragma once

#include <memory>

#include "api/live_channel.h"
#include "server/io_thread.h"

namespace kehu::server {

// Takes over the socket of an upgrade request, shakes hands and runs the channel until the connection ends.
// `request` and its views are used during the call only.
void start_live(IoThread& thread, Socket socket, const api::Request& request,
                std::unique_ptr<api::LiveChannel> channel);

}  // namespace kehu::server
