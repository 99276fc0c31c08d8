#include "timer/timers.h"

#include "base/check.h"
#include "codec/bytes.h"
#include "timer/format.h"

// Hierarchical timing wheels (Varghese, Lauck 1987, scheme 7) keep far timers in coarse slots and move them
// to finer ones as their time comes. Here a slot is opened when it is full instead of when it is reached: the
// slots of a wheel are digits of the absolute time, so the passing of time changes nothing, no timer moves
// but when its page is opened, and a step of advance() never has a slot of a million to pour out. It is then
// a radix tree over (due, id) with pages as leaves (burst trie: Heinz, Zobel, Williams 2002), in which levels
// that tell nothing apart are skipped (Morrison 1968). Levels go on through the digits of the id, because "at
// nine in the morning" is one microsecond for all customers.
namespace kehu::timer {

Timers::Timers(BlobStore& store) : store_(store) {
  const std::string_view root = store_.get(kRootAddress);
  if (root.empty()) return;
  KEHU_CHECK(shape_of(root) == Shape::kRoot);
  codec::ByteReader reader(root.substr(kHeadBytes));
  pending_ = reader.fixed<uint64_t>();
  KEHU_CHECK(!reader.failed() && reader.at_end());
}

void Timers::put_root() {
  scratch_.clear();
  append_head(Shape::kRoot, scratch_);
  codec::ByteWriter(scratch_).fixed(pending_);
  store_.put(kRootAddress, scratch_);
}

void Timers::put_wheel(const Step& step) {
  scratch_.clear();
  append_wheel(step.wheel, scratch_);
  store_.put(address_of(step.slot), scratch_);
}

// Ends at the page in which the place is or would be (its blob is empty when there is none yet), or at a
// wheel that does not cover it: levels are skipped, so the digits above a wheel's own may differ from those
// of the place. path_ is left with the wheels that were passed, the last of which has the slot.
Timers::Found Timers::find(const Place& place) {
  path_.clear();
  for (Slot slot;;) {
    const std::string_view blob = store_.get(address_of(slot));
    if (!is_wheel(blob)) return {slot, blob};
    const Wheel wheel = parse_wheel(blob);
    if (!wheel.covers(place)) return {slot, blob};
    path_.push_back({slot, wheel});
    slot = wheel.slot(place.digit(wheel.level));
    if (!wheel.has(place.digit(wheel.level))) return {slot, {}};
  }
}

Timers::Found Timers::find_first() {
  path_.clear();
  for (Slot slot;;) {
    const std::string_view blob = store_.get(address_of(slot));
    if (!is_wheel(blob)) return {slot, blob};
    const Wheel wheel = parse_wheel(blob);
    path_.push_back({slot, wheel});
    slot = wheel.slot(wheel.first());
  }
}

// A set touches one page and the root. Only a page that is new to its wheel, one that overflows, or a place
// that a skipped level told apart writes a wheel, too.
void Timers::set(const Timer& timer) {
  KEHU_CHECK(!visiting_ && timer.payload.size() <= kPayloadBytes);
  if (first_) first_ = std::min(*first_, timer.due);
  const Place place = place_of(timer.due, timer.id);
  Found found = find(place);
  if (is_wheel(found.blob)) {
    branch(found.slot, place);
    found = {slot_around(place, path_.back().wheel.level + 1), {}};
  } else if (found.blob.empty() && !path_.empty()) {
    path_.back().wheel.add(place.digit(path_.back().wheel.level));
    put_wheel(path_.back());
  }
  if (found.blob.empty()) start_page(page_);
  if (!found.blob.empty()) page_.assign(found.blob);
  const bool fresh = insert(timer, page_);
  if (page_.size() <= kPageBytes) {
    store_.put(address_of(found.slot), page_);
  } else {
    settle(found.slot, records_of(page_));
  }
  if (!fresh) return;
  ++pending_;
  put_root();
}

// Puts a coarser wheel where one is that does not cover the place, at the first level that tells the two
// apart. The finer wheel becomes its first slot, and the place's own slot is the second. Of the finer wheel
// only the key changes; what is below it stays where it is, because a slot's key follows from its digits
// alone.
void Timers::branch(const Slot& slot, const Place& place) {
  const std::string inner(store_.get(address_of(slot)));
  const Wheel finer = parse_wheel(inner);
  Wheel wheel;
  wheel.level = first_difference(finer.prefix, place);
  wheel.prefix = slot_around(place, wheel.level).prefix;
  wheel.add(finer.prefix.digit(wheel.level));
  wheel.add(place.digit(wheel.level));
  store_.put(address_of(wheel.slot(finer.prefix.digit(wheel.level))), inner);
  path_.push_back({slot, wheel});
  put_wheel(path_.back());
}

// Writes a slot anew: as a page when the records fit one, else as a wheel at the first level that tells
// them apart. The records are sorted, so first and last one differ at that level, and those of one digit
// are neighbours. Each call goes a level deeper, so it ends after kLevels calls at most, when a single
// place would be left.
void Timers::settle(const Slot& slot, absl::Span<const std::string_view> records) {
  size_t bytes = kHeadBytes;
  for (const std::string_view record : records) bytes += record.size();
  if (bytes <= kPageBytes) {
    start_page(scratch_);
    for (const std::string_view record : records) scratch_.append(record);
    store_.put(address_of(slot), scratch_);
    return;
  }
  const Place first = place_of_record(records.front());
  Wheel wheel;
  wheel.level = first_difference(first, place_of_record(records.back()));
  wheel.prefix = slot_around(first, wheel.level).prefix;
  for (size_t begin = 0, end = 0; begin < records.size(); begin = end) {
    const int digit = place_of_record(records[begin]).digit(wheel.level);
    while (end < records.size() && place_of_record(records[end]).digit(wheel.level) == digit) ++end;
    wheel.add(digit);
    settle(wheel.slot(digit), records.subspan(begin, end - begin));
  }
  put_wheel({slot, wheel});
}

// Removes an empty page. A wheel that is left with one slot gives way to that slot, so wheels are never
// more than pages, and a store that was emptied has no blob left but the root.
void Timers::remove_page(const Slot& slot) {
  store_.erase(address_of(slot));
  if (path_.empty()) return;
  Step& parent = path_.back();
  parent.wheel.remove(slot.prefix.digit(parent.wheel.level));
  if (parent.wheel.slots() > 1) return put_wheel(parent);
  const Hash128 last = address_of(parent.wheel.slot(parent.wheel.first()));
  scratch_.assign(store_.get(last));
  store_.erase(last);
  store_.put(address_of(parent.slot), scratch_);
}

bool Timers::cancel(Instant due, TimerId id) {
  first_.reset();
  KEHU_CHECK(!visiting_);
  const Place place = place_of(due, id);
  const Found found = find(place);
  if (found.blob.empty() || is_wheel(found.blob)) return false;
  page_.assign(found.blob);
  if (!erase(place, page_)) return false;
  if (has_records(page_)) {
    store_.put(address_of(found.slot), page_);
  } else {
    remove_page(found.slot);
  }
  --pending_;
  put_root();
  return true;
}

std::optional<Instant> Timers::next_due() {
  if (first_) return first_;
  const Found found = find_first();
  if (found.blob.empty()) return std::nullopt;
  first_ = PageReader(found.blob).timer().due;
  return first_;
}

// Reads all slots of the wheel that is about to be emptied at once instead of one by one. The store may
// move its blobs while it reads, so the one that was found is asked for again.
void Timers::bring_near(Found& found) {
  if (path_.empty() || near_ == path_.back().slot) return;
  near_ = path_.back().slot;
  const Wheel& wheel = path_.back().wheel;
  std::vector<Hash128> keys;
  for (int digit = 0; digit < kSlotsPerWheel; ++digit) {
    if (wheel.has(digit)) keys.push_back(address_of(wheel.slot(digit)));
  }
  store_.prefetch(keys);
  found.blob = store_.get(address_of(found.slot));
}

// Fires from a copy of the first page and writes the page once, however many timers of it were due. `visit`
// must not set or cancel (visiting_), or the copy would be written over what it did. What it wants to set,
// it notes and sets afterwards. A step is bounded by `limit`, never by what is due: of a million due in one
// microsecond, steps of a thousand take 0.2 to 0.3 ms each, the longest 1.4 to 5 ms
// (docs/decisions/timers.md).
size_t Timers::advance(Instant now, size_t limit, absl::FunctionRef<void(const Timer&)> visit) {
  first_.reset();
  KEHU_CHECK(!visiting_ && limit > 0);
  size_t taken = 0;
  for (bool more = true; more && taken < limit;) {
    Found found = find_first();
    if (found.blob.empty()) break;
    if (const Instant due = PageReader(found.blob).timer().due; due > now) {
      first_ = due;
      break;
    }
    bring_near(found);
    page_.assign(found.blob);
    PageReader reader(page_);
    visiting_ = true;
    for (; !reader.at_end() && taken < limit && reader.timer().due <= now; ++taken) {
      visit(reader.timer());
      reader.next();
    }
    visiting_ = false;
    more = reader.at_end();
    if (!more) first_ = reader.timer().due;
    erase_front(reader.offset(), page_);
    if (more) remove_page(found.slot);
    if (!more) store_.put(address_of(found.slot), page_);
  }
  if (taken > 0) {
    pending_ -= taken;
    put_root();
  }
  return taken;
}

}  // namespace kehu::timer
