#include "command/answers.h"
#include "command/commands.h"

namespace kehu::command {

absl::Status run_sql(const SqlCommand& command) {
  const auto body = call_once(command.where, {.method = "POST",
                                              .path = "/api/v1/sql?format=" + command.format,
                                              .headers = {{"Content-Type", "text/plain"}},
                                              .body = command.sql});
  if (!body.ok()) return body.status();
  // No rows are no lines.
  if (body->empty()) return absl::OkStatus();
  return print(*body);
}

}  // namespace kehu::command
