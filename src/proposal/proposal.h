#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace kehu::proposal {

// What the rows tell of.
enum class Subject { kOrders, kEvents, kCustomers };

// A mapping for the file, as TOML with comments on what was guessed and from what. It can be imported with as
// it is. Without a subject, the columns decide. Reads up to 20,000 rows. Errors are those of
// FileImport::open, and kInvalidArgument for a file without rows.
absl::StatusOr<std::string> propose(const std::string& path, std::optional<Subject> subject);

}  // namespace kehu::proposal
