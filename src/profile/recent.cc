#include "profile/recent.h"

#include <algorithm>
#include <functional>

namespace kehu::profile {
namespace {

void write_kind(const EventKind& kind, aggregate::WireBuffer& out) {
  out.key(kind.name.value());
  out.byte(static_cast<uint8_t>(static_cast<uint8_t>(kind.type) << 4 | static_cast<uint8_t>(kind.channel)));
  if (kind.channel == Channel::kOther) out.key(kind.other_channel.value());
  out.varint(kind.source.value());
}

EventKind read_kind(aggregate::WireReader& in) {
  EventKind kind;
  kind.name = NameId(in.key());
  const uint8_t type_and_channel = in.byte();
  const int type = type_and_channel >> 4;
  const int channel = type_and_channel & 15;
  kind.type = static_cast<EventType>(type);
  kind.channel = static_cast<Channel>(channel);
  const bool other = kind.channel == Channel::kOther;
  if (other) kind.other_channel = NameId(in.key());
  const uint64_t source = in.varint();
  if (type < 1 || type > 6 || (channel >= kChannelCount && !other) || source > UINT32_MAX) in.fail();
  kind.source = SourceId(static_cast<uint32_t>(source));
  return kind;
}

// Makes room at `place` of an array that holds `size` elements.
template <class T>
void open_gap(T* elements, size_t size, size_t place) {
  std::copy_backward(elements + place, elements + size, elements + size + 1);
}

// The last byte of a varint has no high bit, and all before it have one, so the end of the number before
// is found from behind, without reading what comes earlier.
std::string_view cut_last_varint(std::string_view varints) {
  varints.remove_suffix(1);
  while (!varints.empty() && (static_cast<uint8_t>(varints.back()) & 0x80) != 0) varints.remove_suffix(1);
  return varints;
}

}  // namespace

size_t Recent::find_place(const RecentEvent& event) const {
  size_t place = size_;
  while (place > 0 && event < (*this)[place - 1]) --place;
  return place;
}

// Finds the number of the kind, or gives it one; true when the kind is new. Kinds are numbered in their
// own order and not in that of arrival, so a new one moves the numbers of those behind it: the same set of
// events has the same bytes, however it came together.
bool Recent::number_kind(const EventKind& kind, uint8_t& number) {
  size_t place = 0;
  while (place < kind_count_ && kinds_[place] < kind) ++place;
  number = static_cast<uint8_t>(place);
  if (place < kind_count_ && kinds_[place] == kind) return false;
  open_gap(kinds_.data(), kind_count_++, place);
  kinds_[place] = kind;
  for (size_t i = 0; i < size_; ++i) {
    if (numbers_[i] >= number) ++numbers_[i];
  }
  return true;
}

// A kind that no event has any more is taken out with its last event, and the numbers behind it close up,
// because unused kinds would tell two equal lists apart.
void Recent::drop_last() {
  const uint8_t number = numbers_[--size_];
  if (std::find(numbers_.data(), numbers_.data() + size_, number) != numbers_.data() + size_) return;
  std::copy(kinds_.data() + number + 1, kinds_.data() + kind_count_, kinds_.data() + number);
  --kind_count_;
  for (size_t i = 0; i < size_; ++i) {
    if (numbers_[i] > number) --numbers_[i];
  }
}

Recent::Added Recent::add(const RecentEvent& event) {
  const size_t place = find_place(event);
  if (place == limits::kRecentEvents) return {};
  uint8_t number = 0;
  const bool new_kind = number_kind(event.kind, number);
  open_gap(times_.data(), size_, place);
  open_gap(numbers_.data(), size_, place);
  times_[place] = event.time;
  numbers_[place] = number;
  if (++size_ > limits::kRecentEvents) drop_last();
  return {.event = true, .kind = new_kind};
}

void Recent::merge(const Recent& other) {
  for (size_t i = 0; i < other.size(); ++i) add(other[i]);
}

// Written: how many kinds, the kinds, how many events, the number of each one's kind, then the newest time
// and for each other event how much older it is than the one before.
void Recent::write(aggregate::WireBuffer& out) const {
  if (size_ == 0) return;
  out.byte(static_cast<uint8_t>(kind_count_));
  for (size_t i = 0; i < kind_count_; ++i) write_kind(kinds_[i], out);
  out.byte(static_cast<uint8_t>(size_));
  for (size_t i = 0; i < size_; ++i) out.byte(numbers_[i]);
  out.instant(times_[0]);
  for (size_t i = 1; i < size_; ++i) out.duration(times_[i - 1] - times_[i]);
}

bool Recent::read(std::string_view section) {
  size_ = kind_count_ = 0;
  if (section.empty()) return true;
  aggregate::WireReader in(section);
  const size_t kinds = in.byte();
  if (kinds == 0 || kinds > limits::kRecentEvents) return false;
  for (; kind_count_ < kinds; ++kind_count_) kinds_[kind_count_] = read_kind(in);
  const size_t count = in.byte();
  if (count == 0 || count > limits::kRecentEvents) return false;
  uint64_t used = 0;
  for (size_t i = 0; i < count; ++i) {
    numbers_[i] = in.byte();
    if (numbers_[i] >= kinds) return false;
    used |= 1ull << numbers_[i];
  }
  for (; size_ < count; ++size_) {
    times_[size_] = size_ == 0 ? in.instant() : in.instant_before(times_[size_ - 1]);
  }
  const bool all_used = used == (1ull << kinds) - 1;
  const auto begin = kinds_.cbegin();
  const auto end = begin + static_cast<ptrdiff_t>(kinds);
  const bool ascending = std::adjacent_find(begin, end, std::greater_equal<>()) == end;
  return in.complete() && all_used && ascending;
}

// The oldest event of a full list falls off, and then its kind must still be in use by another event, or
// the kinds would have to be renumbered; that case, a late event, a tie and a new kind are left to read()
// and add(). Their bytes would be the same.
bool Recent::prepend(std::string_view section, const RecentEvent& event, aggregate::WireBuffer& out) {
  if (section.empty()) return false;
  aggregate::WireReader in(section);
  const uint8_t kinds = in.byte();
  uint8_t number = kinds;
  for (uint8_t i = 0; i < kinds; ++i) {
    if (read_kind(in) == event.kind) number = i;
  }
  const std::string_view head = section.substr(0, section.size() - in.rest().size());
  const size_t count = in.byte();
  std::string_view numbers = in.take(count);
  const Instant newest = in.instant();
  std::string_view older = in.rest();
  const bool sound = !in.failed() && count > 0 && count <= limits::kRecentEvents;
  if (!sound || number == kinds || event.time <= newest) return false;
  if (count == limits::kRecentEvents) {
    if (older.empty() || numbers.find(numbers.back()) == count - 1) return false;
    numbers.remove_suffix(1);
    older = cut_last_varint(older);
  }
  out.raw(head);
  out.byte(static_cast<uint8_t>(numbers.size() + 1));
  out.byte(number);
  out.raw(numbers);
  out.instant(event.time);
  out.duration(event.time - newest);
  out.raw(older);
  return true;
}

}  // namespace kehu::profile
