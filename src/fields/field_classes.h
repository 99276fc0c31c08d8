#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "fields/key_table.h"
#include "model/settings.h"

namespace kehu::fields {

// What a JSON key inside properties, traits or context asks of its value.
struct FieldClass {
  static constexpr uint8_t kPersonal = 1;  // declared: to be sealed, whatever it is
  static constexpr uint8_t kAmount = 2;    // a number must fit a Decimal
  static constexpr uint8_t kPersonalName =
      4;  // speaks of a phone, an address…: sealed, but for true and false
  static constexpr uint8_t kPlainNumber = 8;   // bare digits are no phone number
  static constexpr uint8_t kExcepted = 16;     // not sealed for what its value reads as
  static constexpr uint8_t kPersonalKey = 32;  // the key itself reads as a personal value
};

// The classes of all keys that come, by the settings. Working out what the words of a key mean takes some µs,
// so the answers of 1,024 keys are remembered: ~2 ns a key. For one thread at a time.
class FieldClasses {
 public:
  explicit FieldClasses(const Settings& settings);

  uint8_t find(std::string_view key) const {
    const uint8_t known = remembered_.find(key);
    return known != 0 ? static_cast<uint8_t>(known & ~kKnown) : remember(key);
  }
  // Whether an identifier of this type is sealed for what it reads as.
  bool is_excepted(std::string_view name) const;

 private:
  static constexpr uint8_t kKnown = 128;  // in every number of the table, which has no 0
  static constexpr size_t kRemembered = 1024;
  uint8_t work_out(std::string_view key) const;
  uint8_t remember(std::string_view key) const;

  PersonalValues values_;
  KeyTable exact_;
  absl::flat_hash_set<std::string> personal_;  // folded
  absl::flat_hash_set<std::string> excepted_;
  mutable KeyTable remembered_;
};

}  // namespace kehu::fields
