#pragma once

#include <memory>

#include "api/live_channel.h"
#include "api/router.h"
#include "server/handshake.h"
#include "server/io_thread.h"

namespace kehu::server {

// Takes over the connection of an upgrade request, sends `upgrade` and runs the channel until the connection
// ends. `request` and its views are used during the call only.
void start_live(IoThread& thread, Transport transport, const api::Request& request,
                const api::LiveUpgrade& action, const Upgrade& upgrade);

}  // namespace kehu::server
