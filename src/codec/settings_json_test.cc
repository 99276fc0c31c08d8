#include "codec/settings_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

#include "base/text.h"
#include "identifier/identifier_value.h"
#include "json/document.h"
#include "model/characters.h"

namespace kehu::codec {
namespace {

using testing::HasSubstr;

void expect_equal(const IdentifierRule& got, const IdentifierRule& want) {
  EXPECT_EQ(got.name, want.name);
  EXPECT_EQ(got.priority, want.priority);
  EXPECT_EQ(got.unique, want.unique);
  EXPECT_EQ(got.weak, want.weak);
  EXPECT_EQ(got.personal, want.personal);
  EXPECT_EQ(got.normaliser, want.normaliser);
  EXPECT_EQ(got.limit, want.limit);
  EXPECT_EQ(got.period, want.period);
  EXPECT_EQ(got.shared_after, want.shared_after);
  EXPECT_EQ(got.blocked, want.blocked);
}

void expect_equal(const Settings& got, const Settings& want) {
  EXPECT_EQ(got.time_zone, want.time_zone);
  EXPECT_EQ(got.zone.name(), want.zone.name());
  EXPECT_EQ(got.cipher, want.cipher);
  ASSERT_EQ(got.identifier_types.size(), want.identifier_types.size());
  for (size_t i = 0; i < want.identifier_types.size(); ++i) {
    expect_equal(got.identifier_types[i], want.identifier_types[i]);
  }
  EXPECT_EQ(got.nobody, want.nobody);
  EXPECT_EQ(got.personal_fields, want.personal_fields);
  EXPECT_EQ(got.personal_values.names, want.personal_values.names);
  EXPECT_EQ(got.personal_values.phone, want.personal_values.phone);
  EXPECT_EQ(got.personal_values.email, want.personal_values.email);
  EXPECT_EQ(got.personal_values.id_card, want.personal_values.id_card);
  EXPECT_EQ(got.personal_values.free_text, want.personal_values.free_text);
  EXPECT_EQ(got.personal_values.except, want.personal_values.except);
  ASSERT_EQ(got.trait_identifiers.size(), want.trait_identifiers.size());
  for (size_t i = 0; i < want.trait_identifiers.size(); ++i) {
    EXPECT_EQ(got.trait_identifiers[i].trait, want.trait_identifiers[i].trait);
    EXPECT_EQ(got.trait_identifiers[i].type, want.trait_identifiers[i].type);
  }
  ASSERT_EQ(got.metrics.size(), want.metrics.size());
  for (size_t i = 0; i < want.metrics.size(); ++i) {
    EXPECT_EQ(got.metrics[i].kind, want.metrics[i].kind);
    EXPECT_EQ(got.metrics[i].event, want.metrics[i].event);
    EXPECT_EQ(got.metrics[i].property, want.metrics[i].property);
  }
  EXPECT_EQ(got.log_retention_bytes, want.log_retention_bytes);
}

TEST(SettingsJson, NothingSaidMeansDefaults) {
  const auto settings = settings_from_json("{}");
  ASSERT_TRUE(settings.ok()) << settings.status();
  expect_equal(*settings, Settings::defaults());
}

TEST(SettingsJson, DefaultsReadBackAsThemselves) {
  const std::string text = settings_to_json(Settings::defaults());
  const auto settings = settings_from_json(text);
  ASSERT_TRUE(settings.ok()) << settings.status();
  expect_equal(*settings, Settings::defaults());
  EXPECT_EQ(settings_to_json(*settings), text);
}

class RandomSettings {
 public:
  explicit RandomSettings(unsigned seed) : random_(seed) {}

  Settings make() {
    Settings settings = Settings::defaults();
    settings.time_zone = pick({"UTC", "Europe/Berlin", "Asia/Shanghai"});
    settings.zone = *BusinessZone::load(settings.time_zone);
    settings.cipher = flag() ? Cipher::kAes256Gcm : Cipher::kSm4Gcm;
    settings.nobody.clear();
    for (auto n = number(3); n > 0; --n) settings.nobody.push_back(folded_nobody("n" + text() + "n"));
    settings.personal_values = {.names = flag(),
                                .phone = flag(),
                                .email = flag(),
                                .id_card = flag(),
                                .free_text = flag(),
                                .except = {}};
    if (flag()) settings.personal_values.except = {"except" + text() + "x"};
    settings.personal_fields.clear();
    for (auto n = number(5); n > 0; --n) settings.personal_fields.push_back("f" + text() + "f");
    settings.identifier_types.clear();
    for (const char* name : {"user_id", "anonymous_id", "loyalty_card", "x9"}) {
      settings.identifier_types.push_back(rule(name));
    }
    settings.trait_identifiers.clear();
    for (const char* trait : {"Email", "a/b~c", "会员", "\"quoted\""}) {
      if (flag()) settings.trait_identifiers.push_back({trait, pick({"user_id", "x9"})});
      if (flag()) settings.personal_fields.push_back(lowercase(strip(trait)));
    }
    settings.metrics.clear();
    for (auto n = number(4); n > 0; --n) {
      settings.metrics.push_back(
          {static_cast<Metric::Kind>(1 + number(3)), text(), pick({"a", "a.b", "a[].b"})});
    }
    settings.log_retention_bytes = (64ull << 20) + number(1u << 30);
    return settings;
  }

 private:
  IdentifierRule rule(const char* name) {
    IdentifierRule rule;
    rule.name = name;
    rule.priority = 1 + number(1000);
    rule.unique = flag();
    rule.weak = flag();
    rule.personal = flag() && rule.name != "user_id" && rule.name != "x9";  // traits in clear point to these
    rule.normaliser = static_cast<Normaliser>(number(6));
    rule.limit = 1 + number(1000);
    rule.period = Duration::seconds(1 + number(3650 * 86400 - 1));
    if (flag()) rule.period = Duration::days(1 + number(3650));
    rule.shared_after = number(10);
    for (auto n = number(3); n > 0; --n) rule.blocked.push_back(text());
    return rule;
  }
  bool flag() { return random_() % 2 == 0; }
  int number(unsigned below) { return static_cast<int>(random_() % below); }
  const char* pick(std::vector<const char*> from) { return from[random_() % from.size()]; }
  std::string text() {
    std::string out;
    for (int n = 1 + number(6); n > 0; --n)
      out += pick({"a", "z", "中", "\"", "\\", "/", "~", "\n", "*", "?", "é"});
    return out;
  }

  std::mt19937 random_;
};

TEST(SettingsJson, AnySettingsReadBackAsThemselves) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  RandomSettings random(seed);
  for (int round = 0; round < 300; ++round) {
    const Settings want = random.make();
    const std::string text = settings_to_json(want);
    const auto got = settings_from_json(text);
    ASSERT_TRUE(got.ok()) << got.status() << " in " << text;
    expect_equal(*got, want);
    if (HasFailure()) FAIL() << text;
  }
}

struct BadCase {
  const char* name;
  const char* given;
  std::vector<const char*> want;  // parts of the message
};

TEST(SettingsJson, ErrorsSayWhereWhatAndWhatToDo) {
  const BadCase cases[] = {
      {"no JSON", "{", {"not JSON", "byte"}},
      {"no object", "[]", {"expected an object", "found []"}},
      {"unknown field", R"({"timezone":"UTC"})", {"at /timezone:", "time_zone", "found \"UTC\""}},
      {"unknown time zone", R"({"time_zone":"Mars/Olympus"})", {"at /time_zone:", "IANA", "Mars/Olympus"}},
      {"time zone of another kind", R"({"time_zone":8})", {"at /time_zone:", "a text", "found 8"}},
      {"unknown cipher", R"({"cipher":"rot13"})", {"at /cipher:", "sm4-gcm", "rot13"}},
      {"types are a list", R"({"identifier_types":{}})", {"at /identifier_types:", "a list"}},
      {"type is an object",
       R"({"identifier_types":[7]})",
       {"at /identifier_types/0:", "an object", "found 7"}},
      {"type without name", R"({"identifier_types":[{"priority":1}]})", {"at /identifier_types/0:", "name"}},
      {"type without priority",
       R"({"identifier_types":[{"name":"a"}]})",
       {"at /identifier_types/0:", "priority"}},
      {"type name",
       R"({"identifier_types":[{"name":"A:b","priority":1}]})",
       {"at /identifier_types/0/name:", "lower-case", "A:b"}},
      {"unknown field of a type",
       R"({"identifier_types":[{"name":"a","priority":1,"strong":true}]})",
       {"at /identifier_types/0/strong:", "unique", "found true"}},
      {"priority",
       R"({"identifier_types":[{"name":"a","priority":0}]})",
       {"at /identifier_types/0/priority:", "1 to 1000", "found 0"}},
      {"flag",
       R"({"identifier_types":[{"name":"a","priority":1,"unique":"yes"}]})",
       {"at /identifier_types/0/unique:", "true or false", "\"yes\""}},
      {"null is no value",
       R"({"identifier_types":[{"name":"a","priority":1,"unique":null}]})",
       {"at /identifier_types/0/unique:", "found null"}},
      {"normaliser",
       R"({"identifier_types":[{"name":"a","priority":1,"normaliser":"soundex"}]})",
       {"at /identifier_types/0/normaliser:", "chinese_phone", "soundex"}},
      {"period without unit",
       R"({"identifier_types":[{"name":"a","priority":1,"period":"30"}]})",
       {"at /identifier_types/0/period:", "3650d"}},
      {"period of another unit",
       R"({"identifier_types":[{"name":"a","priority":1,"period":"2w"}]})",
       {"at /identifier_types/0/period:", "3650d"}},
      {"period too long",
       R"({"identifier_types":[{"name":"a","priority":1,"period":"3651d"}]})",
       {"at /identifier_types/0/period:", "3650d"}},
      {"period beyond integers",
       R"({"identifier_types":[{"name":"a","priority":1,"period":"9999999999999999999d"}]})",
       {"at /identifier_types/0/period:", "3650d"}},
      {"blocked",
       R"({"identifier_types":[{"name":"a","priority":1,"blocked":["x",1]}]})",
       {"at /identifier_types/0/blocked/1:", "a text", "found 1"}},
      {"same name twice",
       R"({"identifier_types":[{"name":"a","priority":1},{"name":"a","priority":2}]})",
       {"at /identifier_types/1/name:", "no other type"}},
      {"SDK types",
       R"({"identifier_types":[{"name":"a","priority":1}]})",
       {"at /identifier_types:", "user_id"}},
      {"personal values",
       R"({"personal_values":{"seals":[]}})",
       {"at /personal_values/seals:", "names, seal"}},
      {"a kind",
       R"({"personal_values":{"seal":["mail"]}})",
       {"at /personal_values/seal/0:", "phone, email or id_card"}},
      {"a declared exception",
       R"({"personal_values":{"except":["E-Mail 2"]}})",
       {"at /personal_values/except/0:", "take it out of personal_fields"}},
      {"an exception of no letters",
       R"({"personal_values":{"except":["_1"]}})",
       {"at /personal_values/except/0:", "a letter"}},
      {"personal fields", R"({"personal_fields":"phone"})", {"at /personal_fields:", "a list"}},
      {"trait of no type",
       R"({"trait_identifiers":{"a/b":"shoe_size"}})",
       {"at /trait_identifiers/a~1b:", "identifier type", "shoe_size"}},
      {"personal trait in clear",
       R"({"personal_fields":["phone"],"trait_identifiers":{"Mail":"email"}})",
       {"at /personal_fields:", "\"Mail\"", "personal"}},
      {"metric kind",
       R"({"metrics":[{"kind":"median","event":"a","property":"b"}]})",
       {"at /metrics/0/kind:", "distinct", "median"}},
      {"metric without event", R"({"metrics":[{"kind":"sum","property":"b"}]})", {"at /metrics/0:", "event"}},
      {"metric without property",
       R"({"metrics":[{"kind":"sum","event":"b"}]})",
       {"at /metrics/0:", "property"}},
      {"retention",
       R"({"log_retention_bytes":1000})",
       {"at /log_retention_bytes:", "67108864", "found 1000"}},
      {"long values are cut",
       R"({"time_zone":"0123456789012345678901234567890123456789012345678901234567890123"})",
       {"0123456789", "…"}},
  };
  for (const auto& c : cases) {
    const auto got = settings_from_json(c.given);
    ASSERT_EQ(got.status().code(), absl::StatusCode::kInvalidArgument) << c.name;
    for (const char* part : c.want) EXPECT_THAT(message_of(got.status()), HasSubstr(part)) << c.name;
  }
}

TEST(SettingsJson, DefaultTraitsFollowTheTypes) {
  const auto settings = settings_from_json(
      R"({"identifier_types":[{"name":"user_id","priority":1},{"name":"anonymous_id","priority":2}]})");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->trait_identifiers.empty());
}

TEST(SettingsJson, PersonalFieldsAreLowerCase) {
  const auto settings =
      settings_from_json(R"({"personal_fields":["Phone"," E-MAIL "],"trait_identifiers":{}})");
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->personal_fields, (std::vector<std::string>{"phone", "e-mail"}));
}

struct ChangeCase {
  const char* name;
  void (*change)(Settings&);
  bool allowed;
};

TEST(SettingsChange, Table) {
  const ChangeCase cases[] = {
      {"nothing", [](Settings&) {}, true},
      {"time zone", [](Settings& s) { s.time_zone = "UTC"; }, true},
      {"priority", [](Settings& s) { s.identifier_types[0].priority = 9; }, true},
      {"blocked values", [](Settings& s) { s.identifier_types[0].blocked = {"x"}; }, true},
      {"a new type at the end", [](Settings& s) { s.identifier_types.emplace_back().name = "new"; }, true},
      {"cipher", [](Settings& s) { s.cipher = Cipher::kSm4Gcm; }, false},
      {"a type gone", [](Settings& s) { s.identifier_types.pop_back(); }, false},
      {"a type renamed", [](Settings& s) { s.identifier_types[1].name = "new"; }, false},
      {"types swapped", [](Settings& s) { std::swap(s.identifier_types[0], s.identifier_types[1]); }, false},
      {"normaliser", [](Settings& s) { s.identifier_types[0].normaliser = Normaliser::kLowercase; }, false},
      {"personal", [](Settings& s) { s.identifier_types[0].personal = true; }, false},
      {"nobody", [](Settings& s) { s.nobody = {"walk-in"}; }, true},
      {"no plans of the world any more",
       [](Settings& s) { s.identifier_types[3].normaliser = Normaliser::kChinesePhone; }, false},
  };
  for (const auto& c : cases) {
    const Settings from = Settings::defaults();
    Settings to = from;
    c.change(to);
    const absl::Status status = check_settings_change({from, to});
    EXPECT_EQ(status.code(), c.allowed ? absl::StatusCode::kOk : absl::StatusCode::kFailedPrecondition)
        << c.name;
  }
}

TEST(SettingsChange, ChinesePhonesMayBecomePhones) {
  const Settings to = Settings::defaults();
  Settings from = to;
  from.identifier_types[3].normaliser = Normaliser::kChinesePhone;
  EXPECT_TRUE(check_settings_change({from, to}).ok());
}

std::vector<std::string> json_blocks(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    if (line == "```json") {
      inside = true;
      blocks.emplace_back();
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

TEST(SettingsDocument, ItsExampleIsReadAndItsFieldsAreAll) {
  const std::string path = std::string(KEHU_SOURCE_DIR) + "/docs/settings.md";
  const auto blocks = json_blocks(path);
  ASSERT_FALSE(blocks.empty()) << path;
  for (const auto& block : blocks) {
    const auto settings = settings_from_json(block);
    EXPECT_TRUE(settings.ok()) << settings.status() << " in " << block;
  }
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  const auto document = json::Document::parse(settings_to_json(Settings::defaults()));
  ASSERT_TRUE(document.ok());
  for (const auto& member : document->root()) EXPECT_THAT(text.str(), HasSubstr("`" + member.key + "`"));
  for (const auto& member : document->root().find("identifier_types").at(0)) {
    EXPECT_THAT(text.str(), HasSubstr("`" + member.key + "`"));
  }
  for (const auto& rule : Settings::defaults().identifier_types) {
    EXPECT_THAT(text.str(), HasSubstr("`" + rule.name + "`"));
  }
}

}  // namespace
}  // namespace kehu::codec
