#pragma once

#include <string>

#include "absl/status/status.h"
#include "fetch/request.h"

namespace kehu::fetch {

// Attaches what cause_of() reads.
absl::Status with_cause(Cause cause, absl::Status status);

}  // namespace kehu::fetch
