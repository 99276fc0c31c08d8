#include "model/personal_values.h"

#include <gtest/gtest.h>

#include <string>

namespace kehu {
namespace {

using enum PersonalKind;

TEST(PersonalValues, Whole) {
  struct Case {
    const char* given;
    PersonalKind want;
  };
  const Case cases[] = {
      {"13912345678", kPhone},
      {"19912345678", kPhone},
      {"+8613912345678", kPhone},
      {"+86 139-1234-5678", kPhone},
      {"0086 139 1234 5678", kPhone},
      {"8613912345678", kPhone},
      {"(+86)13912345678", kPhone},
      {"139 1234 5678", kPhone},
      {"139.1234.5678", kPhone},
      {"1391234 5678", kPhone},
      {" 13912345678\n", kPhone},
      {"１３９１２３４５６７８", kPhone},
      {"139\u00a01234\u00a05678", kPhone},
      {"\ufeff13912345678", kPhone},
      {"139－1234－5678", kPhone},
      {"13912345678.0", kPhone},
      {"13912345678.00", kPhone},
      {"1.3912345678E10", kPhone},
      {"1.3912345678e+10", kPhone},
      {"bob@example.com", kEmail},
      {"Bob.O'Neil+x@Example.co.uk", kEmail},
      {"张三@例子.中国", kEmail},
      {"bob＠example.com", kEmail},
      {"ｂｏｂ@ｅｘａｍｐｌｅ.com", kEmail},
      {" bob@example.com ", kEmail},
      {"mailto:bob@example.com", kEmail},
      {"<bob@example.com>", kEmail},
      {"a@b.cn", kEmail},
      {"11010519491231002X", kIdCard},
      {"11010519491231002x", kIdCard},
      {"110105 19491231 002X", kIdCard},
      {"１１０１０５１９４９１２３１００２Ｘ", kIdCard},
      {"110105194912310021", kNone},  // the check digit
      {"110105194913310020", kNone},  // the month
      {"12912345678", kNone},
      {"1391234567", kNone},
      {"139123456789", kNone},
      {"010-62345678", kNone},
      {"183.128.145.22", kNone},
      {"139.123.145.78", kNone},
      {"1995-11-22-001", kNone},
      {"2026-11-22T10:00:00Z", kNone},
      {"1795308540000", kNone},
      {"20261122123456789", kNone},
      {"13912345678.5", kNone},
      {"5f3b2c1d-8e4a-4b6f-9c7d-012345678910", kNone},
      {"@handle", kNone},
      {"react@18.2.0", kNone},
      {"@segment/analytics-node@3.1.0", kNone},
      {"icon@2x.png", kNone},
      {"root@10.0.0.1", kNone},
      {"git@github.com:foo/bar.git", kNone},
      {"https://abc@o1.ingest.sentry.io/1", kNone},
      {"a@b", kNone},
      {"ring 13912345678", kNone},
      {"", kNone},
      {"@", kNone},
  };
  for (const Case& c : cases) EXPECT_EQ(personal_kind(c.given), c.want) << c.given;
}

TEST(PersonalValues, LeaveNames) {
  struct Case {
    const char* given;
    const char* want;  // a ~ stands for a hexadecimal digit
  };
  const Case cases[] = {
      {"王五13812345678.csv", "王五phone-~~~~.csv"},
      {"orders_13812345678_2026.csv", "orders_phone-~~~~_2026.csv"},
      {"138-1234-5678 and bob@example.com.xlsx", "phone-~~~~ and email-~~~~"},
      {"bob_li@example.com-11010519491231002X.csv", "email-~~~~"},
      {"王五１３８１２３４５６７８.csv", "王五phone-~~~~.csv"},
      {"orders-2026-11-22.csv", "orders-2026-11-22.csv"},
      {"20261122123456.csv", "20261122123456.csv"},
      {"＠", "@"},
      {"订单__.csv", "订单__.csv"},
      {"", ""},
  };
  for (const Case& c : cases) {
    std::string got = without_personal_values(c.given);
    const std::string_view want = c.want;
    ASSERT_EQ(got.size(), want.size()) << c.given << ": " << got;
    for (size_t i = 0; i < want.size(); ++i) {
      if (want[i] != '~') continue;
      EXPECT_NE(std::string_view("0123456789abcdef").find(got[i]), std::string_view::npos) << got;
      got[i] = '~';
    }
    EXPECT_EQ(got, want) << c.given;
    EXPECT_EQ(personal_kind_inside(without_personal_values(c.given)), PersonalKind::kNone) << c.given;
  }
  EXPECT_EQ(without_personal_values("13812345678"), without_personal_values("13812345678"));
  EXPECT_NE(without_personal_values("13812345678"), without_personal_values("13812345679"));
}

TEST(PersonalValues, InsideTexts) {
  struct Case {
    const char* given;
    PersonalKind want;
  };
  const Case cases[] = {
      {"ring 13912345678 please", kPhone},
      {"请致电13912345678，谢谢", kPhone},
      {"139-1234-5678 or later", kPhone},
      {"write to bob@example.com.", kEmail},
      {"Bob <bob@example.com>", kEmail},
      {"/reset?email=bob%40example.com&x=1", kEmail},
      {"证件：11010519491231002X。", kIdCard},
      {"电话：１３９１２３４５６７８", kPhone},
      {"order 20261122139123456780001", kNone},
      {"a13912345678b", kNone},
      {"v_13912345678", kNone},
      {"see icon@2x.png and react@18.2.0", kNone},
      {"at @ noon", kNone},
      {"183.128.145.22 - - [22/Nov/2026]", kNone},
      {"no digits here", kNone},
      {"", kNone},
  };
  for (const Case& c : cases) EXPECT_EQ(personal_kind_inside(c.given), c.want) << c.given;
}

TEST(PersonalValues, OnlyBareDigitsCouldBeAnything) {
  EXPECT_TRUE(is_bare_number("13912345678"));
  EXPECT_TRUE(is_bare_number("8613912345678"));
  EXPECT_FALSE(is_bare_number("+8613912345678"));
  EXPECT_FALSE(is_bare_number("139 1234 5678"));
  EXPECT_FALSE(is_bare_number("110105194912310029"));
}

}  // namespace
}  // namespace kehu
