#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/civil_day.h"
#include "base/text.h"
#include "mapping/mapping.h"

namespace kehu::mapping {
namespace {

constexpr const char* kWhole = R"(
[file]
format = "csv"
delimiter = ";"
null = ["NULL"]

[rows]
identity = ["id", "line"]
keep = { column = "id", empty = false }
skip = [{ column = "qty", at_most = 0 }, { column = "kind", in = ["x", "y"], not = true }]

[identifiers]
user_id = { column = "id", whole = true }

[time]
column = ["date", "clock"]
zone = "Asia/Shanghai"
from = 2020-02-01
until = 2020-03-01T00:00:00+09:00

[event]
name = { column = "kind", values = { a = "Product Viewed" }, otherwise = "Other" }

[properties]
amount = { multiply = ["qty", "price"] }
count = 3
label = ["name", { constant = "none" }]
)";

TEST(MappingText, ReadsEverySection) {
  const auto mapping = Mapping::parse(kWhole, "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->file.delimiter, ';');
  EXPECT_EQ(mapping->identity.kind, RowKey::Kind::kColumns);
  EXPECT_TRUE(mapping->keep[0].negated);
  EXPECT_EQ(mapping->skip.size(), 2u);
  EXPECT_THAT(mapping->columns,
              testing::UnorderedElementsAre("id", "line", "qty", "kind", "date", "clock", "price", "name"));
  ASSERT_EQ(mapping->events.size(), 1u);
  const EventSpec& event = mapping->events[0];
  EXPECT_TRUE(event.identifiers[0].choice[0].whole);
  EXPECT_EQ(event.time.columns.size(), 2u);
  EXPECT_EQ(format_utc(*event.time.from), "2020-01-31T16:00:00.000Z");
  EXPECT_EQ(format_utc(*event.time.until), "2020-02-29T15:00:00.000Z");
  EXPECT_EQ(event.name[0].otherwise, "Other");
  EXPECT_EQ(event.properties[0].choice[0].from, Value::From::kProduct);
  EXPECT_EQ(event.properties[1].choice[0].constant, "3");
  EXPECT_EQ(event.properties[2].choice.size(), 2u);
}

TEST(MappingText, EventsOfARowShareWhatTheyDoNotSay) {
  const auto mapping = Mapping::parse(R"(
[file]
[identifiers]
user_id = "u"
[time]
column = "created"
[properties]
order_id = "id"
total = "sum"
[[event]]
name = "Order Placed"
[[event]]
name = "Order Completed"
time = { column = "paid" }
properties.total = "paid_sum"
)",
                                      "m.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  ASSERT_EQ(mapping->events.size(), 2u);
  const auto column = [&](const Field& field) {
    return mapping->columns[field.choice[0].columns[0].value()];
  };
  EXPECT_EQ(column(mapping->events[0].properties[1]), "sum");
  EXPECT_EQ(column(mapping->events[1].properties[0]), "id");
  EXPECT_EQ(column(mapping->events[1].properties[1]), "paid_sum");
  EXPECT_EQ(mapping->columns[mapping->events[1].time.columns[0].value()], "paid");
}

struct ErrorCase {
  const char* name;
  const char* given;
  const char* want;
};

constexpr const char* kRest = R"(
[identifiers]
user_id = "u"
[time]
column = "t"
[event]
name = "E"
)";

TEST(MappingText, ErrorsSayWhereWhatAndWhatWasMeant) {
  const ErrorCase cases[] = {
      {"not TOML", "[file]\nformat = csv\n", "m.toml:2:10: "},
      {"nothing", "", "m.toml:1:1: there is no section [file]"},
      {"unknown section", "[file]\n[identifier]\n",
       "m.toml:2:2: unknown key \"identifier\"; did you mean \"identifiers\"?"},
      {"unknown key", "[file]\ndelimeter = \";\"\n",
       "m.toml:2:1: [file] unknown key \"delimeter\"; did you mean \"delimiter\"?"},
      {"unknown format", "[file]\nformat = \"cvs\"\n",
       "m.toml:2:10: [file] format: \"csv\", \"ndjson\", \"log\", \"parquet\" and \"xlsx\" are known; did "
       "you mean "
       "\"csv\"?"},
      {"wrong type", "[file]\ntrim = \"yes\"\n", "m.toml:2:8: [file] trim: true or false is expected"},
      {"long delimiter", "[file]\ndelimiter = \"::\"\n",
       "m.toml:2:13: [file] delimiter: one ASCII character is expected"},
      {"no columns", "[file]\nheader = false\n", "[file] a file without a header needs its \"columns\""},
      {"no pattern", "[file]\nformat = \"log\"\n", "log lines need a \"pattern\""},
      {"bad pattern", "[file]\nformat = \"log\"\npattern = '(?P<a'\n",
       "m.toml:3:11: [file] the regular expression is not valid: "},
      {"no event", "[file]\n", "there is no section [event]"},
      {"no name", "[file]\n[event]\n", "[event] a track event needs a \"name\""},
      {"no time", "[file]\n[identifiers]\nuser_id = \"u\"\n[event]\nname = \"E\"\n",
       "[event] there is no [time]"},
      {"no identifiers", "[file]\n[time]\ncolumn = \"t\"\n[event]\nname = \"E\"\n",
       "[event] there are no [identifiers]"},
      {"bad zone",
       "[file]\n[identifiers]\nuser_id = \"u\"\n[event]\nname = \"E\"\n[time]\ncolumn = \"t\"\nzone = "
       "\"Asia/Shanghia\"\n",
       "m.toml:8:8: [time] zone: \"Asia/Shanghia\" is not a time zone"},
      {"bad format",
       "[file]\n[identifiers]\nuser_id = \"u\"\n[event]\nname = \"E\"\n[time]\ncolumn = \"t\"\nformat = "
       "\"YYYY\"\n",
       "m.toml:8:10: [time] format: \"YYYY\" is not a time format"},
      {"bad type", "[file]\n[event]\ntype = \"trak\"\n", "m.toml:3:8: [event] type: "},
      {"unknown column",
       "[file]\ncolumns = [\"user\", \"time\"]\n[identifiers]\nuser_id = \"usr\"\n[event]\nname = \"E\"\n",
       "m.toml:4:11: no column \"usr\"; the mapping knows \"user\" and \"time\"; did you mean \"user\"?"},
      {"two origins", "[file]\n[properties]\nx = { column = \"a\", constant = 1 }\n[event]\nname = \"E\"\n",
       "m.toml:3:5: [properties] a value needs exactly one of"},
      {"two tests", "[file]\n[rows]\nkeep = { column = \"a\", above = 1, below = 2 }\n",
       "m.toml:3:8: [rows] a condition needs exactly one test"},
      {"no column", "[file]\n[rows]\nkeep = { above = 1 }\n", "[rows] a condition needs a \"column\""},
      {"value type", "[file]\n[properties]\nx = { column = \"a\", type = \"int\" }\n[event]\nname = \"E\"\n",
       "m.toml:3:28: [properties] type: "},
      {"identity", "[file]\n[rows]\nidentity = \"row\"\n", "m.toml:3:12: [rows] identity: "},
  };
  for (const auto& c : cases) {
    const auto mapping = Mapping::parse(c.given, "m.toml");
    ASSERT_FALSE(mapping.ok()) << c.name;
    EXPECT_THAT(message_of(mapping.status()), testing::HasSubstr(c.want)) << c.name;
  }
  EXPECT_TRUE(Mapping::parse(std::string("[file]\n") + kRest, "m.toml").ok());
}

TEST(MappingText, ATextThatIsAlsoAColumnIsAWarning) {
  const auto warnings = [](const std::string& event) {
    const auto mapping = Mapping::parse(
        cat("[file]\n[identifiers]\nuser_id = \"u\"\n[time]\ncolumn = \"t\"\n[event]\n", event), "m.toml");
    EXPECT_TRUE(mapping.ok()) << mapping.status();
    return mapping->warnings({"u", "t", "type", "shop", "page"});
  };
  EXPECT_THAT(warnings("name = \"type\"\n"),
              testing::ElementsAre(testing::AllOf(testing::StartsWith("m.toml:7: name = \"type\""),
                                                  testing::HasSubstr("name = { column = \"type\" }"))));
  EXPECT_EQ(warnings("name = \"E\"\nchannel = \"shop\"\n").size(), 1u);
  EXPECT_EQ(warnings("type = \"page\"\n").size(), 1u);
  EXPECT_EQ(
      warnings("name = [{ column = \"u\", when = { column = \"t\", empty = false } }, \"type\"]\n").size(),
      1u);
  EXPECT_THAT(warnings("name = \"Type\"\n"), testing::IsEmpty());
  EXPECT_THAT(warnings("name = { constant = \"type\" }\n"), testing::IsEmpty());
  EXPECT_THAT(warnings("name = { column = \"type\" }\n"), testing::IsEmpty());
}

TEST(MappingText, AMissingFileIsNamed) {
  const auto mapping = Mapping::load("/nowhere/m.toml");
  EXPECT_EQ(mapping.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(message_of(mapping.status()), testing::HasSubstr("/nowhere/m.toml"));
}

}  // namespace
}  // namespace kehu::mapping
