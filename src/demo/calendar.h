#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "model/event.h"

namespace kehu::demo {

// The retailer's clock is China's: UTC+8, without daylight saving.
inline constexpr Duration kChinaOffset = Duration::hours(8);

struct Campaign {
  std::string_view name;    // "双11狂欢节"
  std::string_view source;  // where its visitors come from, most of the time
};

// How busy one day is, against an ordinary Wednesday at 1.
struct Day {
  double online = 1;
  double shop = 1;
  double discount = 0;                 // share of the price that the campaign takes off
  const Campaign* campaign = nullptr;  // static storage; nullptr on ordinary days
};

// Day number counts from 1970-01-01 in China. Knows weekends, 618, Double 11 (with its pre-sale), Double 12,
// 38 week, a summer sale, and Chinese New Year with the quiet week online and the full shops before it (2020
// to 2035; outside them New Year is left out).
Day day_shape(int64_t china_day);

// Share of a day's visits of a channel that begin in this hour (0–23) in China; the 24 hours sum to 1.
double hour_share(Channel channel, int hour);

int64_t china_day(Instant t);
int china_hour(Instant t);

}  // namespace kehu::demo
