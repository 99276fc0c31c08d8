#include "calendar/holidays.h"

#include <gtest/gtest.h>

namespace kehu::calendar {
namespace {

CivilDay day_of(std::string_view date) { return BusinessZone().day_of(*parse_iso8601(date)); }

TEST(Holidays, AsTheStateCouncilAnnouncedThem) {
  struct Case {
    std::string_view date;
    std::string_view holiday;
    bool workday;
  };
  const Case cases[] = {
      {"2026-02-13", "", true},         // a Friday
      {"2026-02-14", "", true},         // a Saturday that makes up for the Spring Festival
      {"2026-02-15", "春节", false},    // its first day, a Sunday
      {"2026-02-17", "春节", false},    // a Tuesday
      {"2026-02-23", "春节", false},    // its last
      {"2026-02-24", "", true},         //
      {"2026-02-28", "", true},         // made up
      {"2026-03-01", "", false},        // a Sunday
      {"2026-04-06", "清明节", false},  // a Monday
      {"2026-10-01", "国庆节", false},  //
      {"2025-10-06", "中秋节", false},  // within the week of the National Day
      {"2024-01-01", "元旦", false},    //
      {"2023-12-31", "", false},        // a Sunday in front of it, and no more
      {"2015-09-03", "中国人民抗日战争暨世界反法西斯战争胜利70周年纪念日", false},
      {"2004-01-01", "元旦", false},  // the first day of the table
      {"2003-12-31", "", true},
      {"2003-10-01", "", true},  // beyond it, only the days of the week
      {"2026-12-31", "", true},
      {"2027-01-01", "", true},
      {"2027-01-02", "", false},
      {"1900-01-01", "", true},
      {"2199-12-31", "", true},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(holiday_of(day_of(c.date)), c.holiday) << c.date;
    EXPECT_EQ(is_workday(day_of(c.date)), c.workday) << c.date;
  }
}

// Of any year that is known the holidays that every year has, and days that make up lie at weekends.
TEST(Holidays, EveryYearHasThem) {
  for (int year = 2008; year <= 2026; ++year) {
    int spring = 0, national = 0;
    const int32_t first = day_of(std::to_string(year) + "-01-01").value();
    for (int32_t day = first; day < first + 366; ++day) {
      spring += holiday_of(CivilDay(day)) == "春节";
      national += holiday_of(CivilDay(day)) == "国庆节";
      EXPECT_FALSE(!holiday_of(CivilDay(day)).empty() && is_workday(CivilDay(day)));
    }
    EXPECT_GE(spring, 7) << year;
    EXPECT_GE(national, 3) << year;
  }
}

}  // namespace
}  // namespace kehu::calendar
