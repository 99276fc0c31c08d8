#include "demo/calendar.h"

#include <array>
#include <chrono>
#include <optional>

namespace kehu::demo {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr int64_t kMicrosPerHour = 3'600'000'000;

using Hours = std::array<double, 24>;

// Online: a lunch peak and a long evening with its top at 21–22 h. Shops: closed at night, full after work.
constexpr Hours kOnlineHours = {22, 12, 7,  5,  4,  6,  12, 24, 36, 46,  52, 54,
                                66, 58, 48, 46, 48, 50, 54, 68, 88, 102, 92, 54};
constexpr Hours kShopHours = {0,  0,  0,  0,  0,  0,  0,  0,  0,  4,  24, 38,
                              44, 46, 56, 66, 70, 68, 74, 84, 72, 34, 0,  0};
constexpr Hours kServiceHours = {1,  1,  0,  0,  0,  0,  1,  4,  18, 60, 74, 62,
                                 36, 44, 66, 70, 62, 50, 32, 30, 28, 22, 10, 4};

constexpr double sum(const Hours& hours) {
  double total = 0;
  for (const double share : hours) total += share;
  return total;
}

struct MonthDay {
  unsigned month;
  unsigned day;
};

// First day of the lunar year.
constexpr int kFirstLunarYear = 2020;
constexpr MonthDay kLunarNewYear[] = {{1, 25}, {2, 12}, {2, 1}, {1, 22}, {2, 10}, {1, 29}, {2, 17}, {2, 6},
                                      {1, 26}, {2, 13}, {2, 3}, {1, 23}, {2, 11}, {1, 31}, {2, 19}, {2, 8}};

constexpr Campaign kDouble11{"双11狂欢节", "抖音"};
constexpr Campaign kPresale11{"双11预售", "小红书"};
constexpr Campaign k618{"618年中大促", "抖音"};
constexpr Campaign kDouble12{"双12年终盛典", "微信"};
constexpr Campaign kQueen{"38焕新周", "小红书"};
constexpr Campaign kNewYear{"年货节", "微信"};
constexpr Campaign kSummer{"夏日清仓", "短信"};

struct Season {
  MonthDay first;
  MonthDay last;
  double online;
  double shop;
  double discount;
  const Campaign* campaign;
};

// Earlier lines win, so a peak day stands before the weeks around it.
constexpr Season kSeasons[] = {
    {{11, 11}, {11, 11}, 5.0, 1.6, 0.20, &kDouble11},  {{11, 1}, {11, 10}, 2.2, 1.2, 0.12, &kDouble11},
    {{10, 24}, {10, 31}, 1.6, 1.0, 0.08, &kPresale11}, {{6, 18}, {6, 18}, 3.6, 1.4, 0.18, &k618},
    {{6, 1}, {6, 17}, 1.6, 1.1, 0.10, &k618},          {{12, 12}, {12, 12}, 2.4, 1.3, 0.12, &kDouble12},
    {{3, 5}, {3, 8}, 1.5, 1.3, 0.08, &kQueen},         {{8, 1}, {8, 14}, 1.1, 1.1, 0.10, &kSummer},
    {{11, 12}, {11, 20}, 0.7, 0.9, 0, nullptr},        {{6, 19}, {6, 26}, 0.8, 1.0, 0, nullptr},
};

bool within(const MonthDay& day, const Season& season) {
  const auto key = [](const MonthDay& d) { return d.month * 100 + d.day; };
  return key(day) >= key(season.first) && key(day) <= key(season.last);
}

std::optional<int64_t> days_after_lunar_new_year(std::chrono::sys_days day, int year) {
  const int index = year - kFirstLunarYear;
  if (index < 0 || index >= static_cast<int>(std::size(kLunarNewYear))) return std::nullopt;
  const MonthDay& start = kLunarNewYear[index];
  const std::chrono::sys_days new_year =
      std::chrono::year(year) / std::chrono::month(start.month) / std::chrono::day(start.day);
  return (day - new_year).count();
}

void apply_new_year(int64_t after, Day& shape) {
  if (after >= -21 && after < -5) shape = {shape.online * 1.5, shape.shop * 1.5, 0.08, &kNewYear};
  // Couriers stop about five days before the feast; people are at home or in the shops.
  if (after >= -5 && after < 0) shape = {shape.online * 0.7, shape.shop * 1.8, 0.05, &kNewYear};
  if (after >= 0 && after < 7) shape = {shape.online * 0.55, shape.shop * 1.2, 0, nullptr};
}

}  // namespace

Day day_shape(int64_t china_day) {
  const std::chrono::sys_days day{std::chrono::days(china_day)};
  const std::chrono::year_month_day date(day);
  const unsigned weekday = std::chrono::weekday(day).c_encoding();
  const bool weekend = weekday == 0 || weekday == 6;
  Day shape{weekend ? 1.18 : 1.0, weekend ? 1.9 : 1.0, 0, nullptr};
  if (const auto after = days_after_lunar_new_year(day, static_cast<int>(date.year())))
    apply_new_year(*after, shape);
  const MonthDay month_day{static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day())};
  for (const Season& season : kSeasons) {
    if (!within(month_day, season)) continue;
    return {shape.online * season.online, shape.shop * season.shop, season.discount, season.campaign};
  }
  return shape;
}

double hour_share(Channel channel, int hour) {
  static constexpr double kOnlineSum = sum(kOnlineHours), kShopSum = sum(kShopHours),
                          kServiceSum = sum(kServiceHours);
  const auto at = static_cast<size_t>(hour);
  if (channel == Channel::kShop) return kShopHours[at] / kShopSum;
  if (channel == Channel::kService) return kServiceHours[at] / kServiceSum;
  return kOnlineHours[at] / kOnlineSum;
}

int64_t china_day(Instant t) {
  const int64_t local = (t + kChinaOffset).micros();
  return local / kMicrosPerDay - (local % kMicrosPerDay < 0 ? 1 : 0);
}

int china_hour(Instant t) {
  const int64_t local = (t + kChinaOffset).micros() - china_day(t) * kMicrosPerDay;
  return static_cast<int>(local / kMicrosPerHour);
}

}  // namespace kehu::demo
