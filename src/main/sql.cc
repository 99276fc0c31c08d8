#include "main/answers.h"
#include "main/commands.h"

namespace kehu {

absl::Status run_sql(const SqlCommand& command) {
  const auto body = call_once(command.where, {.method = "POST",
                                              .path = "/api/v1/sql?format=" + command.format,
                                              .headers = {{"Content-Type", "text/plain"}},
                                              .body = command.sql});
  if (!body.ok()) return body.status();
  return print(*body);
}

}  // namespace kehu
