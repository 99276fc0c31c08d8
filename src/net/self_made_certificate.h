#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"

namespace kehu::net {

// A new key (P-256) and a certificate that it signs itself, for these DNS names and IP addresses and 397 days
// from a day before `now` on: both as PEM text, one behind the other.
absl::StatusOr<std::string> make_certificate(const std::vector<std::string>& names, Instant now);

// When the first certificate of a PEM text ends; an error when there is none.
absl::StatusOr<Instant> end_of_certificate(std::string_view pem);

}  // namespace kehu::net
