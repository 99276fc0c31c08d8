#include "aggregate/entries.h"

namespace kehu::aggregate {
namespace {

constexpr uint64_t kMinEntryBytes = kKeyBytes + 2;

}  // namespace

// The count is compared with what can be in the bytes before anybody reserves memory for it, and each key
// with the one before: so bytes that are read without an error are the one text of their list.
EntryReader::EntryReader(std::string_view list) : reader_(list) {
  if (list.empty()) return;
  count_ = left_ = reader_.varint();
  if (count_ == 0 || count_ > reader_.rest().size() / kMinEntryBytes) {
    reader_.fail();
    count_ = left_ = 0;
  }
}

bool EntryReader::next(Entry& entry) {
  if (left_ == 0) {
    if (!reader_.at_end()) reader_.fail();
    return false;
  }
  --left_;
  entry.key = reader_.key();
  entry.payload = reader_.text();
  if (entry.key < least_ || entry.payload.empty()) reader_.fail();
  least_ = entry.key + 1;
  return !reader_.failed();
}

// Walks the list from its beginning, since entries differ in size and an index would cost more bytes than
// a walk of ~2 ns an entry costs time. Entries behind the key are not looked at; they are copied as they
// are.
bool locate(std::string_view list, uint64_t key, Slot& slot) {
  slot = Slot{};
  if (list.empty()) return true;
  WireReader reader(list);
  slot.count = reader.varint();
  const char* first = reader.rest().data();
  const auto before = [first](std::string_view at) {
    return std::string_view(first, static_cast<size_t>(at.data() - first));
  };
  for (uint64_t i = 0; i < slot.count; ++i) {
    const std::string_view at = reader.rest();
    const uint64_t here = reader.key();
    const std::string_view payload = reader.text();
    if (reader.failed()) return false;
    if (here < key) continue;
    slot.before = before(at);
    slot.found = here == key;
    slot.payload = slot.found ? payload : std::string_view();
    slot.after = slot.found ? reader.rest() : at;
    return true;
  }
  slot.before = before(reader.rest());
  return reader.complete();
}

void put_entry(uint64_t key, std::string_view payload, WireBuffer& out) {
  out.key(key);
  out.text(payload);
}

void put_list(const Slot& slot, uint64_t key, std::string_view payload, WireBuffer& out) {
  out.varint(slot.count + (slot.found ? 0 : 1));
  out.raw(slot.before);
  put_entry(key, payload, out);
  out.raw(slot.after);
}

// Both lists ascend, so this is the merge of two sorted lists: each entry is read once and nothing is
// kept.
bool merge_entries(std::string_view a, std::string_view b,
                   absl::FunctionRef<bool(uint64_t key, std::string_view a, std::string_view b)> visit) {
  EntryReader left(a);
  EntryReader right(b);
  Entry x, y;
  bool has_x = left.next(x);
  bool has_y = right.next(y);
  while (has_x || has_y) {
    const bool take_x = has_x && (!has_y || x.key <= y.key);
    const bool take_y = has_y && (!has_x || y.key <= x.key);
    const bool going_on = visit(take_x ? x.key : y.key, take_x ? x.payload : std::string_view(),
                                take_y ? y.payload : std::string_view());
    if (!going_on) return false;
    if (take_x) has_x = left.next(x);
    if (take_y) has_y = right.next(y);
  }
  return !left.failed() && !right.failed();
}

}  // namespace kehu::aggregate
