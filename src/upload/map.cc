#include "base/text.h"
#include "command/answers.h"
#include "proposal/proposal.h"
#include "upload/uploads.h"

namespace kehu::upload {
namespace {

std::optional<proposal::Subject> subject_of(const std::string& word) {
  if (word == "orders") return proposal::Subject::kOrders;
  if (word == "events") return proposal::Subject::kEvents;
  if (word == "customers") return proposal::Subject::kCustomers;
  return std::nullopt;
}

}  // namespace

absl::Status run_map(const MapCommand& command) {
  const auto text = proposal::propose(command.file, subject_of(command.subject));
  if (text.ok()) return command::print(*text);
  const bool wrong_file = text.status().code() == absl::StatusCode::kInvalidArgument;
  return wrong_file ? failure(absl::StatusCode::kFailedPrecondition, message_of(text.status()))
                    : text.status();
}

}  // namespace kehu::upload
