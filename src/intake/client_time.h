#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "json/text.h"

namespace kehu::intake {

// Reads times as clients write them: ISO 8601 text, or seconds, milliseconds or microseconds since 1970 as a
// number or as digits in a text (told apart by size: a count below 10^11 is seconds, below 10^14
// milliseconds). nullopt when it is none, or outside kFirstInstant..kLastInstant. Remembers the day it read
// last, because the events of a request are of one day: ~10 ns for YYYY-MM-DDTHH:MM:SS.mmmZ.
class ClientTimes {
 public:
  std::optional<Instant> parse(const json::RawValue& value);

 private:
  std::optional<Instant> parse_short_form(std::string_view text);

  char day_text_[10] = {};
  Instant day_;
};

// What the clocks of both sides say about one event.
struct ClientClock {
  Instant received_at;             // ours
  std::optional<Instant> sent_at;  // the client's, when it sent the request
  bool retried = false;            // the client says that it sends this request again
  bool frozen_sent_at = false;     // the SDK keeps the sentAt of its first try (RudderStack)
};

// Event time by our clock: received_at - (sent_at - original), so a client whose clock is wrong still gives
// right times. Without sent_at the original is taken as it is, and so it is where a late arrival is explained
// by a retry rather than by a slow clock: the request says that it is one, or the SDK is known to freeze
// sentAt and the request is later than kFrozenAfter. Then a correction would move the event by the length of
// the outage.
Instant corrected_time(const ClientClock& clock, Instant original);

inline constexpr Duration kFrozenAfter = Duration::minutes(2);

}  // namespace kehu::intake
