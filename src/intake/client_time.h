#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"
#include "json/text.h"

namespace kehu::intake {

// Reads times as clients write them: ISO 8601 text, or seconds, milliseconds, microseconds or nanoseconds
// since 1970 as a number or as digits in a text (told apart by size: a count below 10^11 is seconds, below
// 10^14 milliseconds, below 10^17 microseconds). nullopt for what is none:
//
//   a count below 10^8 seconds, which is March 1973: 0, 1, -1 and 20261101 are numbers, but no times
//   a number that writes a date, 20261101, 202611011200, 20261101120000, 20261101120000123
//   an instant within a day of the zero of Unix clocks, which is a clock that was never set
//   an instant outside kFirstInstant..kLastInstant
//
// Remembers the day it read last, because the events of a request are of one day: ~10 ns for
// YYYY-MM-DDTHH:MM:SS.mmmZ.
class ClientTimes {
 public:
  std::optional<Instant> parse(const json::RawValue& value);
  // After parse() gave none: what it was, and what to write instead.
  std::string_view why() const { return why_; }

 private:
  std::optional<Instant> from_number(std::string_view text);
  std::optional<Instant> from_text(std::string_view text);
  std::optional<Instant> checked(std::optional<Instant> time);
  std::optional<Instant> parse_short_form(std::string_view text);

  std::string_view why_;
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

// Up to here the difference between sent_at and received_at is the way of the request, and no wrong clock.
inline constexpr Duration kDelay = Duration::seconds(10);

// Event time by our clock: received_at - (sent_at - original), so a client whose clock is wrong still gives
// right times. A difference of up to kDelay moves nothing. Without sent_at the original is taken as it is,
// and so it is where a late arrival is explained by a retry rather than by a slow clock: the request says
// that it is one, or the SDK is known to freeze sentAt and the request is later than kFrozenAfter. Then a
// correction would move the event by the length of the outage.
Instant corrected_time(const ClientClock& clock, Instant original);

inline constexpr Duration kFrozenAfter = Duration::minutes(2);

// "+08:00" when the event's time is later than its request was sent, by the offset of a time zone, give or
// take how long an event waits to be sent: a client that wrote its local time as if it were UTC. Empty when
// not.
std::string_view zone_ahead(const ClientClock& clock, Instant original);

}  // namespace kehu::intake
