#include "proposal/facts.h"

#include <gtest/gtest.h>

namespace kehu::proposal {
namespace {

TEST(RoleOfName, ReadsEnglishAndChinese) {
  struct Case {
    const char* given;
    Role want;
  };
  const Case cases[] = {
      {"CustomerID", Role::kUser},        {"customer_id", Role::kUser},
      {"Customer ID", Role::kUser},       {"用户ID", Role::kUser},
      {"会员卡号", Role::kMember},        {"手机号", Role::kPhone},
      {"收件人手机", Role::kPhone},       {"E-Mail", Role::kEmail},
      {"订单编号", Role::kOrder},         {"InvoiceNo", Role::kOrder},
      {"总金额", Role::kAmount},          {"退款金额", Role::kAmount},
      {"UnitPrice", Role::kPrice},        {"数量", Role::kQuantity},
      {"InvoiceDate", Role::kTime},       {"订单付款时间 ", Role::kTime},
      {"date_of_birth", Role::kBirthday}, {"behavior_type", Role::kEvent},
      {"comment", Role::kNone},           {"", Role::kNone},
      {"id", Role::kRowNumber},
  };
  for (const Case& c : cases) EXPECT_EQ(role_of_name(c.given), c.want) << c.given;
}

TEST(TimeWriting, IsFoundInTheValues) {
  struct Case {
    std::vector<std::string> given;
    bool named_so;
    const char* want;
  };
  const Case cases[] = {
      {{"2026-11-01", "2026-11-02"}, false, "iso"},
      {{"2026-11-01T10:00:00Z"}, false, "iso"},
      {{"12/1/2010 8:26", "12/31/2010 17:01"}, false, "%m/%d/%Y %H:%M"},
      {{"1/12/2010 8:26", "31/12/2010 17:01"}, false, "%d/%m/%Y %H:%M"},
      {{"2026/1/2", "2026/11/12"}, false, "iso"},
      {{"1511544070"}, true, "unix"},
      {{"1511544070000"}, true, "unix_ms"},
      {{"1511544070"}, false, ""},
      {{"45992.5", "45993"}, true, "excel"},
      {{"45992.5"}, false, ""},
      {{"1.5", "2"}, true, ""},
      {{"22/Nov/2026:10:00:00 +0800"}, false, "%d/%b/%Y:%H:%M:%S %z"},
      {{"one", "two"}, true, ""},
      {{""}, true, ""},
  };
  for (const Case& c : cases) {
    const auto found = time_writing_of({.name = "t", .values = c.given}, c.named_so);
    EXPECT_EQ(found ? found->format : "", c.want) << c.given.front();
  }
  EXPECT_TRUE(time_writing_of({.name = "t", .values = {"01/02/2026"}}, true)->ambiguous);
}

TEST(ShapeOf, FindsDelimiterAndHeader) {
  struct Case {
    const char* name;
    const char* given;
    char delimiter;
    std::vector<std::string> names;
    bool names_given;
  };
  const Case cases[] = {
      {"commas", "id,when\n1,2026-11-01\n2,2026-11-02\n", ',', {"id", "when"}, false},
      {"semicolons beside commas in texts", "id;text\n1;a, b\n2;c, d\n", ';', {"id", "text"}, false},
      {"tabs", "id\twhen\n1\tx\n", '\t', {"id", "when"}, false},
      {"quoted delimiters", "\"id\",\"a;b;c\"\n\"1\",\"x;y;z\"\n", ',', {"id", "a;b;c"}, false},
      {"quoted delimiters below", "id,text\n1,\"a;b;c\"\n2,\"d;e;f\"\n", ',', {"id", "text"}, false},
      {"quoted commas", "id;text\n\"1\";\"a,b,c\"\n\"2\";\"d,e,f\"\n", ';', {"id", "text"}, false},
      {"no header", "1,10.5,x\n2,11,y\n", ',', {"column1", "column2", "column3"}, true},
      {"a name twice", "id,price,price\n1,2,3\n", ',', {"id", "price", "price_2"}, true},
      {"words above words", "city,colour\nparis,red\nrome,blue\n", ',', {"city", "colour"}, false},
      {"words that come again", "red,blue\nblue,red\nred,red\n", ',', {"column1", "column2"}, true},
      {"blanks behind delimiters", "id, name\n1, a\n2, b\n", ',', {"id", "name"}, false},
      {"one column", "user_id\nu1\nu2\n", ',', {"user_id"}, false},
  };
  for (const Case& c : cases) {
    const TableShape shape = shape_of(c.given);
    EXPECT_EQ(shape.delimiter, c.delimiter) << c.name;
    EXPECT_EQ(shape.names, c.names) << c.name;
    EXPECT_EQ(shape.names_given, c.names_given) << c.name;
  }
}

}  // namespace
}  // namespace kehu::proposal
