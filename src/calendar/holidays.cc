#include "calendar/holidays.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <vector>

#include "absl/time/civil_time.h"
#include "calendar/holidays_table.h"

namespace kehu::calendar {
namespace {

absl::CivilDay civil(CivilDay day) { return absl::CivilDay(1970, 1, 1) + day.value(); }

// 20260217
absl::CivilDay civil(int digits) { return absl::CivilDay(digits / 10'000, digits / 100 % 100, digits % 100); }

// What is known of one day: a holiday by its place in the table from 1, a day that makes up for one, or none.
using Mark = uint8_t;
constexpr Mark kNone = 0;
constexpr Mark kMakesUp = UINT8_MAX;
static_assert(std::size(kHolidays) < kMakesUp);

constexpr absl::CivilDay kFirstDay(kFirstYear, 1, 1);

std::vector<Mark> marks_of_all() {
  std::vector<Mark> marks(static_cast<size_t>(absl::CivilDay(kLastYear + 1, 1, 1) - kFirstDay), kNone);
  const auto at = [&](absl::CivilDay day) -> Mark& { return marks[static_cast<size_t>(day - kFirstDay)]; };
  for (size_t i = 0; i < std::size(kHolidays); ++i) {
    for (int day = 0; day < kHolidays[i].days; ++day) {
      at(civil(kHolidays[i].first) + day) = static_cast<Mark>(i + 1);
    }
  }
  for (const int day : kMakingUp) at(civil(day)) = kMakesUp;
  return marks;
}

Mark mark_of(CivilDay day) {
  static const std::vector<Mark> marks = marks_of_all();
  const int64_t place = civil(day) - kFirstDay;
  const bool known = place >= 0 && place < static_cast<int64_t>(marks.size());
  return known ? marks[static_cast<size_t>(place)] : kNone;
}

}  // namespace

std::string_view holiday_of(CivilDay day) {
  const Mark mark = mark_of(day);
  return mark == kNone || mark == kMakesUp ? std::string_view() : kHolidays[mark - 1].name;
}

const std::vector<std::string_view>& holiday_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> all;
    for (const Holiday& holiday : kHolidays) {
      if (std::ranges::find(all, holiday.name) == all.end()) all.push_back(holiday.name);
    }
    return all;
  }();
  return names;
}

bool is_workday(CivilDay day) {
  const Mark mark = mark_of(day);
  if (mark != kNone) return mark == kMakesUp;
  const absl::Weekday weekday = absl::GetWeekday(civil(day));
  return weekday != absl::Weekday::saturday && weekday != absl::Weekday::sunday;
}

}  // namespace kehu::calendar
