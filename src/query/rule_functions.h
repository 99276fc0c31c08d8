#pragma once

#include "absl/status/status.h"
#include "duck/database.h"

namespace kehu::query {

// What translated rules call (translation/functions.h).
absl::Status add_rule_functions(duck::Database& database);

}  // namespace kehu::query
