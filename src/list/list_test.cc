#include "list/list.h"

#include <gtest/gtest.h>

#include "base/civil_day.h"

namespace kehu::list {
namespace {

Instant at(std::string_view text) { return *parse_iso8601(text); }

TEST(ListTest, NamesAreNamesOfTraitsToo) {
  for (const std::string_view name : {"VIP", "双11 黑名单", "手机号", "a-b_c", "x"}) {
    EXPECT_TRUE(is_list_name(name)) << name;
  }
  for (const std::string_view name :
       {"", "a.b", "a[]", "a/b", " a", "a ", "a  b", "_", "a`", "\xff", "a\n"}) {
    EXPECT_FALSE(is_list_name(name)) << name;
  }
  EXPECT_FALSE(is_list_name(std::string(65, 'a')));
}

TEST(ListTest, UploadsTakeTurns) {
  Uploads uploads;
  const Instant noon = at("2026-01-31T12:00:00Z");
  uploads.begun = next_upload(uploads, noon);
  EXPECT_EQ(uploads.begun->number, 1u);
  EXPECT_EQ(trait_of("VIP", *uploads.begun), "list:VIP/1");
  EXPECT_EQ(standing_of("VIP", uploads), std::nullopt) << "it is only begun";

  uploads.begun->nonce = "aa";
  uploads.begun->rows = 10;
  uploads.in_force = uploads.begun;
  EXPECT_EQ(standing_of("VIP", uploads), (Standing{.trait = "list:VIP/1", .nonce = "aa", .since = noon}));
  // Two that are begun and never finished write where nobody reads.
  for (const uint64_t number : {2u, 3u}) {
    uploads.begun = next_upload(uploads, noon);
    EXPECT_EQ(uploads.begun->number, number);
    EXPECT_EQ(trait_of("VIP", *uploads.begun), "list:VIP/2");
  }
  uploads.in_force = uploads.begun;
  EXPECT_EQ(trait_of("VIP", next_upload(uploads, noon)), "list:VIP/1");
}

TEST(ListTest, AnUploadBeginsBehindTheRowsOfTheOneBefore) {
  const Uploads uploads{.begun = Upload{.number = 1, .at = at("2026-01-31T12:00:00Z"), .rows = 5}};
  EXPECT_EQ(next_upload(uploads, at("2026-01-31T11:00:00Z")).at, at("2026-01-31T12:00:00Z") + Duration(6));
  EXPECT_EQ(next_upload(uploads, at("2026-01-31T13:00:00Z")).at, at("2026-01-31T13:00:00Z"));
}

TEST(ListTest, TraitsHaveBothMembers) {
  const Upload upload{.nonce = "aa"};
  EXPECT_EQ(trait_json(upload, "金\""), R"({"upload":"aa","text":"金\""})");
  EXPECT_EQ(trait_json(upload, std::nullopt), R"({"upload":"aa","text":null})");
}

TEST(ListTest, DefinitionsAreReadAsTheyAreWritten) {
  const Upload upload{.number = 3,
                      .nonce = "00ff",
                      .slot = 2,
                      .at = at("2026-01-31T12:00:00.123456Z"),
                      .source = "crm",
                      .file = "vip.csv",
                      .finished = at("2026-01-31T12:00:01Z"),
                      .rows = 10,
                      .customers = 6,
                      .repeats = 1,
                      .unknown = 2,
                      .unreadable = 1};
  const Uploads uploads{.begun = upload, .in_force = upload};
  const auto read = parse_uploads(to_json(uploads));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(to_json(*read), to_json(uploads));
  EXPECT_EQ(read->in_force->at, upload.at) << "rows of one upload have the same moments after a restart";
  EXPECT_EQ(read->in_force->customers, 6u);
  EXPECT_TRUE(parse_uploads("{}").ok());
  EXPECT_FALSE(parse_uploads(R"({"begun":{"number":0,"nonce":"a","slot":1,"at":"2026-01-31"}})").ok());
  EXPECT_FALSE(parse_uploads(R"({"begun":{"number":1,"nonce":"'","slot":1,"at":"2026-01-31"}})").ok());
  EXPECT_FALSE(parse_uploads(R"({"in_force":{"number":1,"nonce":"a","slot":3,"at":"2026-01-31"}})").ok());

  const auto list = parse_list(R"({"owner":"li","description":"最好的"})");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(to_json(*list), R"({"owner":"li","description":"最好的"})");
  EXPECT_FALSE(parse_list(R"({"owner":"li","members":"all"})").ok());
  EXPECT_FALSE(parse_list(R"({"owner":3})").ok());
}

}  // namespace
}  // namespace kehu::list
