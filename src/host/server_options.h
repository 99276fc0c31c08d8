#pragma once

#include <string>

#include "engine/engine.h"
#include "server/server.h"

namespace kehu::host {

// A server of a data directory: TCP and the directory's own socket. `threads` 0: by the number of cores.
server::Options server_options(const std::string& listen, const std::string& data, int threads);

// Lines of /metrics.
void append_server_metrics(const server::Stats& stats, std::string& out);

// Says how far a long recovery is, once per million records.
void report_recovery(uint64_t records);
// Logs health when it changed.
void report_health(const engine::Health& health);

}  // namespace kehu::host
