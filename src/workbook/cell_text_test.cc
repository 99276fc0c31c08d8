#include "workbook/cell_text.h"

#include <gtest/gtest.h>

namespace kehu::workbook {
namespace {

TEST(NumberFormat, KnowsDatesByTheirCodes) {
  struct Case {
    const char* given;
    NumberFormat want;
  };
  const Case cases[] = {
      {"General", NumberFormat::kPlain},
      {"0.00", NumberFormat::kPlain},
      {"#,##0.00_);[Red]\\(#,##0.00\\)", NumberFormat::kPlain},
      {"0.00E+00", NumberFormat::kPlain},
      {"@", NumberFormat::kPlain},
      {"\"days\" 0", NumberFormat::kPlain},
      {"[$¥-804]#,##0.00", NumberFormat::kPlain},
      {"yyyy\\-mm\\-dd", NumberFormat::kDate},
      {"yyyy\"年\"m\"月\"d\"日\"", NumberFormat::kDate},
      {"[$-409]d\\-mmm\\-yy;@", NumberFormat::kDate},
      {"mmm", NumberFormat::kDate},
      {"yyyy/m/d h:mm", NumberFormat::kDate},
      {"h:mm:ss AM/PM", NumberFormat::kTime},
      {"mm:ss.0", NumberFormat::kTime},
      {"[h]:mm:ss", NumberFormat::kElapsed},
      {"", NumberFormat::kPlain},
  };
  for (const Case& c : cases) EXPECT_EQ(format_of(c.given), c.want) << c.given;
  EXPECT_EQ(built_in_format(0), NumberFormat::kPlain);
  EXPECT_EQ(built_in_format(14), NumberFormat::kDate);
  EXPECT_EQ(built_in_format(22), NumberFormat::kDate);
  EXPECT_EQ(built_in_format(31), NumberFormat::kDate);
  EXPECT_EQ(built_in_format(46), NumberFormat::kElapsed);
  EXPECT_EQ(built_in_format(49), NumberFormat::kPlain);
}

TEST(NumberText, KeepsWhatASpreadsheetKeeps) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"1001", "1001"},
      {"13912345678", "13912345678"},
      {"1.3912345678E10", "13912345678"},
      {"99.9", "99.9"},
      {"99.900000000000006", "99.9"},
      {"0.1", "0.1"},
      {"1.0000000000000001E-5", "0.00001"},
      {"-3.2999999999999998E-7", "-0.00000033"},
      {"1.23456789012345E-8", "0.0000000123456789012345"},
      {"1E-12", "1e-12"},
      {"-0", "0"},
      {"-12.5", "-12.5"},
      {"123456789012345", "123456789012345"},
      {"1.23456789012345680E+17", "1.23456789012346e+17"},
      {"no number", "no number"},
      {"", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(number_text(c.given), c.want) << c.given;
}

TEST(DateText, WritesIso) {
  struct Case {
    const char* given;
    NumberFormat format;
    bool from_1904;
    const char* want;
  };
  const Case cases[] = {
      {"46327", NumberFormat::kDate, false, "2026-11-01"},
      {"46327.416666666664", NumberFormat::kDate, false, "2026-11-01 10:00:00"},
      {"46327.999988425923", NumberFormat::kDate, false, "2026-11-01 23:59:59"},
      {"46327.000000005787", NumberFormat::kDate, false, "2026-11-01 00:00:00.001"},
      {"44865", NumberFormat::kDate, true, "2026-11-01"},
      {"0.5", NumberFormat::kTime, false, "12:00:00"},
      {"46327.5", NumberFormat::kTime, false, "2026-11-01 12:00:00"},
      {"1.0625", NumberFormat::kElapsed, false, "25:30:00"},
      {"1", NumberFormat::kDate, false, "1900-01-01"},
      {"61", NumberFormat::kDate, false, "1900-03-01"},
      {"-5", NumberFormat::kDate, false, "-5"},
      {"1e9", NumberFormat::kDate, false, "1000000000"},
      {"text", NumberFormat::kDate, false, "text"},
  };
  for (const Case& c : cases) EXPECT_EQ(date_text(c.given, c.format, c.from_1904), c.want) << c.given;
}

TEST(WithoutEscapes, ReadsControlCharacters) {
  EXPECT_EQ(without_escapes("a_x000D_\nb"), "a\r\nb");
  EXPECT_EQ(without_escapes("_x005F_x000D_"), "_x000D_");
  EXPECT_EQ(without_escapes("_x4E2D_"), "中");
  EXPECT_EQ(without_escapes("_xD800_ _x00_ snake_case"), "_xD800_ _x00_ snake_case");
}

}  // namespace
}  // namespace kehu::workbook
