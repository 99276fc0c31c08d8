#include "api/rejection_filter.h"

#include "gateway/quarantine.h"
#include "http/parameters.h"

namespace kehu::api {
namespace {

std::optional<replica::RejectionState> parse_state(std::string_view name) {
  for (const auto state : {replica::RejectionState::kOpen, replica::RejectionState::kRepaired,
                           replica::RejectionState::kDiscarded}) {
    if (engine::to_string(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<replica::RejectionFilter> rejection_filter(const engine::Project& project,
                                                          const http::Request& request) {
  replica::RejectionFilter filter;
  if (const auto reason = request.query("reason")) {
    if (!(filter.reason = gateway::parse_reason(*reason)))
      return http::wrong_parameter("reason", "one of docs/rejections.md");
  }
  if (const auto state = request.query("state")) {
    if (!(filter.state = parse_state(*state)))
      return http::wrong_parameter("state", "open, repaired or discarded");
  }
  if (const auto name = request.query("source")) {
    const engine::Source* source = project.find(*name);
    if (source == nullptr) return http::wrong_parameter("source", "the name of a source");
    filter.source = source->id;
  }
  if (const auto before = request.query("before")) {
    const auto sequence = http::parse_number<uint64_t>(*before);
    if (!sequence) return http::wrong_parameter("before", "the `next` of an earlier page");
    filter.before = Sequence(*sequence);
  }
  if (const auto limit = request.query("limit")) {
    const auto number = http::parse_limit(*limit);
    if (!number) return http::wrong_parameter("limit", "between 1 and 1000");
    filter.limit = *number;
  }
  return filter;
}

}  // namespace kehu::api
