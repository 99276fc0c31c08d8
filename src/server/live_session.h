#pragma once

#include <memory>

#include "http/live_channel.h"
#include "http/router.h"
#include "server/io_thread.h"
#include "websocket/handshake.h"

namespace kehu::server {

// Takes over the connection of an upgrade request, sends `upgrade` and runs the channel until the connection
// ends. `request` and its views are used during the call only.
void start_live(IoThread& thread, net::Transport transport, const http::Request& request,
                const http::LiveUpgrade& action, const websocket::Upgrade& upgrade);

}  // namespace kehu::server
