#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kehu::toml {

// A TOML text as the JSON text that says the same, for readers of JSON; dates and times become texts.
// InvalidArgument: "FILE:LINE:COLUMN: what".
absl::StatusOr<std::string> to_json(std::string_view toml, std::string_view file);

}  // namespace kehu::toml
