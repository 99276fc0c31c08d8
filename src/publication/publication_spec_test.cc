#include "publication/publication_spec.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::publication {
namespace {

TEST(PublicationSpec, SaysWhatGoesWhere) {
  const auto spec = parse_publication(R"(
[kafka]
brokers = "a:1,b:2"
events = "shop-events"
changes = "shop-customers"
start = "now"
[kafka.properties]
"compression.type" = "zstd"
)",
                                      "/etc/kehu/shop.toml");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->name, "shop");
  EXPECT_EQ(spec->brokers, "a:1,b:2");
  EXPECT_EQ(spec->events, "shop-events");
  EXPECT_EQ(spec->changes, "shop-customers");
  EXPECT_EQ(spec->start, PublicationSpec::Start::kNow);
  EXPECT_EQ(spec->properties, (feed::KafkaProperties{{"compression.type", "zstd"}}));
  const auto least = parse_publication("[kafka]\nbrokers = \"a:1\"\nevents = \"e\"\n", "least.toml");
  ASSERT_TRUE(least.ok()) << least.status();
  EXPECT_EQ(least->changes, "");
  EXPECT_EQ(least->start, PublicationSpec::Start::kBeginning);
}

TEST(PublicationSpec, WhatItLacksIsNamed) {
  struct Case {
    const char* toml;
    const char* complaint;
  };
  const Case cases[] = {
      {"", "there is no section [kafka]"},
      {"[kafka\n", "shop.toml:1:"},
      {"[kafka]\nevents = \"a\"\n", "\"brokers\" are missing"},
      {"[kafka]\nbrokers = \"a:1\"\n", "a topic is missing"},
      {"[kafka]\nbrokers = \"a:1\"\nevents = \"a\"\nchanges = \"a\"\n", "a topic each"},
      {"[kafka]\nbrokers = \"a:1\"\nevent = \"a\"\n", "events"},
      {"[kafka]\nbrokers = \"a:1\"\nevents = \"a\"\nstart = \"end\"\n", "\"beginning\" or \"now\""},
      {"[kafka]\nbrokers = \"a:1\"\nevents = [\"a\"]\n", "a text in quotes"},
      {"[mqtt]\nhost = \"a\"\n", "unknown key \"mqtt\""},
  };
  for (const Case& c : cases) {
    const auto spec = parse_publication(c.toml, "shop.toml");
    ASSERT_EQ(spec.status().code(), absl::StatusCode::kInvalidArgument) << c.toml;
    EXPECT_NE(message_of(spec.status()).find(c.complaint), std::string::npos) << spec.status();
  }
}

}  // namespace
}  // namespace kehu::publication
