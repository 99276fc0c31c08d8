#pragma once

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "aggregate/wire.h"

// Counters, metrics and orders are lists of entries: varint count, then per entry a 48-bit key, the payload's
// size and the payload, ascending by key. Payloads are never empty. An empty text is the empty list. A fold
// rewrites one entry and copies the bytes around it.
namespace kehu::aggregate {

struct Entry {
  uint64_t key = 0;
  std::string_view payload;
};

class EntryReader {
 public:
  explicit EntryReader(std::string_view list);

  uint64_t count() const { return count_; }
  // False at the end and on damage.
  bool next(Entry& entry);
  bool failed() const { return reader_.failed(); }

 private:
  WireReader reader_;
  uint64_t count_ = 0;
  uint64_t left_ = 0;
  uint64_t least_ = 0;  // the next key is at least this
};

// Where a key stands, or would stand, in a list.
struct Slot {
  uint64_t count = 0;
  bool found = false;
  std::string_view before;
  std::string_view payload;
  std::string_view after;
};

// False on damage. Walks the list up to the key: ~2 ns an entry.
bool locate(std::string_view list, uint64_t key, Slot& slot);

void put_entry(uint64_t key, std::string_view payload, WireBuffer& out);

// The list with `payload` at the slot of `key`.
void put_list(const Slot& slot, uint64_t key, std::string_view payload, WireBuffer& out);

// Calls visit for every key of either list in ascending order; the payload of a list that lacks it is empty.
// False on damage, or as soon as visit answers false.
bool merge_entries(std::string_view a, std::string_view b,
                   absl::FunctionRef<bool(uint64_t key, std::string_view a, std::string_view b)> visit);

}  // namespace kehu::aggregate
