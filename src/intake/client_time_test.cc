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
      {"0", "1970-01-01T00:00:00.000Z"},
      {R"("2024-02-29T23:59:59.999Z")", "2024-02-29T23:59:59.999Z"},
      {R"("2023-02-29T23:59:59.999Z")", "none"},
      {R"("2026-11-22T24:00:00.000Z")", "none"},
      {R"("2026-11-22T00:60:00.000Z")", "none"},
      {R"("2026-11-22T00:00:0x.000Z")", "none"},
      {R"("2026-11-22T00:00:00.0x0Z")", "none"},
      {R"("1899-12-31T00:00:00.000Z")", "none"},
      {R"("2200-01-01T00:00:00.000Z")", "none"},
      {R"("yesterday")", "none"},
      {R"("20261122")", "none"},
      {R"("")", "none"},
      {"1e300", "none"},
      {"-9e18", "none"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.given), c.want) << c.given;
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
       {received, sent(Duration::seconds(3)), false, true},
       Duration::seconds(4),
       Duration::seconds(1)},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(corrected_time(c.clock, received - c.original).micros(), (received - c.want).micros())
        << c.name;
  }
}

TEST(CorrectedTime, StaysInRange) {
  const ClientClock clock{Instant::from_seconds(1'795'308'600), kFirstInstant};
  EXPECT_EQ(corrected_time(clock, kLastInstant), kLastInstant);
}

}  // namespace
}  // namespace kehu::intake
