#pragma once

#include <cstdint>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/hash.h"
#include "model/ids.h"

namespace kehu::lake {

// Which customer has a part, for every part that was ever moved, now and as of any earlier position. Any
// thread; one writes. ~90 bytes a move.
class Owners {
 public:
  // In ascending order of sequence.
  void set(Token part, CustomerId customer, Sequence sequence);
  // nullopt: the part is where its events were first put.
  std::optional<CustomerId> find(Token part, Sequence as_of) const;
  // The same for parts and customers as 32 hexadecimal digits. Found ones are views into `scratch`, others
  // empty.
  void find_all(absl::Span<const std::string_view> parts, Sequence as_of,
                absl::Span<std::string_view> customers, std::string& scratch) const;
  size_t size() const;

 private:
  struct Entry {
    CustomerId customer;
    Sequence sequence;
    uint32_t earlier;  // of the same part; kNone at its first move
  };
  static constexpr uint32_t kNone = UINT32_MAX;
  const Entry* find_entry(const Hash128& part, Sequence as_of) const;

  mutable std::shared_mutex mutex_;
  std::vector<Entry> entries_;
  absl::flat_hash_map<Hash128, uint32_t> newest_;
};

}  // namespace kehu::lake
