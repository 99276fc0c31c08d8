#include <gtest/gtest.h>

#include <deque>
#include <random>

#include "absl/strings/escaping.h"
#include "base/limits.h"
#include "base/text.h"
#include "profile/test_folded.h"
#include "profile/test_plain_profile.h"
#include "profile/test_random_events.h"

namespace kehu::profile {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'793'404'800);

Event track(std::string_view name, Instant time = kStart) {
  Event event;
  event.name = name;
  event.time = time;
  event.source = SourceId(1);
  event.properties = event.traits = event.context = "{}";
  return event;
}

Event identify(std::string_view traits, Instant time = kStart, uint32_t source = 1) {
  Event event = track("", time);
  event.type = EventType::kIdentify;
  event.source = SourceId(source);
  event.traits = traits;
  return event;
}

Settings settings_in(std::string_view zone) {
  Settings settings;
  settings.zone = *BusinessZone::load(zone);
  return settings;
}

ProfileView seen(const Settings& settings, const std::vector<Event>& events, Instant now = kStart) {
  Names names;
  const std::string part = fold_all(Plan(settings), events, names);
  return view_of(settings, part, now, names);
}

Instant at(std::string_view text) { return *parse_iso8601(text); }

struct TraitCase {
  const char* name;
  std::vector<Event> given;
  const char* want;  // of the trait "a"; nullptr: it has no value
};

TEST(Traits, WhoWins) {
  const Instant later = kStart + Duration::seconds(1);
  const TraitCase cases[] = {
      {"the later event", {identify(R"({"a":1})", later), identify(R"({"a":2})")}, "1"},
      {"at one time the larger source",
       {identify(R"({"a":9})", kStart, 1), identify(R"({"a":2})", kStart, 2)},
       "2"},
      {"of one source the larger text", {identify(R"({"a":9})"), identify(R"({"a":10})")}, "9"},
      {"null deletes", {identify(R"({"a":null})", later), identify(R"({"a":2})")}, nullptr},
      {"and can be set again", {identify(R"({"a":null})"), identify(R"({"a":2})", later)}, "2"},
      {"an object is one value",
       {identify(R"({"a":{"b":1,"c":2}})"), identify(R"({"a":{"b":3}})", later)},
       R"({"b":3})"},
      {"the last of equal keys by text", {identify(R"({"a":1,"a":2})")}, "2"},
  };
  for (const TraitCase& c : cases) {
    const ProfileView view = seen(Settings(), c.given);
    ASSERT_EQ(view.traits.size(), c.want == nullptr ? 0u : 1u) << c.name;
    if (c.want != nullptr) {
      EXPECT_EQ(view.traits[0].value, c.want) << c.name;
    }
  }
}

TEST(Traits, OfAGroupAreNotTheCustomers) {
  Event group = identify(R"({"industry":"retail"})");
  group.type = EventType::kGroup;
  EXPECT_TRUE(seen(Settings(), {group}).traits.empty());
}

TEST(Traits, TooLongIsCountedAndLeavesTheOldValue) {
  const std::string fits = cat("{\"a\":\"", std::string(limits::kTraitBytes - 2, 'x'), "\"}");
  const std::string too_long = cat("{\"a\":\"", std::string(limits::kTraitBytes - 1, 'x'), "\"}");
  const ProfileView view =
      seen(Settings(), {identify(fits), identify(too_long, kStart + Duration::seconds(1))});
  EXPECT_EQ(view.traits_too_long, 1u);
  ASSERT_EQ(view.traits.size(), 1u);
  EXPECT_EQ(view.traits[0].value.size(), limits::kTraitBytes);
}

struct WindowCase {
  const char* name;
  const char* zone;
  const char* event;
  const char* now;
  Windows<uint64_t> want;
};

TEST(Windows, DaysOfTheBusinessZone) {
  const Windows<uint64_t> kNone{}, kToday{1, 1, 1, 1, 1}, kWeek{0, 1, 1, 1, 1}, kMonth{0, 0, 1, 1, 1},
      kQuarter{0, 0, 0, 1, 1}, kYear{0, 0, 0, 0, 1};
  const WindowCase cases[] = {
      {"Shanghai's day begins at 16:00 UTC", "Asia/Shanghai", "2026-10-30T16:00:00Z", "2026-10-31T15:59:59Z",
       kToday},
      {"before it is yesterday", "Asia/Shanghai", "2026-10-30T15:59:59Z", "2026-10-31T15:59:59Z", kWeek},
      {"the sixth day before", "UTC", "2026-10-24T00:00:00Z", "2026-10-30T23:00:00Z", kWeek},
      {"the seventh day before", "UTC", "2026-10-23T23:59:59Z", "2026-10-30T23:00:00Z", kMonth},
      {"the 30th day before", "UTC", "2026-09-30T23:59:59Z", "2026-10-30T00:00:00Z", kQuarter},
      {"the 90th day before", "UTC", "2026-08-01T23:59:59Z", "2026-10-30T00:00:00Z", kYear},
      {"the 365th day before", "UTC", "2025-10-30T23:59:59Z", "2026-10-30T00:00:00Z", kNone},
      {"tomorrow is not yet", "UTC", "2026-10-31T00:00:00Z", "2026-10-30T23:30:00Z", kNone},
      // New York, 2026-11-01: 25 hours, from 04:00 UTC to 05:00 UTC of the next day.
      {"first hour of a 25-hour day", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T04:59:59Z",
       kToday},
      {"after a 25-hour day", "America/New_York", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z", kWeek},
      // 2026-03-08: 23 hours, from 05:00 UTC to 04:00 UTC of the next day.
      {"last hour of a 23-hour day", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T03:59:59Z",
       kToday},
      {"after a 23-hour day", "America/New_York", "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z", kWeek},
  };
  for (const WindowCase& c : cases) {
    const ProfileView view = seen(settings_in(c.zone), {track("A", at(c.event))}, at(c.now));
    const Windows<uint64_t>& got = view.counters[0].days;
    EXPECT_EQ(std::tie(got.today, got.last_7d, got.last_30d, got.last_90d, got.last_365d),
              std::tie(c.want.today, c.want.last_7d, c.want.last_30d, c.want.last_90d, c.want.last_365d))
        << c.name;
  }
}

TEST(Windows, EdgesOfMinutesAndHours) {
  const Event event = track("A", at("2026-10-30T10:00:00Z"));
  const std::tuple<const char*, uint64_t, uint64_t> cases[] = {
      {"2026-10-30T10:00:00Z", 1, 1}, {"2026-10-30T10:59:59Z", 1, 1}, {"2026-10-30T11:00:00Z", 0, 1},
      {"2026-10-31T09:59:59Z", 0, 1}, {"2026-10-31T10:00:00Z", 0, 0}, {"2026-10-30T09:59:59Z", 0, 0},
  };
  for (const auto& [now, hour, day] : cases) {
    const ProfileView view = seen(Settings(), {event}, at(now));
    EXPECT_EQ(view.counters[0].last_hour, hour) << now;
    EXPECT_EQ(view.counters[0].last_24h, day) << now;
  }
}

TEST(Rings, AnEventOlderThanTheRingCountsOnlyInTheTotal) {
  const Event newest = track("A");
  for (const auto& [days, want] : {std::pair(399, 2u), std::pair(400, 1u), std::pair(4000, 1u)}) {
    const Instant old = kStart - Duration::days(days);
    for (const auto& events : {std::vector{newest, track("A", old)}, std::vector{track("A", old), newest}}) {
      Names names;
      const std::string part = fold_all(Plan(Settings()), events, names);
      const ProfileView view = view_of(Settings(), part, kStart - Duration::days(40), names);
      EXPECT_EQ(view.counters[0].total, 2u);
      EXPECT_EQ(view.counters[0].days.last_365d, want - 1) << days;
    }
  }
}

TEST(Counters, OtherTypesAreCountedByType) {
  Event page = track("Home");
  page.type = EventType::kPage;
  const ProfileView view = seen(Settings(), {page, track("page"), track("page")});
  ASSERT_EQ(view.counters.size(), 2u);
  EXPECT_EQ(view.counters[0].type, EventType::kTrack);
  EXPECT_EQ(view.counters[0].total, 2u);
  EXPECT_EQ(view.counters[1].type, EventType::kPage);
  EXPECT_EQ(view.counters[1].name, "page");
  EXPECT_EQ(view.recent[0].name.empty(), false);
}

TEST(Names, AreReportedOnceAndShownWithoutTheTable) {
  const Plan plan{Settings()};
  Folder folder;
  std::string first, second;
  ASSERT_TRUE(fold(folder, plan, "", track("加购"), first).ok());
  ASSERT_EQ(folder.new_names().size(), 1u);
  EXPECT_EQ(folder.new_names()[0].text, "加购");
  EXPECT_EQ(folder.new_names()[0].id, name_id("加购"));
  ASSERT_TRUE(fold(folder, plan, first, track("加购"), second).ok());
  EXPECT_TRUE(folder.new_names().empty());
  ASSERT_TRUE(fold(folder, plan, second, identify("{\"\\u0061ge\":3}"), first).ok());
  ASSERT_EQ(folder.new_names().size(), 1u);
  EXPECT_EQ(folder.new_names()[0].text, "age");

  const ProfileView view = view_of(Settings(), second, kStart, {});
  EXPECT_EQ(view.counters[0].name.size(), 13u);
  EXPECT_EQ(view.counters[0].name[0], '#');
  EXPECT_EQ(view.recent[0].name, view.counters[0].name);
}

TEST(Names, OfEventsThatAreOnlyRecentAreReportedToo) {
  const Plan plan{Settings()};
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (size_t i = 0; i < 3 * limits::kEventNamesPerCustomer; ++i) {
    events.push_back(
        track(texts.emplace_back(cat("name ", i)), kStart + Duration::seconds(static_cast<int64_t>(i))));
  }
  Names names;
  const ProfileView view = view_of(Settings(), fold_all(plan, events, names), kStart, names);
  EXPECT_EQ(view.counters.size(), limits::kEventNamesPerCustomer + 1);
  EXPECT_EQ(view.counters[0].name, "(other)");
  for (const RecentEventView& recent : view.recent) EXPECT_EQ(recent.name.substr(0, 5), "name ");
}

TEST(Metrics, EstimateBeyondTheSample) {
  Settings settings;
  settings.metrics = {{Metric::Kind::kDistinct, "A", "x"}, {Metric::Kind::kTop, "A", "x"}};
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (int i = 0; i < 5000; ++i) {
    events.push_back(track("A"));
    events.back().properties = texts.emplace_back(cat("{\"x\":", i, "}"));
  }
  const ProfileView view = seen(settings, events);
  ASSERT_EQ(view.metrics.size(), 2u);
  for (const MetricView& metric : view.metrics) {
    EXPECT_FALSE(metric.exact);
    EXPECT_NEAR(static_cast<double>(metric.distinct), 5000, 5000 * 0.36);  // three standard errors
  }
  EXPECT_EQ(view.metrics[1].top.size(), 64u);
  EXPECT_EQ(view.metrics[1].count, 5000u);
}

TEST(Metrics, OfSettingsThatChangedAreNotShown) {
  Settings settings;
  settings.metrics = {{Metric::Kind::kSum, "A", "x"}};
  Event event = track("A");
  event.properties = R"({"x":3,"x":4})";
  Names names;
  const std::string part = fold_all(Plan(settings), {event}, names);
  ASSERT_EQ(view_of(settings, part, kStart, names).metrics.size(), 1u);
  EXPECT_EQ(view_of(settings, part, kStart, names).metrics[0].sum, Sum{40'000});
  settings.metrics = {{Metric::Kind::kSum, "A", "y"}};
  EXPECT_TRUE(view_of(settings, part, kStart, names).metrics.empty());
}

// Sums stay exact where 64 bits would not do.
TEST(Metrics, SumsAreWide) {
  Settings settings;
  settings.metrics = {{Metric::Kind::kSum, "A", "x"}};
  std::vector<Event> events(30, track("A"));
  for (Event& event : events) event.properties = R"({"x":100000000000000})";
  EXPECT_EQ(sum_to_string(seen(settings, events).metrics[0].sum), "3000000000000000");
}

TEST(View, ManyPartsAreOneCustomer) {
  const Settings settings = test_settings("Asia/Shanghai");
  const Plan plan(settings);
  const RandomEvents random_events(11, {.count = 90});
  const auto& events = random_events.events();
  Names names;
  const std::string a = fold_all(plan, {events.begin(), events.begin() + 30}, names);
  const std::string b = fold_all(plan, {events.begin() + 30, events.end()}, names);
  const std::string_view parts[] = {a, "", b};
  const auto view_of_parts = view(settings, parts, kStart, [](NameId) { return std::string_view(); });
  ASSERT_TRUE(view_of_parts.ok());
  EXPECT_EQ(view_of_parts->events, 90u);
  EXPECT_EQ(view(settings, {}, kStart, [](NameId) { return std::string_view(); })->events, 0u);
}

std::string hex(std::string_view bytes) { return absl::BytesToHexString(to_absl(bytes)); }

// Parts of version 1 are on disks: these bytes never change.
TEST(Format, GoldenPartOfVersion1) {
  Settings settings = settings_in("Asia/Shanghai");
  settings.metrics = {{Metric::Kind::kSum, "Order Completed", "revenue"},
                      {Metric::Kind::kDistinct, "Order Completed", "coupon"},
                      {Metric::Kind::kTop, "Order Completed", "coupon"}};
  Event order = track("Order Completed", kStart + Duration::hours(1));
  order.channel = Channel::kShop;
  order.properties = R"({"order_id":"A1","revenue":90.5,"currency":"CNY","coupon":"双11"})";
  Event again = order;
  again.time = kStart + Duration::days(2);
  again.properties = R"({"order_id":"A2","total":8,"coupon":"none"})";
  Names names;
  const std::string part =
      fold_all(Plan(settings), {identify(R"({"city":"上海","age":null})"), order, again}, names);
  EXPECT_EQ(hex(part),
            "013f10031182e8a9b606008298feb606c2a72921000182e8a9b606010291f06477a35400003468f4068f"
            "c3000822e4b88ae6b5b7222902020000000000060482e8a9b60640892848314214008298feb60602c2a7"
            "29000101012f01010102013b03d4ccb31292420711aac402d0bc6eeda30301fb760e02044e06c5af83b4"
            "af2aa45a5ad297110900fe9b10030402046e6f6e650105e58f8c3131011f020000000000002001408928"
            "4831421401030101008298feb606c2a729c2703f000200030280e20903434e590302d0bc6e028c5c9208"
            "1b0e0e024132038298feb606000080e209fd69379db7ad110241314382c9abb60600434e5900d0bc6e");
  EXPECT_EQ(digest(part), 18033054454418188330u);
}

TEST(Damage, IsAStatusAndNeverACrash) {
  const Settings settings = test_settings("Asia/Shanghai");
  const Plan plan(settings);
  const RandomEvents random_events(3, {.count = 60});
  Names names;
  const std::string part = fold_all(plan, random_events.events(), names);
  Folder folder;
  std::string out;
  for (size_t size = 1; size < part.size(); ++size) {
    EXPECT_EQ(validate(part.substr(0, size)).code(), absl::StatusCode::kDataLoss) << size;
  }
  std::mt19937_64 random(3);
  int refused = 0;
  constexpr int kFlips = 20'000;
  for (int i = 0; i < kFlips; ++i) {
    std::string damaged = part;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    const absl::Status status = validate(damaged);
    refused += status.ok() ? 0 : 1;
    const Event& event = random_events.events()[random() % 60];
    const absl::Status folded = fold(folder, plan, damaged, event, out);
    EXPECT_TRUE(folded.ok() || folded.code() == absl::StatusCode::kDataLoss);
  }
  EXPECT_GT(refused, kFlips / 10);  // many flips give another sound part: checksums are the store's
}

TEST(Damage, AnotherVersionIsRefused) {
  EXPECT_EQ(validate(std::string_view("\2\1\1\0", 4)).code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(validate("").ok());
}

// Each event has some of the properties that metrics look at.
TEST(Fold, MetricsOfAnySubsetOfProperties) {
  constexpr std::string_view kNames[] = {"a", "b", "c", "d", "e"};
  Settings settings = test_settings("Asia/Shanghai");
  settings.metrics.clear();
  for (const std::string_view name : kNames) {
    settings.metrics.push_back({Metric::Kind::kTop, "E", std::string(name)});
  }
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (unsigned i = 0; i < 64; ++i) {
    std::string properties = "{";
    for (unsigned k = 0; k < std::size(kNames); ++k) {
      if ((i * 37 >> k & 1) == 0) continue;
      properties += cat(properties.size() > 1 ? "," : "", "\"", kNames[k], "\":", i + 100 * k);
    }
    Event event;
    event.name = "E";
    event.time = Instant::from_seconds(1'793'404'800 + i);
    event.traits = event.context = "{}";
    event.properties = texts.emplace_back(properties + "}");
    events.push_back(event);
  }
  Names names;
  const std::string part = fold_all(Plan(settings), events, names);
  EXPECT_TRUE(validate(part).ok());
  const Instant now = events.back().time;
  EXPECT_EQ(describe(view_of(settings, part, now, names)), describe(plain_profile(settings, events, now)));
}

}  // namespace
}  // namespace kehu::profile
