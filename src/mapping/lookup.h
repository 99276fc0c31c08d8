#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace kehu::mapping {

struct LookupSpec;

// The rows of a second file by their key, read once and kept: the wanted columns only. Immutable; safe to
// share between threads.
class LookupTable {
 public:
  // Of keys and values together, with 100 bytes for each row.
  static constexpr size_t kBytesMax = 256u << 20;

  // kInvalidArgument: no such column, a key that stands twice with other values, more than kBytesMax.
  static absl::StatusOr<LookupTable> read(const LookupSpec& spec, const std::string& path);

  // The text in the wanted column of that number; nullptr without such a key or with an empty cell.
  const std::string* find(std::string_view key, size_t column) const;

 private:
  struct Entry {
    uint64_t line = 0;
    std::vector<std::string> values;
  };
  absl::flat_hash_map<std::string, Entry> rows_;
};

}  // namespace kehu::mapping
