#include "definition/project.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "codec/settings_json.h"

namespace kehu::definition {
namespace {

using ::testing::Test;

std::string source_body(std::string_view name, uint32_t id = 0, std::string_view channel = "web") {
  Source source;
  source.id = SourceId(id);
  source.name = name;
  source.channel = read_channel(channel);
  return to_json(source);
}

class ProjectTest : public Test {
 protected:
  // Record after record; an error leaves the project as it is.
  absl::Status apply(std::initializer_list<Definition> changes) {
    const std::vector<Definition> all(changes);
    at_ = at_.next();
    auto next = project_->apply(all, at_, Instant(int64_t(at_.value()) * 1'000'000));
    if (!next.ok()) return next.status();
    project_ = next->project;
    return absl::OkStatus();
  }
  absl::Status source(std::string_view name, std::optional<Sequence> base, uint32_t id = 0,
                      std::string_view channel = "web") {
    const std::string body = source_body(name, id, channel);
    return apply({{.kind = kSource, .name = name, .body = body, .actor = "me", .base = base}});
  }
  absl::Status remove(std::string_view name, Sequence base) {
    return apply({{.kind = kSource, .name = name, .body = "", .actor = "me", .base = base, .deleted = true}});
  }

  std::shared_ptr<const Project> project_ =
      std::make_shared<const Project>(std::make_shared<const Settings>(Settings::defaults()));
  Sequence at_{100};
};

TEST_F(ProjectTest, GivesEachSourceAnIdOfItsOwn) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  ASSERT_TRUE(source("app", Sequence(0)).ok());
  EXPECT_EQ(project_->find("web")->id, SourceId(1));
  EXPECT_EQ(project_->find("app")->id, SourceId(2));
}

TEST_F(ProjectTest, GivesEachSourceOfOneRecordAnIdOfItsOwn) {
  const std::string a = source_body("a"), b = source_body("b");
  ASSERT_TRUE(apply({{.kind = kSource, .name = "a", .body = a, .actor = "me", .base = Sequence(0)},
                     {.kind = kSource, .name = "b", .body = b, .actor = "me", .base = Sequence(0)}})
                  .ok());
  EXPECT_EQ(project_->find("b")->id, SourceId(2));
}

TEST_F(ProjectTest, RefusesAStaleBase) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  const Sequence first = at_;
  ASSERT_TRUE(source("web", first, 1, "app").ok());
  const auto stale = source("web", first, 1, "shop");
  EXPECT_EQ(stale.code(), absl::StatusCode::kAborted);
  EXPECT_NE(message_of(stale).find("version 102"), std::string::npos) << stale;
  EXPECT_EQ(to_string(project_->find("web")->channel.name()), "app");
  EXPECT_EQ(source("web", Sequence(0)).code(), absl::StatusCode::kAborted) << "made a second time";
}

TEST_F(ProjectTest, AnyBaseBehindTheNewestVersionWillDo) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  EXPECT_TRUE(source("web", Sequence(at_.value() + 50), 1, "app").ok());
}

TEST_F(ProjectTest, ARecordHoldsAsAWholeOrNotAtAll) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  const std::string fresh = source_body("fresh"), again = source_body("web", 1, "app");
  const auto refused =
      apply({{.kind = kSource, .name = "fresh", .body = fresh, .actor = "me", .base = Sequence(0)},
             {.kind = kSource, .name = "web", .body = again, .actor = "me", .base = Sequence(1)}});
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(project_->find("fresh"), nullptr);
}

TEST_F(ProjectTest, DeletionIsAVersion) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  EXPECT_EQ(remove("web", Sequence(3)).code(), absl::StatusCode::kAborted);
  ASSERT_TRUE(remove("web", at_).ok());
  EXPECT_EQ(project_->find("web"), nullptr);
  EXPECT_TRUE(project_->sources().empty());
  EXPECT_TRUE(project_->find(kSource, "web")->deleted);
  EXPECT_EQ(project_->name_of(SourceId(1)), "web") << "its events are still called so";
  EXPECT_EQ(remove("web", at_).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(source("app", Sequence(0)).ok());
  EXPECT_EQ(project_->find("app")->id, SourceId(2)) << "ids are given once";
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  EXPECT_EQ(project_->find("web")->id, SourceId(1));
}

TEST_F(ProjectTest, WhatCannotBeSaysWhy) {
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  EXPECT_EQ(source("app", Sequence(0), 1).code(), absl::StatusCode::kFailedPrecondition) << "web has id 1";
  const auto body = source_body("other");
  EXPECT_EQ(apply({{.kind = kSource, .name = "x", .body = body, .actor = "me", .base = Sequence(0)}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(apply({{.kind = "goose", .name = "x", .body = "{}", .actor = "me", .base = Sequence(0)}}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(apply({{.kind = kSettings, .name = "", .body = "", .actor = "me", .base = at_, .deleted = true}})
                .code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ProjectTest, SettingsThatWouldLoseCustomersAreRefused) {
  Settings settings = Settings::defaults();
  const std::string first = codec::settings_to_json(settings);
  ASSERT_TRUE(
      apply({{.kind = kSettings, .name = "", .body = first, .actor = "me", .base = Sequence(0)}}).ok());
  settings.identifier_types.pop_back();
  const std::string second = codec::settings_to_json(settings);
  EXPECT_EQ(apply({{.kind = kSettings, .name = "", .body = second, .actor = "me", .base = at_}}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(apply({{.kind = kSettings, .name = "", .body = second, .actor = "me"}}).ok())
      << "what was in force once is in force again";
}

TEST_F(ProjectTest, OldRecordsTakeThePlaceOfWhatIsThere) {
  ASSERT_TRUE(source("web", std::nullopt, 1).ok());
  ASSERT_TRUE(source("app", std::nullopt, 1).ok()) << "two made at once had one id";
  EXPECT_EQ(project_->find("web"), nullptr);
  EXPECT_EQ(project_->name_of(SourceId(1)), "app");
  EXPECT_EQ(apply({{.kind = kSource, .name = "web", .body = "{", .actor = "me"}}).code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(ProjectTest, FilesSayWhatPeopleChoose) {
  const Kind& kind = *find_kind(kSource);
  ASSERT_TRUE(source("web", Sequence(0)).ok());
  const std::string file = kind.to_file(*project_->find(kSource, "web"));
  EXPECT_EQ(file,
            R"({"channel":"web","enabled":true,"events_per_second":0,"events_per_second_per_address":0})");
  const auto body = kind.from_file("web", R"({"channel":"app"})", project_->find(kSource, "web"));
  ASSERT_TRUE(body.ok()) << body.status();
  EXPECT_EQ(parse_source(*body)->id, SourceId(1));
  const auto wrong = kind.from_file("web", R"({"chanel":"app"})", nullptr);
  EXPECT_NE(message_of(wrong.status()).find("/chanel"), std::string::npos) << wrong.status();
}

TEST_F(ProjectTest, OnlyNewSourcesNeedAGoodName) {
  const struct {
    std::string_view name, given;
    bool good;
  } cases[] = {
      {"plain", "web", true},
      {"any script, joints", "门店 2.a-b_c", true},
      {"64 bytes", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd", true},
      {"65 bytes", "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddd", false},
      {"out of its folder", "../../x", false},
      {"a folder", "a/b", false},
      {"hidden", ".a", false},
      {"two blanks", "a  b", false},
      {"a line", "a\nb", false},
      {"no UTF-8",
       "a\xff"
       "b",
       false},
  };
  for (const auto& [name, given, good] : cases) {
    EXPECT_EQ(is_source_name(given), good) << name;
    if (given.find('\xff') != given.npos) continue;  // no JSON either
    EXPECT_EQ(source(given, Sequence(0)).ok(), good) << name;
  }
  ASSERT_TRUE(source("a<b>", std::nullopt, 9).ok()) << "it was there before names had a rule";
  EXPECT_TRUE(source("a<b>", at_, 9, "app").ok());
}

TEST_F(ProjectTest, KeysOfADeletedSourceStayClosed) {
  Source web;
  web.name = "web";
  web.keys.push_back({.hash = {1, 2}, .hint = "kwk_1", .created = Instant(1), .revoked = {}});
  ASSERT_TRUE(
      apply({{.kind = kSource, .name = "web", .body = to_json(web), .actor = "me", .base = Sequence(0)}})
          .ok());
  ASSERT_TRUE(remove("web", at_).ok());
  const Version* deleted = project_->find(kSource, "web");
  const auto body = find_kind(kSource)->from_file("web", "{}", deleted);
  ASSERT_TRUE(body.ok()) << body.status();
  const Instant when = deleted->time;
  ASSERT_TRUE(apply({{.kind = kSource, .name = "web", .body = *body, .actor = "me", .base = at_}}).ok());
  ASSERT_EQ(project_->find("web")->keys.size(), 1);
  EXPECT_EQ(project_->find("web")->keys[0].revoked, when);

  ASSERT_TRUE(remove("web", at_).ok());
  web.keys = {{.hash = {3, 4}, .hint = "kwk_2", .created = Instant(1), .revoked = {}}};
  ASSERT_TRUE(
      apply({{.kind = kSource, .name = "web", .body = to_json(web), .actor = "me", .base = Sequence(0)}})
          .ok());
  ASSERT_EQ(project_->find("web")->keys.size(), 2);
  EXPECT_EQ(project_->find("web")->keys[0].revoked, std::nullopt) << "the new one";
  EXPECT_EQ(project_->find("web")->keys[1].revoked, when);
}

}  // namespace
}  // namespace kehu::definition
