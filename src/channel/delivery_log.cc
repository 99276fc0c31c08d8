#include "channel/delivery_log.h"

#include <utility>

#include "base/text.h"

namespace kehu::channel {
namespace {

std::string times(uint64_t count, std::string_view one, std::string_view many) {
  return count == 1 ? std::string(one) : cat(count, many);
}

}  // namespace

std::string DeliveryLog::line_of(std::string_view channel, const absl::StatusOr<Delivery>& result,
                                 Duration now) {
  auto found = troubles_.find(channel);
  const bool refused = result.ok() && result->outcome == IntentOutcome::kRefused;
  if (result.ok() && !refused) {
    if (found == troubles_.end() || !std::exchange(found->second.failing, false)) return "";
    return cat("the channel \"", channel, "\" delivers again");
  }
  if (found == troubles_.end()) found = troubles_.emplace(channel, Trouble{.next_line = now}).first;
  Trouble& trouble = found->second;
  ++(refused ? trouble.refusals : trouble.failures);
  if (now < trouble.next_line) return "";
  std::string line = cat("the channel \"", channel, "\"");
  if (trouble.refusals > 0) {
    line += cat(" refused ", times(trouble.refusals, "an intent", " intents"), " for good");
    if (refused) line += cat(" (", result->detail, ")");
  }
  if (trouble.failures > 0) {
    line += cat(trouble.refusals > 0 ? " and" : "", " failed ", times(trouble.failures, "once", " times"));
    if (!refused) line += cat(" (", message_of(result.status()), ")");
    line += "; what failed is tried again";
    trouble.failing = true;
  }
  trouble.failures = trouble.refusals = 0;
  trouble.next_line = now + kPause;
  return line;
}

}  // namespace kehu::channel
