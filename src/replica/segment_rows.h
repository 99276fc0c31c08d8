#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/time.h"
#include "lake/lake.h"
#include "replica/replica.h"
#include "shard/effects.h"

// Changes of segments and tags as the archive and subscribers see them.
namespace kehu::replica {

// entered, left, set or cleared.
std::string_view change_name(const shard::MembershipChange& change);
// What the customer is now, as JSON: true or false of a segment; of a tag its value or null.
std::string value_json(const shard::MembershipChange& change);

// The rows of `segment_log`, which refer to the effects and to Effects::labels. ~100 ns a row.
std::vector<lake::SegmentRow> segment_rows(const shard::Effects& effects);

// Puts back what `segment_log` lost, when the log no longer says it: a row for each customer who is something
// else than the table's last row says, with the time since when; and what left, as of `now`. The state is
// that behind the replica's last record. Keeps the last row of every customer and rule in memory.
absl::Status restore_segment_log(Replica& replica, lake::Lake& lake, Instant now);

}  // namespace kehu::replica
