// What the door seals because of what it is: by the words of a name, and by what a value reads as.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "intake/bulk.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "seal/masks.h"
#include "seal/opener.h"

namespace kehu::intake {
namespace {

struct World {
  explicit World(PersonalValues values = {}) : door(with(std::move(values))) {
    door.sender.in_clear = &in_clear;
  }

  static std::shared_ptr<const Settings> with(PersonalValues values) {
    Settings settings = Settings::defaults();
    settings.personal_values = std::move(values);
    return std::make_shared<const Settings>(std::move(settings));
  }

  std::unique_ptr<Records> decode(std::string_view members) {
    intake.clear();
    BulkDecoder decoder(door.sender);
    decoder.feed(cat(R"({"event":"E",)", members, "}\n"), intake);
    decoder.finish(intake);
    return std::make_unique<Records>(intake);
  }

  // The properties as people see them; a sealed value of `properties` shows as its mask.
  std::string shown(std::string_view properties) {
    const auto records = decode(cat(R"("user_id":"u1","properties":)", properties));
    if (records->events.size() != 1) return "(rejected)";
    seal::Opener opener(door.key, door.ring);
    return seal::mask_json(records->event().properties, opener);
  }

  std::atomic<uint64_t> in_clear{0};
  TestDoor door;
  Intake intake;
};

struct Case {
  const char* name;
  const char* given;
  const char* want;
};

void expect_shown(World& world, std::initializer_list<Case> cases) {
  for (const Case& c : cases) EXPECT_EQ(world.shown(c.given), c.want) << c.name;
}

TEST(PersonalFields, ByName) {
  World world;
  expect_shown(
      world,
      {{"Chinese", R"({"用户手机号":"x1","收件电话":7})", R"({"用户手机号":"x***","收件电话":"7***"})"},
       {"width, digits and spaces", R"({"ＰＨＯＮＥ":"x1","手机号 ":"x2","email2":"x3"})",
        R"({"ＰＨＯＮＥ":"x***","手机号 ":"x***","email2":"x***"})"},
       {"deep", R"({"a":[{"consignee_mobile":"x1"}]})", R"({"a":[{"consignee_mobile":"x***"}]})"},
       {"all below it", R"({"login_phone":{"a":"x"}})", R"({"login_phone":"***"})"},
       {"false friends", R"({"phone_model":"P40","手机型号":"P40","tel_aviv":1,"email_opened":"yes"})",
        R"({"phone_model":"P40","手机型号":"P40","tel_aviv":1,"email_opened":"yes"})"},
       {"answers are no values", R"({"绑定手机":true,"login_email":false,"buyer_tel":null})",
        R"({"绑定手机":true,"login_email":false,"buyer_tel":null})"}});
}

// A key has to stay one text for all customers, so that it is counted as before.
TEST(PersonalFields, KeysThatAreValues) {
  World world;
  const std::string shown = world.shown(
      R"({"13912345678":3,"a":{"bob@example.com":{"n":1}},"l":[{"139-1234-5678":"x"}],"13912345":2})");
  EXPECT_THAT(
      shown,
      testing::MatchesRegex(
          R"(\{"id-[0-9a-f]*":3,"a":\{"id-[0-9a-f]*":\{"n":1\}\},"l":\[\{"id-[0-9a-f]*":"x"\}\],"13912345":2\})"));
  EXPECT_EQ(world.shown(R"({"13912345678":3})").substr(0, 20), shown.substr(0, 20)) << "one key has one text";
  EXPECT_NE(world.shown(R"({"13912345679":3})").substr(0, 20), shown.substr(0, 20));
  EXPECT_THAT(world.shown(R"({"13912345678":"13912345670"})"),
              testing::MatchesRegex(R"(\{"id-[0-9a-f]*":"139\*\*\*\*5670"\})"));
  EXPECT_THAT(world.shown(R"({"13912345678":["13912345670"]})"),
              testing::MatchesRegex(R"(\{"id-[0-9a-f]*":\["139\*\*\*\*5670"\]\})"));
  EXPECT_THAT(world.shown(R"({"phone":{"13912345678":1}})"), R"({"phone":"***"})");
  EXPECT_EQ(world.shown(R"({"form":"{\"13912345678\":1}"})"), R"({"form":"{***"})")
      << "a text that is JSON is sealed as a whole";
  const auto body = [&](const char* properties) {
    return world.decode(cat(R"("user_id":"u1","message_id":"m","properties":)", properties))
        ->event()
        .body_hash;
  };
  EXPECT_EQ(body(R"({"13912345678":3})"), body(R"({"13912345678":3})"));
  EXPECT_NE(body(R"({"13912345678":3})"), body(R"({"13912345679":3})"));
  World other({.phone = false, .except = {}});
  EXPECT_EQ(other.shown(R"({"13912345678":3})"), R"({"13912345678":3})");
}

TEST(PersonalFields, ByValue) {
  World world;
  expect_shown(
      world,
      {{"a text", R"({"contact":"13912345678"})", R"({"contact":"139****5678"})"},
       {"a number", R"({"contact":13912345678,"n":13912345678.0,"t":1795308540000})",
        R"({"contact":"139****5678","n":"139****5678","t":1795308540000})"},
       {"an address", R"({"ref":"bob@example.com","v":"react@18.2.0"})",
        R"({"ref":"b***@example.com","v":"react@18.2.0"})"},
       {"an ID card", R"({"ref":"11010519491231002x","not":"110105194912310021"})",
        R"({"ref":"110105********002X","not":"110105194912310021"})"},
       {"full width", R"({"ref":"１３９１２３４５６７８","mail":"x","to":"bob＠example.com"})",
        R"({"ref":"139****5678","mail":"x***","to":"b***@example.com"})"},
       {"escaped", R"({"ref":"\u0031391234\u0035678","to":"bob\u0040example.com"})",
        R"({"ref":"139****5678","to":"b***@example.com"})"},
       {"in lists",
        R"({"people":["13912345678","x",["bob@example.com"],{"k":"y"},13912345678],"z":["13912345678"]})",
        R"({"people":["139****5678","x",["b***@example.com"],{"k":"y"},"139****5678"],"z":["139****5678"]})"},
       {"in JSON in a text",
        R"({"form":"{\"phone\":\"x\",\"n\":1}","list":"[13912345678]","deep":"{\"a\":\"{\\\"b\\\":\\\"bob@example.com\\\"}\"}"})",
        R"({"form":"{***","list":"[***","deep":"{***"})"},
       {"JSON without", R"({"form":"{\"phone_model\":\"x\",\"n\":1}"})",
        R"({"form":"{\"phone_model\":\"x\",\"n\":1}"})"},
       {"numbers of things",
        R"({"order_id":"13912345678","商品编号":13912345678,"sku":"13912345678","total":13912345678})",
        R"({"order_id":"13912345678","商品编号":13912345678,"sku":"13912345678","total":13912345678})"},
       {"but no address and no card",
        R"({"order_id":"bob@example.com","sku":"11010519491231002X","trade_no":"+8613912345678"})",
        R"({"order_id":"b***@example.com","sku":"110105********002X","trade_no":"139****5678"})"},
       {"free texts stay", R"({"note":"ring 13912345678","ip":"183.128.145.22"})",
        R"({"note":"ring 13912345678","ip":"183.128.145.22"})"}});
}

TEST(PersonalFields, InTraitsAndContext) {
  World world;
  const auto records = world.decode(
      R"("type":"identify","user_id":"u1","traits":{"weixin":"13912345678"},"context":{"a":{"b":["bob@example.com"]}})");
  ASSERT_EQ(records->events.size(), 1u);
  EXPECT_EQ(records->event().traits.find("1391234"), std::string_view::npos);
  EXPECT_EQ(records->event().context.find("bob@"), std::string_view::npos);
  EXPECT_EQ(world.in_clear.load(), 0u);
}

TEST(PersonalFields, Identifiers) {
  World world;
  for (const char* value :
       {"11010519491231002X", "11010519491231002x", "13912345678", "bob@example.com", "+86 139 1234 5678"}) {
    const auto records = world.decode(cat(R"("user_id":")", value, "\""));
    ASSERT_EQ(records->events.size(), 1u) << value;
    EXPECT_TRUE(records->event().identifiers[0].sealed) << value;
  }
  EXPECT_FALSE(world.decode(R"("user_id":"110105194912310021")")->event().identifiers[0].sealed);
  World other({.except = {"user_id"}});
  EXPECT_FALSE(other.decode(R"("user_id":"13912345678")")->event().identifiers[0].sealed);
  EXPECT_TRUE(other.decode(R"("anonymous_id":"13912345678")")->event().identifiers[0].sealed);
}

TEST(PersonalFields, TheProjectMaySayOtherwise) {
  World no_values({.phone = false, .email = false, .except = {}});
  expect_shown(
      no_values,
      {{"kinds", R"({"a":"13912345678","b":"bob@example.com","c":"11010519491231002X","login_phone":"x"})",
        R"({"a":"13912345678","b":"bob@example.com","c":"110105********002X","login_phone":"x***"})"}});
  EXPECT_EQ(no_values.in_clear.load(), 2u);
  World no_names({.names = false, .except = {}});
  expect_shown(no_names, {{"names", R"({"login_phone":"x","phone":"y","a":"13912345678"})",
                           R"({"login_phone":"x","phone":"y***","a":"139****5678"})"}});
  World except({.except = {"Shop Phone", "ref"}});
  expect_shown(except,
               {{"exceptions", R"({"shop_phone2":"13912345678","REF":["bob@example.com"],"x":"13912345678"})",
                 R"({"shop_phone2":"13912345678","REF":["bob@example.com"],"x":"139****5678"})"}});
  EXPECT_EQ(except.in_clear.load(), 2u);
  World free_text({.free_text = true, .except = {}});
  expect_shown(free_text,
               {{"free texts", R"({"note":"ring 13912345678","url":"/r?e=bob%40example.com","say":"hello"})",
                 R"({"note":"r***","url":"/***","say":"hello"})"}});
}

// The same request again is the same event, however its values were sealed.
TEST(PersonalFields, ARepeatIsARepeat) {
  World world;
  const char* body =
      R"("user_id":"u1","message_id":"m","properties":{"a":["13912345678"],"b":"bob@example.com"})";
  const uint64_t first = world.decode(body)->event().body_hash;
  EXPECT_EQ(world.decode(body)->event().body_hash, first);
  EXPECT_NE(
      world
          .decode(
              R"("user_id":"u1","message_id":"m","properties":{"a":["13912345679"],"b":"bob@example.com"})")
          ->event()
          .body_hash,
      first);
}

TEST(PersonalFields, ClassesAreRemembered) {
  const auto settings = World::with({});
  const fields::FieldClasses classes(*settings);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10'000; ++i) {
      ASSERT_EQ(classes.find(cat("key", i, "_phone")), fields::FieldClass::kPersonalName) << i;
      ASSERT_EQ(classes.find(cat("key_", i, "_x")), 0) << i;
    }
    EXPECT_EQ(classes.find("phone") & fields::FieldClass::kPersonal, fields::FieldClass::kPersonal);
    EXPECT_EQ(classes.find("Total") & fields::FieldClass::kAmount, fields::FieldClass::kAmount);
    EXPECT_EQ(classes.find(""), 0);
  }
}

}  // namespace
}  // namespace kehu::intake
