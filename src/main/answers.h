#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/connection.h"
#include "main/caller.h"

namespace kehu {

// The body of a good answer, or the problem's detail as a status.
absl::StatusOr<std::string> body_of(const absl::StatusOr<client::Response>& response);

// One call and its body; closes the caller.
absl::StatusOr<std::string> call_once(const Where& where, const client::Request& request);

// On standard output, with a line feed at its end. An error when it could not be written.
absl::Status print(const std::string& text);

}  // namespace kehu
