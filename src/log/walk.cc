#include "log/walk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "log/closed_mark.h"

// Where no batch follows, the segment has ended, the log has ended, or bytes were damaged, and nothing at
// that place tells which: a recycled segment is full of rubbish, and a torn write looks like damage. What
// lies behind decides. A batch is written, synced and acknowledged before the next one is begun, so only
// the last one can be torn. A whole batch of this log further on proves that the one which should be here
// was acknowledged and is lost; going on without it would forget events without a word. These are the rules
// of docs/formats/log.md, "Where the log ends": leave_segment() applies 1 and 2, judge_end() 3 and 4,
// judge_mark() 5.
namespace kehu::log {

Walk::Walk(os::FileSystem& files, std::string directory, std::vector<SegmentNumber> segments)
    : files_(files), directory_(std::move(directory)), segments_(std::move(segments)) {
  // Where a log begins is known; a log whose oldest segments were recycled begins with whatever is there.
  chained_ = segments_.empty() || segments_.front() == SegmentNumber(1);
}

Position Walk::position() const {
  if (segments_.empty()) return {};
  return {.segment = segments_[index_], .offset = offset_};
}

absl::StatusOr<Walk::Step> Walk::next() {
  if (judged_) return Step::kEnd;
  if (segments_.empty()) return judge_end();
  if (!reader_) {
    auto reader = SegmentReader::open(files_, directory_, segments_[0]);
    if (!reader.ok()) return reader.status();
    reader_ = *std::move(reader);
  }
  const auto whole = reader_->batch_at(offset_);
  if (!whole.ok()) return whole.status();
  if (*whole && follows(**whole)) return take(**whole);
  return leave_segment();
}

bool Walk::follows(const WholeBatch& whole) const {
  if (log_id_ && whole.log_id != *log_id_) return false;
  return !chained_ || (whole.previous == chain_ && whole.batch.first_sequence() == next_);
}

Walk::Step Walk::take(const WholeBatch& whole) {
  batch_ = whole;
  chained_ = true;
  chain_ = whole.crc;
  next_ = whole.batch.end_sequence();
  log_id_ = whole.log_id;
  offset_ = static_cast<uint32_t>(whole.end_offset());
  return Step::kBatch;
}

// The segment is over when the next one goes on from here. If not, a whole batch behind means damage, and
// none means the end of the log.
absl::StatusOr<Walk::Step> Walk::leave_segment() {
  const size_t ahead = index_ + 1;
  if (chained_ && ahead < segments_.size() && segments_[ahead] == segments_[index_].next()) {
    auto found = look_in(ahead, 0);
    if (!found.ok()) return found.status();
    if (*found && follows((*found)->whole)) return enter(**std::move(found));
  }
  auto behind = look_behind();
  if (!behind.ok()) return behind.status();
  if (!*behind) return judge_end();

  // While a writer is at work, the batch that was not whole a moment ago may be so now.
  reader_->forget();
  const auto again = reader_->batch_at(offset_);
  if (!again.ok()) return again.status();
  if (*again && follows(**again)) return take(**again);
  const Position at = (*behind)->whole.batch.position();
  if (chained_ && at.offset == 0 && at.segment == segments_[index_].next() && follows((*behind)->whole)) {
    return enter(**std::move(behind));
  }
  return skip_to(**std::move(behind));
}

absl::StatusOr<std::optional<Walk::Found>> Walk::look_in(size_t index, uint64_t offset) {
  auto reader = SegmentReader::open(files_, directory_, segments_[index]);
  if (!reader.ok()) return reader.status();
  auto whole = reader->batch_at(offset);
  if (!whole.ok()) return whole.status();
  if (!*whole) return std::nullopt;
  return Found{.index = index, .reader = *std::move(reader), .whole = **whole};
}

absl::StatusOr<std::optional<Walk::Found>> Walk::look_behind() {
  for (size_t index = index_; index < segments_.size(); ++index) {
    // A whole first batch of another log means that a file got here by mistake; further back it would only be
    // something that a record happens to hold.
    absl::StatusOr<std::optional<Found>> first = std::nullopt;
    if (index > index_) first = look_in(index, 0);
    if (!first.ok() || *first) return first;
    auto reader = SegmentReader::open(files_, directory_, segments_[index]);
    if (!reader.ok()) return reader.status();
    auto whole = reader->find_batch(index == index_ ? offset_ : 0, log_id_);
    if (!whole.ok()) return whole.status();
    if (*whole) return Found{.index = index, .reader = *std::move(reader), .whole = **whole};
  }
  return std::nullopt;
}

Walk::Step Walk::enter(Found found) {
  index_ = found.index;
  reader_ = std::move(found.reader);
  return take(found.whole);
}

// Reports the damage and goes on at the batch that was found, so that a check names all of it in one pass.
// The batch before it is not known, so it is taken as it is, like the oldest one of a log whose beginning
// was recycled.
Walk::Step Walk::skip_to(Found found) {
  const Position to = found.whole.batch.position();
  const SegmentNumber expected = segments_[index_].next();
  const bool foreign = log_id_ && found.whole.log_id != *log_id_;
  const bool missing = found.index > index_ && segments_[index_ + 1] != expected;
  const std::string what =
      foreign   ? absl::StrCat(segment_path(directory_, to.segment), " belongs to another log")
      : missing ? absl::StrCat("the file ", segment_path(directory_, expected), " is missing")
                : absl::StrCat("the batch at byte ", offset_, " of ",
                               segment_path(directory_, segments_[index_]), " is damaged");
  const Step step = report(absl::StrCat(what, "; the next whole batch begins with record ",
                                        found.whole.batch.first_sequence().value(), " at byte ", to.offset,
                                        " of ", segment_path(directory_, to.segment)),
                           found.whole.batch.first_sequence());
  index_ = found.index;
  reader_ = std::move(found.reader);
  offset_ = to.offset;
  next_ = found.whole.batch.first_sequence();
  chained_ = false;
  return step;
}

// Where it is not known which record should come here, as when the oldest batch of a log is damaged, none
// is named as lost.
Walk::Step Walk::report(std::string what, Sequence lost_end) {
  damage_ = {
      .at = position(), .what = std::move(what), .lost_first = next_, .lost_end = std::max(next_, lost_end)};
  if (!chained_) damage_.lost_first = damage_.lost_end;
  return Step::kDamage;
}

absl::StatusOr<Walk::Step> Walk::judge_end() {
  judged_ = true;
  if (reader_) {
    const auto torn = reader_->claimed_bytes(offset_);
    if (!torn.ok()) return torn.status();
    torn_bytes_ = *torn;
  }
  if (!chained_) return report(absl::StrCat("no segment of ", directory_, " holds a whole batch"), next_);
  for (size_t i = index_; i + 1 < segments_.size(); ++i) {
    if (segments_[i + 1] == segments_[i].next()) continue;
    const std::string path = segment_path(directory_, segments_[i].next());
    return report(absl::StrCat("the file ", path, " is missing"), next_);
  }
  return judge_mark();
}

// A damaged last batch looks like one that was torn and never acknowledged. After an orderly close nothing
// can be torn, so an end that is not the one of the mark is damage, and is seen.
absl::StatusOr<Walk::Step> Walk::judge_mark() {
  const auto mark = read_closed_mark(files_, directory_);
  if (absl::IsDataLoss(mark.status())) return report(std::string(mark.status().message()), next_);
  if (!mark.ok()) return mark.status();
  if (!*mark) return Step::kEnd;
  const ClosedMark& closed = **mark;
  orderly_ = closed.next == next_ && closed.chain == chain_ && (!log_id_ || closed.log_id == *log_id_);
  if (orderly_) return Step::kEnd;
  return report(
      absl::StrCat("the log was closed in good order before record ", closed.next.value(), " at byte ",
                   closed.end.offset, " of ", segment_path(directory_, closed.end.segment),
                   ", but its last whole batch ends before record ", next_.value()),
      closed.next);
}

}  // namespace kehu::log
