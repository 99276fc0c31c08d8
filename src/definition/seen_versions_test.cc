#include "definition/seen_versions.h"

#include <gtest/gtest.h>

namespace kehu::definition {
namespace {

TEST(SeenVersions, AreReadAsTheyAreWritten) {
  const SeenVersions seen{.installation = "0123456789abcdef",
                          .by_file = {{"settings", 1}, {"sources/商城 \"a\"", 12}}};
  const std::string text = to_text(seen);
  EXPECT_EQ(text, R"({
  "installation": "0123456789abcdef",
  "versions": {
    "settings": 1,
    "sources/商城 \"a\"": 12
  }
}
)");
  const auto read = parse_seen_versions(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->installation, seen.installation);
  EXPECT_EQ(read->by_file, seen.by_file);
  EXPECT_TRUE(parse_seen_versions(to_text({.installation = "f", .by_file = {}}))->by_file.empty());
}

TEST(SeenVersions, WhatIsWrongIsNamed) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"a conflict of git", "<<<<<<< HEAD", ""},
      {"a list", "[]", "the versions: expected an object"},
      {"another member", R"({"version": {}})", "the versions at /version: expected one of the fields"},
      {"a text", R"({"versions": {"settings": "1"}})", "at /versions/settings: expected an integer"},
      {"a negative one", R"({"versions": {"settings": -1}})", "at /versions/settings: expected an integer"},
  };
  for (const Case& c : cases) {
    const auto read = parse_seen_versions(c.given);
    ASSERT_FALSE(read.ok()) << c.name;
    EXPECT_NE(read.status().message().find(c.want), std::string::npos) << c.name << ": " << read.status();
  }
}

}  // namespace
}  // namespace kehu::definition
