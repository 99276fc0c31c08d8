#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/ids.h"

namespace kehu {

// Names an intent for ever, also outside: the record that caused it, and its place among those that the
// record caused.
struct IntentKey {
  Sequence sequence;
  uint32_t ordinal = 0;
  constexpr auto operator<=>(const IntentKey&) const = default;
};

// Something to be done in the world outside: what a channel is to do for a customer. Done at least once, with
// its key; counted once.
struct Intent {
  static constexpr size_t kChannelBytes = 15;
  static constexpr size_t kBodyBytes = 64 << 10;

  IntentKey key;
  std::string channel;  // 1 to kChannelBytes
  CustomerId customer;  // whose it was when it was caused
  std::string body;     // the channel's own words
};

enum class IntentOutcome : uint8_t {
  kDelivered = 1,
  kRefused = 2,  // it can never be delivered
};

// A log record: what became of an intent. The first one counts.
struct Receipt {
  IntentKey intent;
  IntentOutcome outcome = IntentOutcome::kDelivered;
  std::string_view detail;  // in the channel's words; no personal value
};

// A log record: at `due`, or with the next tick if that has passed, the text becomes an intent of the
// channel.
struct Reminder {
  static constexpr size_t kTextBytes = 40;

  Instant due;
  CustomerId customer;
  std::string_view channel;  // 1 to Intent::kChannelBytes
  std::string_view text;     // at most kTextBytes
};

}  // namespace kehu
