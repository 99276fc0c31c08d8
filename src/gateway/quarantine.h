#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/gateway.h"
#include "replica/rejections.h"

// One rejection on its way out of quarantine. For threads that may wait.
namespace kehu::gateway {

std::optional<Reason> parse_reason(std::string_view name);

struct Rejected {
  replica::RejectionEntry entry;
  std::string record;
};

// The rejection of a number, as in a path. InvalidArgument, NotFound.
absl::StatusOr<Rejected> fetch_rejected(Gateway& gateway, std::string_view id);
// What was received, in clear. DataLoss when it does not open.
absl::StatusOr<std::string> open_payload(Gateway& gateway, const Rejected& rejected);
// Closes it without an event. FailedPrecondition when it is closed already.
absl::Status discard(Gateway& gateway, const Rejected& rejected, const std::string& actor);

// What is read instead of what was rejected.
struct Replacement {
  std::string_view text;
  bool as_received = false;  // it is what was rejected: the rules of the door that refused it hold, whole
};

// Reads it as an event of the rejection's source and, if it is one now, logs it and closes the rejection.
// OutOfRange says what is still wrong; FailedPrecondition, that it is closed already.
absl::Status repair_with(Gateway& gateway, const Rejected& rejected, const Replacement& replacement,
                         const std::string& actor);

}  // namespace kehu::gateway
