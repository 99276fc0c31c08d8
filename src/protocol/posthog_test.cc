#include "protocol/posthog.h"

#include <zlib.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_replace.h"
#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"

namespace kehu::protocol {
namespace {

class PostHogTest : public testing::Test {
 protected:
  intake::Records decode(std::string body) {
    body_ = std::move(body);
    intake_.clear();
    const auto refusal = decoder_.open(body_);
    EXPECT_FALSE(refusal) << refusal->detail;
    decoder_.decode(door_.sender, intake_);
    return intake::Records(intake_);
  }
  // "type name identifiers traits" of the only event.
  std::string understood(const std::string& event) {
    const intake::Records records = decode(event);
    if (!records.rejections.empty()) {
      return cat("rejected: ", to_string(records.rejections[0].reason), " ", records.rejections[0].detail);
    }
    const Event& is = records.event();
    return cat(to_string(is.type), " [", is.name, "] ", intake::described(door_.policy, is.identifiers), " ",
               is.traits);
  }

  intake::TestDoor door_;
  PostHogDecoder decoder_;
  intake::Intake intake_;
  std::string body_;
};

TEST_F(PostHogTest, MapsItsCalls) {
  struct Case {
    const char* name;
    const char* event;
    const char* want;
  };
  const Case cases[] = {
      {"a server's event", R"({"event":"E","distinct_id":"u1","properties":{"x":1}})",
       "track [E] user_id=u1= anonymous_id=u1? {}"},
      {"a visitor's", R"({"event":"E","properties":{"distinct_id":"a1","$is_identified":false}})",
       "track [E] user_id=a1? anonymous_id=a1 {}"},
      {"a visitor's by the device", R"({"event":"E","properties":{"distinct_id":"a1","$device_id":"a1"}})",
       "track [E] user_id=a1? anonymous_id=a1 {}"},
      {"a known user's in a browser",
       R"({"event":"E","properties":{"distinct_id":"u1","$device_id":"a1","$is_identified":true}})",
       "track [E] user_id=u1 anonymous_id=u1? {}"},
      {"identify",
       R"({"event":"$identify","properties":{"distinct_id":"u1","$anon_distinct_id":"a1"},"$set":{"city":"上海"}})",
       R"(identify [] user_id=u1 user_id=a1? anonymous_id=u1? anonymous_id=a1 {"city":"上海"})"},
      {"identify on a server",
       R"({"event":"$identify","distinct_id":"u1","properties":{"$set":{"a":1},"$set_once":{}}})",
       R"(identify [] user_id=u1 anonymous_id=u1? {"a":1,"$set_once":{}})"},
      {"steps of traits with any event",
       R"({"event":"E","distinct_id":"u1","properties":{"$set_once":{"first":1},"$unset":["old"]}})",
       R"(track [E] user_id=u1= anonymous_id=u1? {"$set_once":{"first":1},"$unset":["old"]})"},
      {"what only sets is no track",
       R"({"event":"$set_once","distinct_id":"u1","properties":{"$set_once":{"first":1}}})",
       R"(identify [] user_id=u1= anonymous_id=u1? {"$set_once":{"first":1}})"},
      {"nor what only deletes", R"({"event":"$unset","distinct_id":"u1","$unset":["old"]})",
       R"(identify [] user_id=u1= anonymous_id=u1? {"$unset":["old"]})"},
      {"alias", R"({"event":"$create_alias","properties":{"distinct_id":"u1","alias":"u0"}})",
       "alias [] user_id=u1= user_id=u0< anonymous_id=u1? anonymous_id=u0< {}"},
      {"group",
       R"({"event":"$groupidentify","distinct_id":"u1","properties":{"$group_type":"c","$group_key":"g1","$group_set":{"n":2}}})",
       R"(group [g1] user_id=u1? anonymous_id=u1? {"n":2})"},
      {"a server's group",
       R"({"event":"$groupidentify","distinct_id":"$c_g1","properties":{"$group_type":"c","$group_key":"g1"}})",
       "group [g1] user_id=$c_g1? anonymous_id=$c_g1? {}"},
      {"page",
       R"({"event":"$pageview","distinct_id":"u1","properties":{"title":"Home","$current_url":"http://h/"}})",
       "page [Home] user_id=u1= anonymous_id=u1? {}"},
      {"screen", R"({"event":"$screen","distinct_id":"u1","properties":{"$screen_name":"Main"}})",
       "screen [Main] user_id=u1= anonymous_id=u1? {}"},
      {"set", R"({"event":"$set","distinct_id":"u1","$set":{"a":"b"}})",
       R"(identify [] user_id=u1= anonymous_id=u1? {"a":"b"})"},
      {"traits of any event", R"({"event":"E","distinct_id":"u1","properties":{"$set":{"a":"b"}}})",
       R"(track [E] user_id=u1= anonymous_id=u1? {"a":"b"})"},
      {"a number as id", R"({"event":"E","distinct_id":7})", "track [E] user_id=7= anonymous_id=7? {}"},
      {"no name", R"({"distinct_id":"u1"})",
       R"(rejected: missing_event_name a track call needs "event", the name of what happened)"},
      {"no id", R"({"event":"E"})",
       "rejected: no_identifier an event needs userId, anonymousId or another identifier"},
      {"properties of a wrong kind", R"({"event":"E","distinct_id":"u1","properties":7})",
       "rejected: invalid_field properties must be an object, not a number (read as /properties)"},
  };
  for (const Case& c : cases) EXPECT_EQ(understood(c.event), c.want) << c.name;
}

TEST_F(PostHogTest, KeepsPropertiesAndSaysWhereItWas) {
  const intake::Records records =
      decode(R"({"event":"E","distinct_id":"u1","uuid":"id-1","timestamp":"2026-11-22T00:49:00.000Z",
      "properties":{"token":"t","x":[1],"$lib":"web","$lib_version":"1.4","$current_url":"http://h/p?q","$pathname":"/p",
      "$raw_user_agent":"UA","$set_many":{"first":1}}})");
  const Event& event = records.event();
  EXPECT_EQ(event.message_id, "id-1");
  EXPECT_EQ(event.channel, Channel::kWeb);
  EXPECT_EQ(format_utc(event.time), "2026-11-22T00:49:00.000Z");
  EXPECT_EQ(event.properties,
            R"({"x":[1],"$lib":"web","$lib_version":"1.4","$current_url":"http://h/p?q","$pathname":"/p",)"
            R"("$raw_user_agent":"UA","$set_many":{"first":1}})");
  EXPECT_EQ(event.context,
            R"({"library":{"name":"web","version":"1.4"},"page":{"url":"http://h/p?q","path":"/p"},)"
            R"("userAgent":"UA"})");
}

TEST_F(PostHogTest, CorrectsTheClock) {
  const intake::Records batch = decode(
      R"({"api_key":"k","sent_at":"2020-01-01T00:00:10Z","batch":[{"event":"E","distinct_id":"u","timestamp":"2020-01-01T00:00:00Z"}]})");
  EXPECT_EQ(format_utc(batch.event().time), "2026-11-22T00:49:50.000Z");
  const intake::Records offset =
      decode(R"([{"event":"E","offset":5000,"properties":{"distinct_id":"u","token":"k"}}])");
  EXPECT_EQ(format_utc(offset.event().time), "2026-11-22T00:49:55.000Z");
  EXPECT_EQ(decoder_.write_key(), "k");
}

TEST_F(PostHogTest, ABrokenEventIsRejectedAsItCame) {
  const intake::Records records = decode(R"({"batch":[{"event":"E","distinct_id":"u"},7,{"event":"F"}]})");
  ASSERT_EQ(records.events.size(), 1u);
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kNotAnObject);
  EXPECT_EQ(records.rejections[0].path, "/batch/1");
  EXPECT_EQ(records.rejections[1].path, "/batch/2");
  EXPECT_EQ(records.rejections[1].origin, "/v1/batch:3");
}

TEST_F(PostHogTest, ReadsEveryEncoding) {
  const std::string json = R"({"event":"E?>","distinct_id":"u1"})";
  std::string zipped(compressBound(json.size()) + 32, '\0');
  z_stream z{};
  ASSERT_EQ(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(json.data()));
  z.avail_in = static_cast<uInt>(json.size());
  z.next_out = reinterpret_cast<Bytef*>(zipped.data());
  z.avail_out = static_cast<uInt>(zipped.size());
  ASSERT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  zipped.resize(z.total_out);
  deflateEnd(&z);
  const std::string base64 = absl::Base64Escape(json);
  struct Case {
    const char* name;
    std::string body, compression;
  };
  const Case cases[] = {
      {"plain", json, ""},
      {"plain behind spaces", cat(" \n", json), "gzip-js"},
      {"gzip", zipped, "gzip-js"},
      {"base64", base64, "base64"},
      {"a form", cat("data=", to_std(absl::StrReplaceAll(base64, {{"+", "%2B"}, {"=", "%3D"}})), "&ver=1"),
       "base64"},
      {"a form that was not escaped", cat("data=", base64), "base64"},
      {"a form of plain JSON", "data=%7B%22event%22:%22E?>%22,%22distinct_id%22:%22u1%22%7d", ""},
      {"gzip in base64", absl::Base64Escape(zipped), "gzip"},
  };
  for (const Case& c : cases) {
    std::string scratch;
    const auto text = posthog_json(c.body, c.compression, limits::kSegmentBatchBytes, scratch);
    ASSERT_TRUE(text.ok()) << c.name << ": " << text.status();
    EXPECT_EQ(understood(std::string(*text)), "track [E?>] user_id=u1= anonymous_id=u1? {}") << c.name;
  }
  std::string scratch;
  EXPECT_FALSE(posthog_json("N4IgL", "lz64", 1000, scratch).ok());
  EXPECT_FALSE(posthog_json("!", "", 1000, scratch).ok());
  EXPECT_FALSE(posthog_json(zipped.substr(0, 30), "", 1000, scratch).ok());
}

TEST_F(PostHogTest, RefusesWhatHoldsNoEvents) {
  for (const char* body : {"{", "7", "{\"batch\":7}", "\"E\"", ""}) {
    EXPECT_TRUE(decoder_.open(body)) << body;
    EXPECT_EQ(decoder_.write_key(), std::nullopt) << body;
  }
}

}  // namespace
}  // namespace kehu::protocol
