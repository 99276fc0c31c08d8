#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/app.h"
#include "engine/rejections.h"

// One rejection on its way out of quarantine. For threads that may wait.
namespace kehu::api {

struct Rejected {
  engine::RejectionEntry entry;
  std::string record;
};

// The rejection of a number, as in a path. InvalidArgument, NotFound.
absl::StatusOr<Rejected> fetch_rejected(App& app, std::string_view id);
// What was received, in clear. DataLoss when it does not open.
absl::StatusOr<std::string> open_payload(App& app, const Rejected& rejected);
// FailedPrecondition when it is closed already.
absl::Status check_open(const engine::RejectionEntry& entry);
absl::Status close_rejected(App& app, const Rejected& rejected, RejectionOutcome outcome,
                            const std::string& actor);

// Reads `text` as an event of the rejection's source and, if it is one now, logs it and closes the rejection.
// OutOfRange says what is still wrong; FailedPrecondition, that it is closed already.
absl::Status repair_with(App& app, const Rejected& rejected, std::string_view text, const std::string& actor);

}  // namespace kehu::api
