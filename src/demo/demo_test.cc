#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/civil_day.h"
#include "demo/calendar.h"
#include "demo/catalog.h"
#include "demo/population.h"
#include "demo/random.h"
#include "demo/wire_text.h"

namespace kehu::demo {
namespace {

int64_t day_of(std::string_view date) {
  return china_day(*parse_iso8601(std::string(date) + "T12:00:00+08:00"));
}

TEST(Random, TheSeedDecidesEveryNumber) {
  Random a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(Random, PoissonHasItsMean) {
  Random random(11);
  for (const double mean : {0.01, 0.7, 5.0, 40.0, 900.0}) {
    double sum = 0;
    constexpr int kRounds = 4000;
    for (int i = 0; i < kRounds; ++i) sum += random.poisson(mean);
    EXPECT_NEAR(sum / kRounds, mean, 5 * std::sqrt(mean / kRounds)) << "seed 11, mean " << mean;
  }
}

TEST(Random, BetweenIsWholeMillisecondsInItsBounds) {
  Random random(5);
  for (int i = 0; i < 1000; ++i) {
    const Duration d = random.between(Duration::seconds(2), Duration::seconds(3));
    ASSERT_GE(d, Duration::seconds(2));
    ASSERT_LT(d, Duration::seconds(3));
    ASSERT_EQ(d.micros() % 1000, 0);
  }
}

struct DayCase {
  const char* date;
  double online;
  double shop;
  const char* campaign;  // nullptr: none
};

TEST(Calendar, KnowsTheChineseYear) {
  const DayCase cases[] = {
      {"2026-05-06", 1.0, 1.0, nullptr},   // a Wednesday
      {"2026-05-09", 1.18, 1.9, nullptr},  // a Saturday
      {"2025-11-11", 5.0, 1.6, "双11狂欢节"},  {"2025-10-24", 1.6, 1.0, "双11预售"},
      {"2026-06-18", 3.6, 1.4, "618年中大促"}, {"2026-02-03", 1.5, 1.5, "年货节"},
      {"2026-02-16", 0.7, 1.8, "年货节"},                                          // New Year's eve
      {"2026-02-17", 0.55, 1.2, nullptr},                                          // New Year
      {"2026-02-25", 1.0, 1.0, nullptr},       {"2045-02-17", 1.0, 1.0, nullptr},  // beyond the lunar table
  };
  for (const auto& c : cases) {
    const Day day = day_shape(day_of(c.date));
    EXPECT_DOUBLE_EQ(day.online, c.online) << c.date;
    EXPECT_DOUBLE_EQ(day.shop, c.shop) << c.date;
    EXPECT_EQ(day.campaign == nullptr ? "" : day.campaign->name, c.campaign == nullptr ? "" : c.campaign)
        << c.date;
  }
}

TEST(Calendar, HoursOfADaySumToOneAndShopsSleep) {
  for (const Channel channel : {Channel::kApp, Channel::kShop, Channel::kService}) {
    double sum = 0;
    for (int hour = 0; hour < 24; ++hour) sum += hour_share(channel, hour);
    EXPECT_NEAR(sum, 1, 1e-9) << to_string(channel);
  }
  EXPECT_EQ(hour_share(Channel::kShop, 3), 0);
  EXPECT_GT(hour_share(Channel::kApp, 21), hour_share(Channel::kApp, 16));
}

TEST(Calendar, TheDayBeginsAtMidnightInChina) {
  const Instant before = *parse_iso8601("2026-05-06T15:59:59.999Z");
  EXPECT_EQ(china_hour(before), 23);
  EXPECT_EQ(china_day(before + Duration::millis(1)), china_day(before) + 1);
  EXPECT_EQ(china_hour(before + Duration::millis(1)), 0);
}

TEST(Population, IdentifiersOfTwoCustomersDiffer) {
  const Population population(3);
  std::set<std::string> phones, members, wechat;
  constexpr uint32_t kCustomers = 50'000;
  for (uint32_t i = 0; i < kCustomers; ++i) {
    std::string phone, member, id;
    population.append_phone(i, phone);
    population.append_member_no(i, member);
    population.append_wechat_id(i, "oU", id);
    ASSERT_EQ(phone.size(), 11u);
    ASSERT_EQ(phone[0], '1');
    phones.insert(phone);
    members.insert(member);
    wechat.insert(id);
  }
  EXPECT_EQ(phones.size(), kCustomers);
  EXPECT_EQ(members.size(), kCustomers);
  EXPECT_EQ(wechat.size(), kCustomers);
}

TEST(Population, AFewShareADevice) {
  const Population population(3);
  int sharing = 0;
  for (uint32_t i = 0; i < 20'000; ++i) sharing += population.person(i).device_owner != i;
  EXPECT_GT(sharing, 150);
  EXPECT_LT(sharing, 600);
}

TEST(Catalog, PricesAreShopPricesAndStoresLieInTheirCity) {
  const Catalog catalog(1);
  for (uint32_t i = 0; i < catalog.product_count(); ++i) {
    const Fen price = catalog.product(i).price;
    EXPECT_TRUE(price % 1000 == 900 || price % 1000 == 990) << price;
    EXPECT_GE(price, 1900);
    EXPECT_LE(price, 200'000);
  }
  Random random(1);
  for (uint8_t i = 0; i < 14; ++i) EXPECT_EQ(catalog.store(catalog.pick_store(i, random)).city, i);
}

TEST(Text, YuanAndTimes) {
  const std::pair<Fen, const char*> amounts[] = {
      {0, "0"}, {5, "0.05"}, {12900, "129"}, {12990, "129.9"}, {12991, "129.91"}};
  for (const auto& [fen, want] : amounts) {
    std::string got;
    append_yuan(fen, got);
    EXPECT_EQ(got, want);
  }
  TimeText time;
  for (const char* text : {"2026-05-06T15:59:59.999Z", "2026-05-06T16:00:00.000Z", "2024-02-29T00:00:00.001Z",
                           "1969-12-31T23:59:59.000Z"}) {
    std::string got;
    time.append(*parse_iso8601(text), got);
    EXPECT_EQ(got, text);
  }
}

}  // namespace
}  // namespace kehu::demo
