#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/connection.h"
#include "command/caller.h"
#include "json/document.h"

namespace kehu::command {

// The body of a good answer, or the problem's detail as a status.
absl::StatusOr<std::string> body_of(const absl::StatusOr<client::Response>& response);

// One call and its body; closes the caller.
absl::StatusOr<std::string> call_once(const Where& where, const client::Request& request);

// Of requests that carry it.
inline const client::Headers kJson = {{"Content-Type", "application/json"}};

// What a member of an answer says: a text without its quotes, anything else as JSON; empty: there is none.
std::string field(const json::Value& value, std::string_view name);

// A text of anybody's for a terminal: control characters but line feed and tab, with which a terminal can be
// commanded, stand as in JSON (\u001b).
std::string printable(std::string_view text);

// Prints a text of any length on standard output, printable, as it comes.
class Printer {
 public:
  // An error when it could not be written.
  absl::Status add(std::string_view piece);
  // Behind the last piece: a line feed, unless there is one or there was no text.
  absl::Status end();

 private:
  std::string held_;  // the beginning of a character
  char last_ = '\n';
};

// On standard output, printable, with a line feed at its end. An error when it could not be written.
absl::Status print(const std::string& text);

}  // namespace kehu::command
