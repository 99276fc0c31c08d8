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
      {"unix", "UTC", "1511544070000", nullptr},  // milliseconds: the year 49867
      {"unix", "UTC", "12 o'clock", nullptr},
      {"unix_ms", "UTC", "1511544070123", "2017-11-24T17:21:10.123Z"},
      {"unix_us", "UTC", "1511544070123456", "2017-11-24T17:21:10.123456Z"},
      {"%d/%b/%Y:%H:%M:%S", "America/Los_Angeles", "10/Feb/2018:18:22:16", "2018-02-11T02:22:16.000Z"},
      {"%d/%b/%Y:%H:%M:%S %z", "UTC", "10/Feb/2018:18:22:16 +0800", "2018-02-10T10:22:16.000Z"},
      {"%Y年%m月%d日", "Asia/Shanghai", "2020年02月21日", "2020-02-20T16:00:00.000Z"},
      {"%m/%d/%Y %H:%M", "UTC", "12/1/2010 8:26", "2010-12-01T08:26:00.000Z"},
      {"%Y-%m-%d", "UTC", "2020-02-30", nullptr},
      {"%Y%m%d", "UTC", "20260102", "2026-01-02T00:00:00.000Z"},
      {"%Y%m%d", "UTC", "2026010", nullptr},
      {"%Y%m%d%H%M%S", "UTC", "20260102030405", "2026-01-02T03:04:05.000Z"},
      {"%Y%m%d%H%M", "Asia/Shanghai", "202601020304", "2026-01-01T19:04:00.000Z"},
      {"%Y%m", "UTC", "202601", "2026-01-01T00:00:00.000Z"},
      {"%d%m%Y", "UTC", "02012026", "2026-01-02T00:00:00.000Z"},
      {"%F %T", "UTC", "2026-01-02 03:04:05", "2026-01-02T03:04:05.000Z"},
      {"%Y-%m-%d %H:%M:%S.%f", "UTC", "2026-01-02 03:04:05.25", "2026-01-02T03:04:05.250Z"},
      {"%m/%d/%Y %I:%M:%S %p", "UTC", "1/2/2026 3:04:05 PM", "2026-01-02T15:04:05.000Z"},
      {"iso", "UTC", "20260102", "2026-01-02T00:00:00.000Z"},
      {"iso", "Asia/Shanghai", "2026/01/02", "2026-01-01T16:00:00.000Z"},
      {"iso", "UTC", "2026/1/2 8:05", "2026-01-02T08:05:00.000Z"},
      {"iso", "UTC", "2026-1-2", "2026-01-02T00:00:00.000Z"},
      {"iso", "UTC", "2026.01.02 10:30:15", "2026-01-02T10:30:15.000Z"},
      {"iso", "UTC", "2026年1月2日", "2026-01-02T00:00:00.000Z"},
      {"iso", "UTC", "2026年01月02日 10时30分15秒", "2026-01-02T10:30:15.000Z"},
      {"iso", "UTC", "2026年1月2日10:30", "2026-01-02T10:30:00.000Z"},
      {"iso", "UTC", "2026年1月2日 下午3:04", "2026-01-02T15:04:00.000Z"},
      {"iso", "UTC", "2026年1月2日 上午12点", "2026-01-02T00:00:00.000Z"},
      {"iso", "UTC", "2026-01-02 3:04:05 PM", "2026-01-02T15:04:05.000Z"},
      {"iso", "UTC", "2026-01-02 12:04 AM", "2026-01-02T00:04:00.000Z"},
      {"iso", "UTC", "2026-01-02 12:04 pm", "2026-01-02T12:04:00.000Z"},
      {"iso", "UTC", "２０２６－０１－０２　１０：３０", "2026-01-02T10:30:00.000Z"},
      {"iso", "UTC", "20260102103015", "2026-01-02T10:30:15.000Z"},
      {"iso", "UTC", "202601021030", "2026-01-02T10:30:00.000Z"},
      {"iso", "Asia/Shanghai", "20260102T103015Z", "2026-01-02T10:30:15.000Z"},
      {"iso", "UTC", "20260102T103015.5+0800", "2026-01-02T02:30:15.500Z"},
      {"iso", "UTC", "2026-01-02 10:30:15,123456789", "2026-01-02T10:30:15.123456Z"},
      {"iso", "Asia/Shanghai", "2026-01-02 10:30:15+00", "2026-01-02T10:30:15.000Z"},
      {"iso", "Asia/Shanghai", "2026-01-02 10:30:15 UTC", "2026-01-02T10:30:15.000Z"},
      {"iso", "UTC", "2026-01-02 10:30 GMT+8", "2026-01-02T02:30:00.000Z"},
      {"iso", "UTC", "2026-01-02T10:30:15-05:30", "2026-01-02T16:00:15.000Z"},
      {"iso", "UTC", "2026-01-02 24:00:00", "2026-01-03T00:00:00.000Z"},
      {"iso", "UTC", "2024-02-29", "2024-02-29T00:00:00.000Z"},
      {"iso", "UTC", "2026-02-29", nullptr},
      {"iso", "UTC", "20261301", nullptr},
      {"iso", "UTC", "01/02/2026", nullptr},
      {"iso", "UTC", "2026-01-02 25:00", nullptr},
      {"iso", "UTC", "2026-01-02 13:04 AM", nullptr},
      {"iso", "UTC", "2026-01-02 10:30:15 +8 hours", nullptr},
      {"iso", "UTC", "2026-01/02", nullptr},
      {"iso", "UTC", "2026", nullptr},
      {"iso", "UTC", "1511544070", nullptr},
      {"unix", "UTC", "20261101", nullptr},  // a date, not 1970-08-23
      {"unix", "UTC", "20261101.0", nullptr},
      {"unix", "UTC", "0", nullptr},
      {"unix", "UTC", "-1", nullptr},
      {"unix", "UTC", "100000000", "1973-03-03T09:46:40.000Z"},
      {"unix_ms", "UTC", "202611011030", nullptr},
      {"unix_ms", "UTC", "1511544070", nullptr},  // seconds
      {"unix_us", "UTC", "20261101103000", nullptr},
      {"excel", "UTC", "46023", "2026-01-01T00:00:00.000Z"},
      {"excel", "Asia/Shanghai", "46023.5", "2026-01-01T04:00:00.000Z"},
      {"excel", "UTC", "46023.43402777778", "2026-01-01T10:25:00.000Z"},
      {"excel", "UTC", "61", "1900-03-01T00:00:00.000Z"},
      {"excel", "UTC", "59", "1900-02-28T00:00:00.000Z"},
      {"excel", "UTC", "60", nullptr},
      {"excel", "UTC", "20260102", nullptr},
      {"excel_1904", "UTC", "44561", "2026-01-01T00:00:00.000Z"},
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

TEST(TimeFormat, FindsTheDateInAFilesName) {
  const TimeCase cases[] = {
      {"%Y%m%d", "UTC", "orders-20261101.csv", "2026-11-01T00:00:00.000Z"},
      {"%Y%m%d", "Asia/Shanghai", "20261101_orders.csv.gz", "2026-10-31T16:00:00.000Z"},
      {"%Y-%m-%d", "UTC", "kunden 2026-11-01 (2).csv", "2026-11-01T00:00:00.000Z"},
      {"%Y%m%d_%H%M", "UTC", "x_20261101_0930.csv", "2026-11-01T09:30:00.000Z"},
      {"%Y年%m月%d日", "UTC", "客户2026年11月1日.csv", "2026-11-01T00:00:00.000Z"},
      {"%Y%m%d", "UTC", "orders-202611011030.csv", nullptr},
      {"%Y%m%d", "UTC", "orders.csv", nullptr},
      {"%Y%m%d", "UTC", "orders-20261399.csv", nullptr},
  };
  for (const auto& c : cases) {
    const auto format = TimeFormat::make({c.format, c.zone});
    ASSERT_TRUE(format.ok()) << format.status();
    const auto got = format->find_in(c.given);
    EXPECT_EQ(got ? format_utc(*got) : "none", c.want == nullptr ? "none" : c.want) << c.given;
  }
}

TEST(TimeFormat, RefusesWhatItCannotMean) {
  EXPECT_FALSE(TimeFormat::make({"iso", "Mars/Olympus"}).ok());
  EXPECT_FALSE(TimeFormat::make({"YYYY-MM-DD", "UTC"}).ok());
  for (const char* pattern : {"%Y%j", "%G-W%V-%u", "%Y %U", "%y%m%C"})
    EXPECT_FALSE(TimeFormat::make({pattern, "UTC"}).ok()) << pattern;
}

}  // namespace
}  // namespace kehu::mapping
