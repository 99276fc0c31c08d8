#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "model/ids.h"

namespace kehu::lake {

// Which customer has a part, for every part that was ever moved: now, and as of each position that somebody
// holds. Any thread; one writes. ~80 bytes a moved part, however often it moved, and ~32 more for each
// position held at which it was somebody else's.
class Owners {
 public:
  // Every owner as of `as_of` can be found through the result, for as long as it lives. Not before the
  // position that was shown last.
  static std::shared_ptr<const Owners> hold(std::shared_ptr<Owners> owners, Sequence as_of);

  // The newest one counts; those of one part may come in any order before the first show(), and in ascending
  // order behind it.
  void set(Token part, CustomerId customer, Sequence sequence);
  // From now on nobody holds an earlier position; what is set later has later positions.
  void show(Sequence sequence);

  // `as_of`: a position that is held, or the one that was shown last. nullopt: the part is where its events
  // were first put.
  std::optional<CustomerId> find(Token part, Sequence as_of) const;
  // The same for parts and customers as 32 hexadecimal digits. Found ones are views into `scratch`, others
  // empty.
  void find_all(absl::Span<const std::string_view> parts, Sequence as_of,
                absl::Span<std::string_view> customers, std::string& scratch) const;
  size_t size() const;
  // Owners of the past that are remembered.
  size_t earlier() const;

 private:
  struct Entry {
    CustomerId customer;
    Sequence sequence;
    uint32_t earlier;  // of the same part, in earlier_; kNone at the earliest
                       // that is remembered
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  const Entry* find_entry(const Hash128& part, Sequence as_of) const;
  void release(Sequence as_of);
  bool is_needed(Sequence from, Sequence to) const;
  void thin_out(Entry& newest);
  uint32_t keep(const Entry& entry);

  mutable std::shared_mutex mutex_;
  absl::flat_hash_map<Hash128, Entry> newest_;
  std::vector<Entry> earlier_;
  std::vector<uint32_t> free_;  // places in earlier_
  std::multiset<Sequence> held_;
  Sequence shown_;
};

}  // namespace kehu::lake
