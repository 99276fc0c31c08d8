#include "intake/client_time.h"

#include <string>

#include "base/civil_day.h"
#include "gtest/gtest.h"

namespace kehu::intake {
namespace {

std::string read(std::string_view json) {
  const bool text = json.front() == '"';
  ClientTimes times;
  const auto time = times.parse({text ? json::Kind::kString : json::Kind::kNumber, json});
  return time ? format_utc(*time) : "none";
}

TEST(ClientTimes, ReadsEveryForm) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {R"("2026-11-22T00:49:32.846Z")", "2026-11-22T00:49:32.846Z"},
      {R"("2026-11-22T00:56:34.978+00:00")", "2026-11-22T00:56:34.978Z"},
      {R"("2026-11-22T00:56:35.478816+00:00")", "2026-11-22T00:56:35.478816Z"},
      {R"("2026-11-22T08:56:35+08:00")", "2026-11-22T00:56:35.000Z"},
      {R"("2026-11-22T08:56:35.5+0800")", "2026-11-22T00:56:35.500Z"},
      {R"("2026-11-22 00:56:35")", "2026-11-22T00:56:35.000Z"},
      {R"("2026-11-22")", "2026-11-22T00:00:00.000Z"},
      {R"("\u0032026-11-22T00:49:32.846Z")", "2026-11-22T00:49:32.846Z"},
      {"1795308600", "2026-11-22T00:50:00.000Z"},
      {"1795308600123", "2026-11-22T00:50:00.123Z"},
      {"1795308600123456", "2026-11-22T00:50:00.123456Z"},
      {"1795308600.25", "2026-11-22T00:50:00.250Z"},
      {R"("1795308600")", "2026-11-22T00:50:00.000Z"},
      {R"("1795308600123")", "2026-11-22T00:50:00.123Z"},
      {"1795308600123456789", "2026-11-22T00:50:00.123457Z"},
      {R"("1795308600.25")", "2026-11-22T00:50:00.250Z"},
      {R"("1795308600123456")", "2026-11-22T00:50:00.123456Z"},
      {"1.7953086e9", "2026-11-22T00:50:00.000Z"},
      {"1704067200", "2024-01-01T00:00:00.000Z"},
      {R"("2026-11-28T23:51:36.822518049Z")", "2026-11-28T23:51:36.822518Z"},
      {R"("2026-11-28T23:51:36.822518049+08:00")", "2026-11-28T15:51:36.822518Z"},
      {"100000000", "1973-03-03T09:46:40.000Z"},
      {R"("1970-01-02T00:00:00Z")", "1970-01-02T00:00:00.000Z"},
      {R"("1968-05-01T00:00:00Z")", "1968-05-01T00:00:00.000Z"},
      {R"("2024-02-29T23:59:59.999Z")", "2024-02-29T23:59:59.999Z"},
      {R"("2023-02-29T23:59:59.999Z")", "none"},
      {R"("2026-11-22T24:00:00.000Z")", "none"},
      {R"("2026-11-22T00:60:00.000Z")", "none"},
      {R"("2026-11-22T00:00:0x.000Z")", "none"},
      {R"("2026-11-22T00:00:00.0x0Z")", "none"},
      {R"("1899-12-31T00:00:00.000Z")", "none"},
      {R"("2200-01-01T00:00:00.000Z")", "none"},
      {R"("yesterday")", "none"},
      {"99999999", "none"},
      {R"("0001-01-01T00:00:00Z")", "none"},
      {R"("")", "none"},
      {"1e300", "none"},
      {"-9e18", "none"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.given), c.want) << c.given;
}

// Numbers that are no times are refused, and the reason names what they are.
TEST(ClientTimes, SaysWhy) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"0", "a number, but no count"},
      {"1", "a number, but no count"},
      {"-1", "a number, but no count"},
      {"0.0", "a number, but no count"},
      {"-1795308600", "a number, but no count"},
      {R"("0")", "a number, but no count"},
      {R"("-1")", "a number, but no count"},
      {"1795308", "a number, but no count"},
      {"20261101", "a date written as a number"},
      {"20261101.0", "a date written as a number"},
      {"2.0261101e7", "a date written as a number"},
      {R"("20261101")", "a date written as a number"},
      {"202611011200", "a date written as a number"},
      {"20261101120000", "a date written as a number"},
      {R"("20261101120000")", "a date written as a number"},
      {R"("20261101120000123")", "a date written as a number"},
      {"20261301", "a number, but no count"},
      {R"("1970-01-01T00:00:00Z")", "the zero of a clock"},
      {R"("1970-01-01T08:00:00.000+08:00")", "the zero of a clock"},
      {R"("1970-01-01 00:00:00")", "the zero of a clock"},
      {R"("1969-12-31T16:00:00.000Z")", "the zero of a clock"},
      {R"("1899-12-30")", "not a time between 1900 and 2199"},
      {R"("yesterday")", "not a time between 1900 and 2199"},
      {R"("")", "not a time between 1900 and 2199"},
      {"true", "not a time between 1900 and 2199"},
  };
  for (const Case& c : cases) {
    ClientTimes times;
    const std::string_view json = c.given;
    const json::Kind kind = json.front() == '"'   ? json::Kind::kString
                            : json.front() == 't' ? json::Kind::kBool
                                                  : json::Kind::kNumber;
    EXPECT_FALSE(times.parse({kind, json})) << c.given;
    EXPECT_TRUE(times.why().starts_with(c.want)) << c.given << ": " << times.why();
  }
}

// The short way and the general way must read the same: the short one is only for the form with milliseconds
// and Z.
TEST(ClientTimes, ShortFormAgreesWithTheGeneralOne) {
  ClientTimes times;
  for (int64_t micros = kFirstInstant.micros(); micros < kLastInstant.micros();
       micros += 86'399'999'000 * 97) {
    const Instant want(micros / 1000 * 1000);
    const std::string text = "\"" + format_utc(want) + "\"";
    ASSERT_EQ(times.parse({json::Kind::kString, text}), want) << text;
  }
}

TEST(CorrectedTime, ByTheClocksOfBothSides) {
  const Instant received = Instant::from_seconds(1'795'308'600);
  struct Case {
    const char* name;
    ClientClock clock;
    Duration original;  // before received
    Duration want;
  };
  const auto sent = [&](Duration before) { return std::optional(received - before); };
  const Case cases[] = {
      {"no sentAt", {received, std::nullopt}, Duration::hours(2), Duration::hours(2)},
      {"right clock", {received, sent(Duration())}, Duration::minutes(5), Duration::minutes(5)},
      {"clock an hour slow",
       {received, sent(Duration::hours(1))},
       Duration::minutes(61),
       Duration::minutes(1)},
      {"clock an hour fast",
       {received, sent(Duration::hours(-1))},
       Duration::minutes(-59),
       Duration::minutes(1)},
      {"retry", {received, sent(Duration::hours(1)), true}, Duration::minutes(61), Duration::minutes(61)},
      {"retry, clock fast",
       {received, sent(Duration::hours(-1)), true},
       Duration::minutes(-59),
       Duration::minutes(1)},
      {"frozen sentAt",
       {received, sent(Duration::hours(1)), false, true},
       Duration::hours(1),
       Duration::hours(1)},
      {"frozen, on time",
       {received, sent(Duration::seconds(30)), false, true},
       Duration::seconds(40),
       Duration::seconds(10)},
      {"the way of the request",
       {received, sent(Duration::millis(300))},
       Duration::millis(329),
       Duration::millis(329)},
      {"ten seconds are the way",
       {received, sent(Duration::seconds(10))},
       Duration::hours(3),
       Duration::hours(3)},
      {"more is a wrong clock",
       {received, sent(Duration::millis(10'001))},
       Duration::seconds(20),
       Duration::millis(9'999)},
      {"a little fast",
       {received, sent(Duration::seconds(-10))},
       Duration::seconds(-4),
       Duration::seconds(-4)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(corrected_time(c.clock, received - c.original).micros(), (received - c.want).micros())
        << c.name;
  }
}

TEST(ZoneAhead, OfLocalTimesWrittenAsUtc) {
  const Instant sent = Instant::from_seconds(1'795'308'600);
  struct Case {
    Duration after;  // the event behind its sending
    const char* want;
  };
  const Case cases[] = {
      {Duration::seconds(28'790), "+08:00"},
      {Duration::hours(8), "+08:00"},
      {Duration::hours(8) + Duration::seconds(5), "+08:00"},
      {Duration::hours(8) - Duration::minutes(10), "+08:00"},
      {Duration::hours(8) - Duration::minutes(11), ""},
      {Duration::hours(8) + Duration::minutes(5), ""},
      {Duration::minutes(59), "+01:00"},
      {Duration::minutes(329), "+05:30"},
      {Duration::minutes(343), "+05:45"},
      {Duration::hours(14), "+14:00"},
      {Duration::hours(15), ""},
      {Duration::hours(24), ""},
      {Duration::minutes(40), ""},
      {Duration(), ""},
      {Duration::hours(-8), ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(zone_ahead({.received_at = sent, .sent_at = sent}, sent + c.after), c.want) << c.after.micros();
    EXPECT_EQ(zone_ahead({.received_at = sent, .sent_at = std::nullopt}, sent + c.after), "");
  }
}

TEST(CorrectedTime, StaysInRange) {
  const ClientClock clock{Instant::from_seconds(1'795'308'600), kFirstInstant};
  EXPECT_EQ(corrected_time(clock, kLastInstant), kLastInstant);
}

}  // namespace
}  // namespace kehu::intake
