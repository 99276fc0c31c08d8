#include "demo/retailer.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>

#include "base/civil_day.h"
#include "base/hash.h"
#include "base/money.h"
#include "demo/calendar.h"
#include "json/document.h"

namespace kehu::demo {
namespace {

Instant at(std::string_view text) { return *parse_iso8601(text); }

const Instant kStart = at("2026-04-01T00:00:00+08:00");

RetailerOptions small() { return {.seed = 42, .customers = 4000, .start = kStart, .days = 60}; }

uint64_t digest(Retailer& retailer, Instant until, size_t events_per_batch) {
  // Of the events, not of the batches they come in.
  std::string body;
  std::string all;
  while (retailer.next_batch({.until = until, .events = events_per_batch}, body) > 0) {
    all.append(body, 10, body.size() - 12).push_back(',');
  }
  return hash64(all);
}

TEST(Retailer, TheSeedDecidesEveryByte) {
  RetailerOptions options = small();
  const Instant until = kStart + Duration::days(3);
  Retailer one(options), same(options);
  const uint64_t want = digest(one, until, 1000);
  EXPECT_EQ(digest(same, until, 37), want) << "the cut into batches must not matter";
  options.seed = 43;
  Retailer other(options);
  EXPECT_NE(digest(other, until, 1000), want);
  // Known for ever: a change of this number is a change of everybody's demo.
  EXPECT_EQ(want, 18204633079800934549u);
}

TEST(Retailer, SkippingGivesTheSameFuture) {
  Retailer walked(small()), skipped(small());
  const Instant middle = kStart + Duration::days(2);
  digest(walked, middle, 500);
  skipped.skip_to(middle);
  EXPECT_EQ(skipped.now(), middle);
  EXPECT_EQ(digest(walked, middle + Duration::days(1), 500),
            digest(skipped, middle + Duration::days(1), 500));
}

TEST(Retailer, BatchesKeepTheirLimits) {
  Retailer retailer(small());
  std::string body;
  const Instant until = kStart + Duration::days(1);
  EXPECT_EQ(retailer.next_batch({.until = until, .events = 5}, body), 5u);
  EXPECT_LE(retailer.next_batch({.until = until, .events = 5000, .bytes = 20'000}, body), 60u);
  EXPECT_LT(body.size(), 25'000u);
  retailer.skip_to(until);
  EXPECT_EQ(retailer.next_batch({.until = until}, body), 0u);
  EXPECT_EQ(body, "{\"batch\":[]}");
}

// Two months of a small retailer, read once for all tests of what it looks like.
class History : public testing::Test {
 protected:
  struct Seen {
    std::map<std::string, int> events;  // by name; page, screen and identify calls by type
    std::array<int, 24> app_hours{};
    std::map<int64_t, int> by_day;         // visits of shops
    std::map<std::string, int> orders_of;  // by member number
    std::map<std::string, int> ids;        // message ids
    std::map<std::string, std::set<std::string>> members_of_device;
    std::map<std::string, std::string> member_of_phone;
    int total = 0, broken = 0, late = 0, wrong_totals = 0, out_of_order = 0, orders_without_id = 0;
  };

  static void SetUpTestSuite() {
    seen_ = new Seen;
    Retailer retailer(small());
    std::string body;
    Instant before = kStart;
    while (retailer.next_batch({.until = kStart + Duration::days(60), .events = 500}, body) > 0) {
      const auto document = json::Document::parse(body);
      ASSERT_TRUE(document.ok()) << document.status();
      for (const json::Value::Member& event : document->root().find("batch")) read(event.value);
      seen_->out_of_order += retailer.now() < before;
      before = retailer.now();
    }
    now_ = retailer.now();
  }
  static void TearDownTestSuite() { delete seen_; }

  static void read(const json::Value& event) {
    ++seen_->total;
    const auto type = event.find("type").as_string();
    const auto time = parse_iso8601(event.find("timestamp").as_string().value_or(""));
    const bool somebody = event.find("userId").exists() || event.find("anonymousId").exists();
    const bool named = type != "track" || event.find("event").exists();
    const bool plausible = time && *time < kStart + Duration::days(400);
    if (!type || !plausible || !somebody || !named || event.find("properties").is_string()) {
      ++seen_->broken;
      return;
    }
    ++seen_->ids[*event.find("messageId").as_string()];
    ++seen_->events[type == "track" ? *event.find("event").as_string() : *type];
    const auto channel = event.find("channel").as_string();
    if (channel == "app") ++seen_->app_hours[static_cast<size_t>(china_hour(*time))];
    if (event.find("event").as_string() == "Store Visited") ++seen_->by_day[china_day(*time)];
    if (event.find("event").as_string() == "Order Completed") read_order(event);
    if (type == "identify") read_login(event);
  }

  static void read_order(const json::Value& event) {
    const json::Value properties = event.find("properties");
    ++seen_->orders_of[event.find("userId").as_string().value_or("")];
    Sum sum = -Decimal::parse(properties.find("discount").raw())->units();
    for (const json::Value::Member& line : properties.find("products")) {
      sum += Sum{Decimal::parse(line.value.find("price").raw())->units()} *
             *line.value.find("quantity").as_int();
    }
    seen_->wrong_totals += sum != Sum{Decimal::parse(properties.find("total").raw())->units()};
    seen_->orders_without_id += !properties.find("order_id").exists();
  }

  static void read_login(const json::Value& event) {
    const std::string member = *event.find("userId").as_string();
    seen_->members_of_device[event.find("anonymousId").as_string().value_or("")].insert(member);
    seen_->member_of_phone[*event.find("traits").find("phone").as_string()] = member;
  }

  static double ratio(const char* of, const char* to) {
    return double(seen_->events[of]) / seen_->events[to];
  }

  static Seen* seen_;
  static Instant now_;
};
History::Seen* History::seen_;
Instant History::now_;

TEST_F(History, IsAsLongAsAskedFor) {
  EXPECT_GT(seen_->total, 60'000);
  EXPECT_EQ(now_, kStart + Duration::days(60));
  EXPECT_EQ(seen_->out_of_order, 0);
}

TEST_F(History, HasTheHoursOfPeople) {
  const auto& hours = seen_->app_hours;
  EXPECT_GT(hours[21], hours[15] * 3 / 2);
  EXPECT_GT(hours[12], hours[10]);
  EXPECT_LT(hours[4] * 6, hours[21]);
}

TEST_F(History, ShopsAreFullAtWeekends) {
  double weekend = 0, weekday = 0;
  int weekends = 0, weekdays = 0;
  for (const auto& [day, visits] : seen_->by_day) {
    const bool free = (day + 4) % 7 == 0 || (day + 4) % 7 == 6;
    (free ? weekend : weekday) += visits;
    ++(free ? weekends : weekdays);
  }
  ASSERT_GT(weekends, 10);
  EXPECT_GT(weekend / weekends, 1.4 * weekday / weekdays);
}

TEST_F(History, NarrowsLikeAFunnel) {
  EXPECT_GT(ratio("Product Added", "Product Viewed"), 0.04);
  EXPECT_LT(ratio("Product Added", "Product Viewed"), 0.2);
  EXPECT_GT(ratio("Checkout Started", "Cart Viewed"), 0.4);
  EXPECT_LT(ratio("Checkout Started", "Cart Viewed"), 0.75);
  EXPECT_LT(ratio("Order Refunded", "Order Completed"), 0.1);
  EXPECT_GT(ratio("Order Refunded", "Order Completed"), 0.02);
  for (const char* name :
       {"Note Viewed", "Product Tried On", "Ticket Opened", "Ticket Closed", "Products Searched",
        "Application Opened", "Product Added to Wishlist", "page", "screen", "identify"}) {
    EXPECT_GT(seen_->events[name], 50) << name;
  }
}

TEST_F(History, OrdersAddUp) {
  EXPECT_EQ(seen_->wrong_totals, 0);
  EXPECT_EQ(seen_->orders_without_id, 0);
}

TEST_F(History, CustomersComeBack) {
  int buyers = 0, repeat = 0;
  for (const auto& [member, orders] : seen_->orders_of) {
    if (member.empty()) continue;
    ++buyers;
    repeat += orders > 1;
  }
  ASSERT_GT(buyers, 500);
  EXPECT_GT(repeat, buyers / 5);
  EXPECT_LT(repeat, buyers * 4 / 5);
}

TEST_F(History, SomeDevicesAreSharedAndMostPhonesTellTheirMember) {
  int shared = 0;
  for (const auto& [device, members] : seen_->members_of_device) shared += members.size() == 2;
  EXPECT_GT(shared, 3);
  EXPECT_LT(shared, static_cast<int>(seen_->members_of_device.size()) / 10);
  EXPECT_GT(seen_->member_of_phone.size(), 500u);
}

TEST_F(History, AFewEventsAreRepeatedAndAFewBroken) {
  int repeated = 0;
  for (const auto& [id, count] : seen_->ids) repeated += count > 1;
  EXPECT_NEAR(repeated, seen_->total * 0.002, seen_->total * 0.001);
  EXPECT_NEAR(seen_->broken, seen_->total * 0.001, seen_->total * 0.0007);
}

TEST(Retailer, Double11TowersOverNovember) {
  RetailerOptions options = small();
  options.start = at("2025-11-04T00:00:00+08:00");
  Retailer retailer(options);
  std::string body;
  std::map<int64_t, size_t> by_day;
  for (int64_t day = 0; day < 12; ++day) {
    const Instant until = options.start + Duration::days(day + 1);
    while (const size_t count = retailer.next_batch({.until = until}, body)) by_day[day] += count;
  }
  EXPECT_GT(by_day[7], by_day[3] * 3 / 2);  // the 11th against the 7th
  EXPECT_GT(by_day[7], by_day[10] * 4);     // and against the 14th
}

TEST(Retailer, LiveTrafficIsTheSameAtEveryHour) {
  for (const int hour : {4, 12, 21}) {
    SCOPED_TRACE(hour);
    Retailer retailer(small());
    const Instant begin = kStart + Duration::hours(hour);
    retailer.skip_to(begin);
    retailer.set_live_traffic(200);
    retailer.skip_to(begin + Retailer::kRampUp);
    std::string body;
    const auto events_in = [&](Instant from, Duration time) {
      size_t events = 0;
      while (const size_t n = retailer.next_batch({.until = from + time}, body)) events += n;
      return static_cast<double>(events);
    };
    const double early = events_in(begin + Retailer::kRampUp, Duration::minutes(2)) / 120;
    retailer.skip_to(begin + Duration::minutes(40));
    const double late = events_in(begin + Duration::minutes(40), Duration::minutes(10)) / 600;
    const RetailerOptions options = small();
    const double visits = options.visits_per_customer_day * options.customers * 0.6 * 200 / 86400;
    EXPECT_GT(early, late * 0.7) << "after the ramp-up it is at its full rate";
    EXPECT_GT(late, visits * 3);
    EXPECT_LT(late, visits * 15);
  }
}

}  // namespace
}  // namespace kehu::demo
