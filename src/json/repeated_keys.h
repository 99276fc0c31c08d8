#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "json/index.h"

namespace kehu::json {

// Whether the object has a member of the name.
bool has_key(const Index& index, uint32_t object, std::string_view name);

// Finds keys that stand more than once in one object. JSON allows them, and its readers differ: so the door
// keeps the last of each, and everybody behind it reads the same. Keys are compared as they are read, without
// their escapes. Reused, it allocates nothing. Cost: n log n in the keys of an object.
class RepeatedKeys {
 public:
  // The key nodes among the nodes [first, last), in every object there at any depth, that the same object
  // repeats further on. In the order of the text; valid until the next call.
  absl::Span<const uint32_t> find(const Index& index, uint32_t first, uint32_t last);
  // Of these key nodes, wherever they stand, those that a later one of them repeats.
  absl::Span<const uint32_t> find_among(const Index& index, absl::Span<const uint32_t> keys);

  // After a call.
  bool holds(uint32_t key) const;

 private:
  struct Code {
    uint64_t hash;
    uint32_t place;  // in keys_
  };

  void look_at_keys(const Index& index);
  void look_at_few(const Index& index);
  void look_at_many(const Index& index);

  std::vector<uint32_t> keys_;
  std::vector<Code> codes_;
  std::vector<uint32_t> found_;
  std::string scratch_, other_scratch_;
};

}  // namespace kehu::json
