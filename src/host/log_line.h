#pragma once

#include <string_view>

#include "server/server.h"

namespace kehu::host {

// One line of the structured log on standard error: {"time", "level", "message"} as JSON, or plain text on a
// terminal.
void log_line(server::Severity severity, std::string_view message);
void log_access(const server::AccessEntry& entry);

}  // namespace kehu::host
