#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"

namespace kehu::command {
namespace {

// What was printed before looks like a result.
absl::Status incomplete(const absl::Status& why) {
  return failure(
      why.code(), "what is printed is not the whole result: ", message_of(why),
      ". A statement that works for longer than its limit is ended, too; the log of the server says so");
}

}  // namespace

absl::Status run_sql(const SqlCommand& command) {
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  Printer printer;
  absl::Status printed;
  bool begun = false;
  const auto response = (*caller)->download({.method = "POST",
                                             .path = "/api/v1/sql?format=" + command.format,
                                             .headers = {{"Content-Type", "text/plain"}},
                                             .body = command.sql},
                                            [&](std::string_view piece) {
                                              begun = begun || !piece.empty();
                                              return printed = printer.add(piece);
                                            });
  absl::Status status = body_of(response).status();
  if (status.ok()) {
    status = printer.end();
  } else if (begun && printed.ok()) {
    status = incomplete(status);
  }
  const absl::Status closed = (*caller)->close();
  return status.ok() ? closed : status;
}

}  // namespace kehu::command
