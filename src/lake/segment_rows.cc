#include "lake/segment_rows.h"

#include "lake/hex.h"
#include "lake/tables.h"

// Rules may make a row for each event, so these rows are written straight into the chunk as those of `events`
// are (docs/decisions/lake.md).
namespace kehu::lake {

void add_segment_row(const SegmentRow& row, Tail& tail) {
  duck::Chunk& chunk = tail.chunk_for(tail.slot(""));
  chunk.set_long(kChangeSequence, static_cast<int64_t>(row.sequence.value()));
  chunk.set_integer(kChangeOrdinal, static_cast<int32_t>(row.ordinal));
  chunk.set_instant(kChangeTime, row.at);
  chunk.set_text(kRuleKind, row.kind);
  chunk.set_text(kRuleName, row.name);
  chunk.set_long(kRuleVersion, static_cast<int64_t>(row.version.value()));
  char* room = chunk.text_room(kHexDigits);
  write_hex(row.customer.hash, room);
  chunk.set_room(kMember, kHexDigits, room);
  chunk.set_text(kChange, row.change);
  chunk.set_text(kValue, row.value);
  chunk.set_boolean(kIsLive, row.live);
  chunk.end_row();
}

}  // namespace kehu::lake
