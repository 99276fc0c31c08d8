#include "mapping/time_format.h"

#include <gtest/gtest.h>

#include "base/civil_day.h"

namespace kehu::mapping {
namespace {

struct TimeCase {
  const char* format;
  const char* zone;
  const char* given;
  const char* want;  // UTC; nullptr: no such time
};

TEST(TimeFormat, ReadsWhatFilesWrite) {
  const TimeCase cases[] = {
      {"iso", "UTC", "2026-11-22 10:00:00", "2026-11-22T10:00:00.000Z"},
      {"iso", "Asia/Shanghai", "2026-11-22 10:00:00", "2026-11-22T02:00:00.000Z"},
      {"iso", "Asia/Shanghai", "2026-11-22T10:00:00.25Z", "2026-11-22T10:00:00.250Z"},
      {"iso", "Asia/Shanghai", "2026-11-22T10:00:00+09:00", "2026-11-22T01:00:00.000Z"},
      {"iso", "Asia/Shanghai", "2026-11-22", "2026-11-21T16:00:00.000Z"},
      {"iso", "Asia/Shanghai", " 2026-11-22 10:00 ", "2026-11-22T02:00:00.000Z"},
      {"iso", "Europe/London", "2011-07-01 10:00:00.5", "2011-07-01T09:00:00.500Z"},
      {"iso", "Europe/London", "2011-01-01 10:00:00", "2011-01-01T10:00:00.000Z"},
      {"iso", "Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29T01:30:00.000Z"},  // does not exist
      {"iso", "Europe/Berlin", "2026-10-25 02:30:00", "2026-10-25T00:30:00.000Z"},  // exists twice
      {"iso", "Asia/Shanghai", "1988-07-01 00:00:00", "1988-06-30T15:00:00.000Z"},  // China had summer time
      {"iso", "UTC", "2026-13-01", nullptr},
      {"iso", "UTC", "yesterday", nullptr},
      {"iso", "UTC", "", nullptr},
      {"unix", "UTC", "1511544070", "2017-11-24T17:21:10.000Z"},
      {"unix", "UTC", "1511544070.25", "2017-11-24T17:21:10.250Z"},
      {"unix", "UTC", "-1", "1969-12-31T23:59:59.000Z"},
      {"unix", "UTC", "1511544070000", nullptr},  // milliseconds: the year 49867
      {"unix", "UTC", "12 o'clock", nullptr},
      {"unix_ms", "UTC", "1511544070123", "2017-11-24T17:21:10.123Z"},
      {"unix_us", "UTC", "1511544070123456", "2017-11-24T17:21:10.123456Z"},
      {"%d/%b/%Y:%H:%M:%S", "America/Los_Angeles", "10/Feb/2018:18:22:16", "2018-02-11T02:22:16.000Z"},
      {"%d/%b/%Y:%H:%M:%S %z", "UTC", "10/Feb/2018:18:22:16 +0800", "2018-02-10T10:22:16.000Z"},
      {"%Y年%m月%d日", "Asia/Shanghai", "2020年02月21日", "2020-02-20T16:00:00.000Z"},
      {"%m/%d/%Y %H:%M", "UTC", "12/1/2010 8:26", "2010-12-01T08:26:00.000Z"},
      {"%Y-%m-%d", "UTC", "2020-02-30", nullptr},
      {"%Y-%m-%d", "UTC", "infinite-future", nullptr},
      {"%Y-%m-%d", "UTC", "1600-01-01", nullptr},
  };
  for (const auto& c : cases) {
    const auto format = TimeFormat::make({c.format, c.zone});
    ASSERT_TRUE(format.ok()) << format.status();
    const auto got = format->parse(c.given);
    ASSERT_EQ(got.has_value(), c.want != nullptr) << c.format << " " << c.given;
    if (got) {
      EXPECT_EQ(format_utc(*got), c.want) << c.format << " " << c.given;
    }
  }
}

TEST(TimeFormat, RefusesWhatItCannotMean) {
  EXPECT_FALSE(TimeFormat::make({"iso", "Mars/Olympus"}).ok());
  EXPECT_FALSE(TimeFormat::make({"YYYY-MM-DD", "UTC"}).ok());
}

}  // namespace
}  // namespace kehu::mapping
