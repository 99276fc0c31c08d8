#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/engine.h"
#include "json/writer.h"
#include "membership/plan.h"
#include "replica/replica.h"

// Segments, their members, and what customers are by the rules, as they look outside (docs/rules.md). On the
// apply thread.
namespace kehu::document {

// How fast back-fills are, as whoever makes them knows; zero while none is made.
struct FillingPace {
  double events_per_second = 0;
  double parts_per_second = 0;
  std::string trouble = {};  // what keeps them from going on; empty: nothing does
};

// {"segments": [{"name", "size", "state", "version", …}]}, by name.
std::string segments_document(replica::Replica& replica, const FillingPace& pace);
// NotFound: there is no such segment; the message names those that are near.
absl::StatusOr<std::string> segment_document(replica::Replica& replica, std::string_view name,
                                             const FillingPace& pace);
// {"state", "step", "parts_done", "parts_total", …, "error", "rules": [{"segment" or "tag", "version"}]}.
std::string backfill_document(replica::Replica& replica, const FillingPace& pace);

struct MembersPage {
  uint32_t from = 0;  // `next` of the page before
  size_t limit = 100;
};
// The same of tags, without sizes: {"tags": [{"name", "state", "version", …}]}.
std::string tags_document(replica::Replica& replica, const FillingPace& pace);
absl::StatusOr<std::string> tag_document(replica::Replica& replica, std::string_view name,
                                         const FillingPace& pace);
// {"checks": [{"name", "trait", "source", "state", …}]}, by name; and one, with what it was measured over
// time.
std::string checks_document(replica::Replica& replica);
absl::StatusOr<std::string> check_document(replica::Replica& replica, std::string_view name);
// {"check", "agreed", "compared", "share", "at_least"}: why rules take a source's values for unknown.
void write_quarantine(json::Writer& writer, const shard::Shard::Quarantine& quarantine);
// {"segment", "members": [{"customer_id", "since", "identifiers"}], "next"}.
absl::StatusOr<std::string> members_document(engine::Engine& engine, replica::Replica& replica,
                                             std::string_view name, const MembersPage& page);
// {"segments": [{"name", "size"}], "overlap"}: how many are in each, and in all of them.
absl::StatusOr<std::string> overlap_document(replica::Replica& replica, absl::Span<const std::string> names);
// {"segment", "customer_id", "in", "since", "reasons": [{"rule", "depth", "value", "until"}]}.
absl::StatusOr<std::string> why_document(engine::Engine& engine, replica::Replica& replica,
                                         std::string_view name, CustomerId customer);

// The members "segments" and "tags" of a customer's document.
void write_memberships(json::Writer& writer, replica::Replica& replica, CustomerId customer);

// A value as JSON: texts and moments as strings.
void write_value(json::Writer& writer, std::string_view name, const rule::Value& value,
                 const BusinessZone& zone);

}  // namespace kehu::document
