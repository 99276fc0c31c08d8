#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "lake/tail.h"
#include "model/ids.h"

namespace kehu::lake {

// A row of `segment_log`: what one customer has become by a version of a rule, or what that version has
// become. Views are valid during Lake::append.
struct SegmentRow {
  Sequence sequence;     // of the record that made it
  uint32_t ordinal = 0;  // among the rows of that record
  Instant at;
  std::string_view kind;  // segment, tag
  std::string_view name;
  Sequence version;     // of the definition
  CustomerId customer;  // zero: of the version itself
  std::string_view change;
  std::string value;  // JSON
  bool live = true;
};

// The row is complete on return, and seen by others after tail.publish().
void add_segment_row(const SegmentRow& row, Tail& tail);

}  // namespace kehu::lake
