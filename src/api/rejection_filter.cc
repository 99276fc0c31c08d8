#include "api/rejection_filter.h"

#include "api/parameters.h"

namespace kehu::api {
namespace {

std::optional<engine::RejectionState> parse_state(std::string_view name) {
  for (const auto state : {engine::RejectionState::kOpen, engine::RejectionState::kRepaired,
                           engine::RejectionState::kDiscarded}) {
    if (engine::to_string(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Reason> parse_reason(std::string_view name) {
  for (int i = 1; i < kReasonCount; ++i) {
    if (to_string(static_cast<Reason>(i)) == name) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

absl::StatusOr<engine::RejectionFilter> rejection_filter(const engine::Project& project,
                                                         const Request& request) {
  engine::RejectionFilter filter;
  if (const auto reason = request.query("reason")) {
    if (!(filter.reason = parse_reason(*reason)))
      return wrong_parameter("reason", "one of docs/rejections.md");
  }
  if (const auto state = request.query("state")) {
    if (!(filter.state = parse_state(*state))) return wrong_parameter("state", "open, repaired or discarded");
  }
  if (const auto name = request.query("source")) {
    const engine::Source* source = project.find(*name);
    if (source == nullptr) return wrong_parameter("source", "the name of a source");
    filter.source = source->id;
  }
  if (const auto before = request.query("before")) {
    const auto sequence = parse_number<uint64_t>(*before);
    if (!sequence) return wrong_parameter("before", "the `next` of an earlier page");
    filter.before = Sequence(*sequence);
  }
  if (const auto limit = request.query("limit")) {
    const auto number = parse_limit(*limit);
    if (!number) return wrong_parameter("limit", "between 1 and 1000");
    filter.limit = *number;
  }
  return filter;
}

}  // namespace kehu::api
