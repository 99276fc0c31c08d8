#include "sensors/decoder.h"

#include <algorithm>
#include <random>

#include "base/limits.h"
#include "base/text.h"
#include "coding/packing.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "sensors/names.h"

namespace kehu::sensors {
namespace {

// Milliseconds of 2026-11-22T00:49:00Z, a minute before the test door's requests.
constexpr std::string_view kTime = "1795308540000";

std::string form(std::string_view json) { return cat("data=", coding::escaped(coding::base64(json))); }

intake::Intake decoded(intake::TestDoor& door, std::string_view query, std::string_view body) {
  static Decoder decoder;
  intake::Intake intake;
  door.sender.user_agent = "Agent/1";
  decoder.open(query, body);
  while (decoder.decode(door.sender, intake)) {
  }
  return intake;
}

intake::Intake decoded_record(intake::TestDoor& door, std::string_view json) {
  return decoded(door, {}, form(json));
}

// "track BuyOrder | user_id=u1 | {properties} | {traits} | {context}"
std::string summary(const intake::TestDoor& door, const Event& event) {
  return cat(to_string(event.type), " ", event.name, " | ", intake::described(door.policy, event.identifiers),
             " | ", event.properties, " | ", event.traits, " | ", event.context);
}

std::string refused(const intake::Records& records) {
  if (records.rejections.empty()) return "accepted";
  return cat(to_string(records.rejections[0].reason), " ", records.rejections[0].path);
}

TEST(Record, BecomesAnEvent) {
  struct Case {
    const char* name;
    const char* record;
    const char* want;
  };
  const Case cases[] = {
      {"a server's event of a login id",
       R"({"type":"track","event":"BuyOrder","time":1795308540000,"distinct_id":"u1","properties":{"$lib":"python",)"
       R"("$lib_version":"1.11.0","sku":"1","price":2.5,"tags":["a","b"],"$is_login_id":true},)"
       R"("lib":{"$lib":"python","$lib_version":"1.11.0","$lib_method":"code"},"project":"production"})",
       R"(track BuyOrder | user_id=u1 | {"sku":"1","price":2.5,"tags":["a","b"]} | {} | )"
       R"({"library":{"name":"python","version":"1.11.0","method":"code"},"sensors":{"project":"production"}})"},
      {"a server's event of somebody", R"({"type":"track","event":"A","distinct_id":"u1","properties":{}})",
       "track A | anonymous_id=u1 | {} | {} | {}"},
      {"ids of the second kind",
       R"({"type":"track","event":"A","distinct_id":"u1","login_id":"u1","anonymous_id":"a1"})",
       "track A | user_id=u1 anonymous_id=a1 | {} | {} | {}"},
      {"lists for empty objects",
       R"({"type":"track","event":"A","distinct_id":"u1","properties":[],"lib":[],"identities":[]})",
       "track A | anonymous_id=u1 | {} | {} | {}"},
      {"a repeated identity",
       R"({"type":"track","event":"A","distinct_id":"u2","identities":{"$identity_login_id":"u1","$identity_login_id":"u2"}})",
       "track A | user_id=u2 | {} | {} | {}"},
      {"milliseconds of the Python SDK",
       R"({"type":"track","event":"A","distinct_id":"u1","lib":{"$lib":"python"},"properties":{"a":"2024-01-02 03:04:05.7",)"
       R"("b":"2024-01-02 03:04:05.70","c":"2024-01-02 03:04:05.700","d":"2024-01-02 03:04:05.0","e":"2024-01-02 03:04:05",)"
       R"("f":"2024-01-02 03:04:05.x","g":"2024-01-02T03:04:05.7"}})",
       R"(track A | anonymous_id=u1 | {"a":"2024-01-02 03:04:05.007","b":"2024-01-02 03:04:05.070",)"
       R"("c":"2024-01-02 03:04:05.700","d":"2024-01-02 03:04:05.000","e":"2024-01-02 03:04:05",)"
       R"("f":"2024-01-02 03:04:05.x","g":"2024-01-02T03:04:05.7"} | {} | {"library":{"name":"python"}})"},
      {"of a profile, where $lib stands among the properties",
       R"({"type":"profile_set","distinct_id":"u1","properties":{"$lib":"python","seen":"2024-01-02 03:04:05.7"}})",
       R"(identify  | anonymous_id=u1 | {} | {"$lib":"python","seen":"2024-01-02 03:04:05.007"} | {})"},
      {"a fraction of another SDK",
       R"({"type":"track","event":"A","distinct_id":"u1","lib":{"$lib":"java"},"properties":{"a":"2024-01-02 03:04:05.7"}})",
       R"(track A | anonymous_id=u1 | {"a":"2024-01-02 03:04:05.7"} | {} | {"library":{"name":"java"}})"},
      {"a server's signup",
       R"({"type":"track_signup","event":"$SignUp","distinct_id":"u2","original_id":"a1"})",
       "track $SignUp | user_id=u2 anonymous_id=u2 anonymous_id=a1 | {} | {} | {}"},
      {"a client's signup",
       R"({"type":"track_signup","event":"$SignUp","distinct_id":"u2","original_id":"a1","login_id":"u2",)"
       R"("anonymous_id":"a1","identities":{"$identity_cookie_id":"c1","$identity_login_id":"u2",)"
       R"("$identity_anonymous_id":"a1"}})",
       "track $SignUp | user_id=u2 anonymous_id=c1 anonymous_id=a1 | {} | {} | {}"},
      {"a login by another key",
       R"({"type":"track","event":"A","distinct_id":"$identity_mobile+13912345678","login_id":"$identity_mobile+13912345678",)"
       R"("anonymous_id":"a1","identities":{"$identity_mobile":"13912345678","$identity_anonymous_id":"a1"}})",
       "track A | phone=* anonymous_id=a1 | {} | {} | {}"},
      {"identities of a mini-program",
       R"({"type":"track","event":"A","distinct_id":"o1","identities":{"$identity_mp_id":"m1",)"
       R"("$identity_mp_wx12_openid":"o1","$identity_mp_wx12_unionid":"n1","$identity_taobao_id":"t1"}})",
       R"(track A | union_id=n1 open_id=o1 anonymous_id=m1 | {} | {} | {"identities":{"$identity_taobao_id":"t1"}})"},
      {"a type of the settings", R"({"type":"track","event":"A","identities":{"$identity_member_id":7}})",
       "track A | member_id=7 | {} | {} | {}"},
      {"a binding",
       R"({"type":"track_id_bind","event":"$BindID","distinct_id":"u1","identities":{"$identity_login_id":"u1",)"
       R"("$identity_mobile":"13912345678"}})",
       "track $BindID | user_id=u1 phone=* | {} | {} | {}"},
      {"an unbinding names one",
       R"({"type":"track_id_unbind","event":"$UnbindID","distinct_id":"u1","identities":{"$identity_email":"a@b.cn",)"
       R"("$identity_login_id":"u1"},"properties":{"$device_id":"d1"}})",
       R"(track $UnbindID | email=* | {"$device_id":"d1","unbound":{"email":"sealed:*","user_id":"u1"},"distinct_id":"u1"} | {} | {})"},
      {"an unbinding of what cannot be used",
       R"({"type":"track_id_unbind","distinct_id":"u1","identities":{"$identity_taobao_id":"t1"}})",
       R"(track $UnbindID | anonymous_id=u1 | {"unbound":{"$identity_taobao_id":"t1"}} | {} | {})"},
      {"a web page",
       R"({"type":"track","event":"$pageview","distinct_id":"c1","lib":{"$lib":"js"},"properties":{"$title":"首页",)"
       R"("$url":"https://x/a?b=1","$url_path":"/a","$referrer":"","$referrer_host":"","$screen_width":800,)"
       R"("$latest_utm_source":"wx","$utm_campaign":"c11","$is_first_day":true}})",
       R"(page 首页 | anonymous_id=c1 | {"$referrer_host":"","$is_first_day":true} | {} | {"library":{"name":"js"},)"
       R"("screen":{"width":800},"page":{"url":"https://x/a?b=1","path":"/a","title":"首页","referrer":""},)"
       R"("campaign":{"name":"c11"},"latest":{"utm_source":"wx"},"ip":"203.0.113.9","userAgent":"Agent/1"})"},
      {"a page of a mini-program",
       R"({"type":"track","event":"$MPViewScreen","distinct_id":"m1","properties":{"$lib":"MiniProgram",)"
       R"("$url_path":"pages/index","$title":"","$ip":"1.2.3.4","$user_agent":"W"}})",
       R"(screen pages/index | anonymous_id=m1 | {} | {} | {"library":{"name":"MiniProgram"},)"
       R"("page":{"path":"pages/index","title":""},"ip":"1.2.3.4","userAgent":"W"})"},
      {"a screen of an app",
       R"({"type":"track","event":"$AppViewScreen","distinct_id":"m1","lib":{"$lib":"Android","$app_version":"2.1"},)"
       R"("properties":{"$lib":"Android","$app_version":"2.1","$screen_name":"MainActivity","$device_id":"D1","$wifi":true,)"
       R"("$network_type":"WIFI","$carrier":"中国移动","$os":"Android","$os_version":"12","$brand":"HUAWEI",)"
       R"("$manufacturer":"HUAWEI","$model":"P40","$timezone_offset":-480,"$country":"中国","$province":"上海","$city":"上海"}})",
       R"(screen MainActivity | device_id=d1 anonymous_id=m1 | {"$screen_name":"MainActivity"} | {} | )"
       R"({"library":{"name":"Android"},"app":{"version":"2.1"},"device":{"id":"D1","manufacturer":"HUAWEI","brand":"HUAWEI",)"
       R"("model":"P40"},"os":{"name":"Android","version":"12"},"network":{"type":"WIFI","wifi":true,"carrier":"中国移动"},)"
       R"("location":{"country":"中国","region":"上海","city":"上海"},"timezone_offset":-480,"ip":"203.0.113.9","userAgent":"Agent/1"})"},
      {"a library that says two things",
       R"({"type":"track","event":"A","distinct_id":"u","lib":{"$lib":"java"},"properties":{"$lib":"js"}})",
       R"(track A | anonymous_id=u | {"$lib":"js"} | {} | {"library":{"name":"java"}})"},
      {"profile_set",
       R"({"type":"profile_set","distinct_id":"u1","properties":{"name":"张三","$city":"上海","$is_login_id":true}})",
       R"(identify  | user_id=u1 | {} | {"name":"张三","$city":"上海"} | {})"},
      {"profile_unset", R"({"type":"profile_unset","distinct_id":"u1","properties":{"x":true,"y":true}})",
       R"(identify  | anonymous_id=u1 | {} | {"x":null,"y":null} | {})"},
      {"profile_set_once", R"({"type":"profile_set_once","distinct_id":"u1","properties":{"f":1}})",
       R"(identify  | anonymous_id=u1 | {} | {"$set_once":{"f":1}} | {})"},
      {"profile_increment", R"({"type":"profile_increment","distinct_id":"u1","properties":{"n":2}})",
       R"(identify  | anonymous_id=u1 | {} | {"$add":{"n":2}} | {})"},
      {"profile_append of a login id",
       R"({"type":"profile_append","distinct_id":"u1","properties":{"tags":["a"],"$is_login_id":true}})",
       R"(identify  | user_id=u1 | {} | {"$append":{"tags":["a"]}} | {})"},
      {"profile_delete", R"({"type":"profile_delete","distinct_id":"u1","properties":{}})",
       R"(identify  | anonymous_id=u1 | {} | {"$clear":true} | {})"},
      {"item_set", R"({"type":"item_set","item_type":"sku","item_id":"1","properties":{"name":"n"}})",
       R"(track $item_set | user_id=sensors:item? anonymous_id=sensors:item? | {"name":"n","item_type":"sku","item_id":"1"} | {} | {})"},
      {"item_delete", R"({"type":"item_delete","item_type":"sku","item_id":"1"})",
       R"(track $item_delete | user_id=sensors:item? anonymous_id=sensors:item? | {"item_type":"sku","item_id":"1"} | {} | {})"},
      {"a record of an SDK to come",
       R"({"type":"track","event":"A","distinct_id":"u","_hybrid_h5":true,"token":"secret","new":{"a":1},"lib":{"$lib":"Node","x":1}})",
       R"(track A | anonymous_id=u | {} | {} | {"library":{"name":"Node","x":1},"sensors":{"_hybrid_h5":true,"new":{"a":1}}})"},
      {"escapes in names and values",
       R"({"type":"track","event":"\u0041","distinct_id":"u\"1","properties":{"\u0062":"\n"}})",
       "track A | anonymous_id=u\"1 | {\"\\u0062\":\"\\n\"} | {} | {}"},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    const intake::Intake intake = decoded_record(door, c.record);
    const intake::Records records(intake);
    ASSERT_EQ(records.events.size(), 1u)
        << c.name << ": " << refused(records) << " " << records.rejections[0].detail;
    std::string got = summary(door, records.event());
    // What is sealed differs from run to run.
    for (size_t at = 0; (at = got.find("\"sealed:", at)) != got.npos;) {
      at += 8;
      got.replace(at, got.find('"', at) - at, "*");
    }
    EXPECT_EQ(got, c.want) << c.name;
  }
}

TEST(Record, ThatBreaksARuleIsKeptAsReceived) {
  const std::string long_id(256, 'i'), long_name(101, 'n');
  const std::string old_time = cat(1795308540000 - int64_t{735} * 86'400'000);
  struct Case {
    const char* name;
    std::string record;
    const char* want;
  };
  const Case cases[] = {
      {"no object", "[1]", "not_an_object "},
      {"no type", R"({"event":"A","distinct_id":"u"})", "missing_type "},
      {"unknown type", R"({"type":"Track","event":"A","distinct_id":"u"})", "unknown_type /type"},
      {"no event", R"({"type":"track","distinct_id":"u"})", "missing_event_name "},
      {"empty event", R"({"type":"track","event":"","distinct_id":"u"})", "missing_event_name /event"},
      {"a Chinese name", R"({"type":"track","event":"加购","distinct_id":"u"})", "invalid_name /event"},
      {"a name with a digit first", R"({"type":"track","event":"1a","distinct_id":"u"})",
       "invalid_name /event"},
      {"a long name", cat(R"({"type":"track","event":")", long_name, R"(","distinct_id":"u"})"),
       "invalid_name /event"},
      {"a reserved name", R"({"type":"track","event":"Time","distinct_id":"u"})", "invalid_name /event"},
      {"a property's name", R"({"type":"track","event":"A","distinct_id":"u","properties":{"a-b":1}})",
       "invalid_name /properties/a-b"},
      {"a reserved property", R"({"type":"profile_set","distinct_id":"u","properties":{"user_tag_x":1}})",
       "invalid_name /properties/user_tag_x"},
      {"an object as value", R"({"type":"track","event":"A","distinct_id":"u","properties":{"a":{"b":1}}})",
       "invalid_field /properties/a"},
      {"a list of lists", R"({"type":"track","event":"A","distinct_id":"u","properties":{"a":["x",[1]]}})",
       "invalid_field /properties/a/1"},
      {"properties of another kind", R"({"type":"track","event":"A","distinct_id":"u","properties":[1]})",
       "invalid_field /properties"},
      {"nothing to add", R"({"type":"profile_increment","distinct_id":"u","properties":{"n":"1"}})",
       "invalid_field /properties/n"},
      {"too much to add", R"({"type":"profile_increment","distinct_id":"u","properties":{"a":1,"n":1e15}})",
       "invalid_field /properties/n"},
      {"nothing to append", R"({"type":"profile_append","distinct_id":"u","properties":{"n":"1"}})",
       "invalid_field /properties/n"},
      {"no id", R"({"type":"track","event":"A"})", "no_identifier "},
      {"an id that is none", R"({"type":"track","event":"A","distinct_id":true})",
       "invalid_field /distinct_id"},
      {"a long id", cat(R"({"type":"track","event":"A","distinct_id":")", long_id, R"("})"),
       "identifier_too_long /distinct_id"},
      {"a long identity",
       cat(R"({"type":"track","event":"A","identities":{"$identity_login_id":")", long_id, R"("}})"),
       "identifier_too_long /identities/$identity_login_id"},
      {"identities of another kind", R"({"type":"track","event":"A","identities":"u"})",
       "invalid_field /identities"},
      {"no time", R"({"type":"track","event":"A","distinct_id":"u","time":"soon"})", "invalid_time /time"},
      {"more than two years old",
       cat(R"({"type":"track","event":"A","distinct_id":"u","time":)", old_time, "}"),
       "time_out_of_range /time"},
      {"tomorrow", R"({"type":"track","event":"A","distinct_id":"u","time":1795395000000})",
       "time_in_future /time"},
      {"an amount", R"({"type":"track","event":"A","distinct_id":"u","properties":{"price":1e20}})",
       "amount_out_of_range /properties/price"},
      {"an item without id", R"({"type":"item_set","item_type":"sku"})", "invalid_field "},
      {"a record that is too large",
       cat(R"({"type":"track","event":"A","distinct_id":"u","properties":{"a":")", std::string(33'000, 'x'),
           R"("}})"),
       "event_too_large "},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    const intake::Intake intake = decoded_record(door, cat("[", c.record, "]"));
    const intake::Records records(intake);
    ASSERT_EQ(records.events.size(), 0u) << c.name;
    ASSERT_EQ(records.rejections.size(), 1u) << c.name;
    EXPECT_EQ(refused(records), c.want) << c.name << ": " << records.rejections[0].detail;
    EXPECT_EQ(records.rejections[0].origin, "/v1/batch:1") << c.name;
    EXPECT_EQ(records.rejections[0].sealed_payload, door.door.seal_payload(c.record)) << c.name;
  }
}

TEST(Record, TimesAreCorrectedByTheFlush) {
  const Instant received = intake::TestDoor().sender.received_at;
  struct Case {
    const char* name;
    std::string times;
    Duration age;
  };
  const int64_t now_ms = received.micros() / 1000;
  const Case cases[] = {
      {"a right clock", cat("\"time\":", now_ms - 60'000), Duration::seconds(60)},
      {"seconds", cat("\"time\":", now_ms / 1000 - 60), Duration::seconds(60)},
      {"a clock a day ahead", cat("\"time\":", now_ms + 86'340'000, ",\"_flush_time\":", now_ms + 86'400'000),
       Duration::seconds(60)},
      {"a clock of 2010", cat("\"time\":1262304000000,\"_flush_time\":1262304060000"), Duration::seconds(60)},
      {"long ago, and meant so", "\"time\":1262304000000,\"time_free\":true",
       received - Instant::from_seconds(1'262'304'000)},
      {"no time", "\"_flush_time\":1795308541000", Duration()},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    const intake::Intake intake =
        decoded_record(door, cat(R"({"type":"track","event":"A","distinct_id":"u",)", c.times, "}"));
    const intake::Records records(intake);
    ASSERT_EQ(records.events.size(), 1u) << c.name << ": " << refused(records);
    EXPECT_EQ((received - records.event().time).micros(), c.age.micros()) << c.name;
  }
}

TEST(Decoder, TraitsOfOneMillisecondKeepTheirOrder) {
  intake::TestDoor door;
  const auto record = [](const char* type, const char* properties) {
    return cat(R"({"type":")", type, R"(","distinct_id":"u","time":)", kTime, R"(,"properties":)", properties,
               "}");
  };
  const intake::Intake intake = decoded_record(
      door, cat("[", record("profile_set", R"({"a":2})"), ",", record("profile_set", R"({"a":1})"), ",",
                record("profile_unset", R"({"a":true})"), "]"));
  const intake::Records records(intake);
  ASSERT_EQ(records.events.size(), 3u);
  EXPECT_LT(records.event(0).time, records.event(1).time);
  EXPECT_LT(records.event(1).time, records.event(2).time);
  EXPECT_EQ(records.event(0).original_time, records.event(2).original_time);
}

TEST(Record, IsKnownAgain) {
  struct Case {
    const char* name;
    const char* first;
    const char* second;
    bool same;
  };
  const Case cases[] = {
      {"by its track id", R"("_track_id":7,"time":1795308540000,"_flush_time":1795308540000)",
       R"("_track_id":7,"time":1795308540000,"_flush_time":1795308599000)", true},
      {"by its track id without a time", R"("_track_id":7)", R"("_track_id":7)", true},
      {"another track id", R"("_track_id":7,"time":1795308540000)", R"("_track_id":8,"time":1795308540000)",
       false},
      {"by its content", R"("time":1795308540000)", R"("time":1795308540000)", true},
      {"another time", R"("time":1795308540000)", R"("time":1795308540001)", false},
      {"nothing to know it by", "\"a\":1", "\"a\":1", false},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    std::pair<Hash128, uint64_t> keys[2];
    for (int i = 0; i < 2; ++i) {
      door.sender.received_at = door.sender.received_at + Duration::seconds(1);
      const intake::Intake intake = decoded_record(
          door, cat(R"({"type":"track","event":"A","distinct_id":"u",)", i == 0 ? c.first : c.second, "}"));
      const intake::Records records(intake);
      ASSERT_EQ(records.events.size(), 1u) << c.name;
      keys[i] = {records.event().message_key, records.event().body_hash};
    }
    EXPECT_EQ(keys[0] == keys[1], c.same) << c.name;
  }
}

TEST(Body, IsReadHoweverItIsPacked) {
  // Long, so that base64 and gzip have every character; a body of +, / and = is the point.
  const std::string record = cat(R"({"type":"track","event":"A","distinct_id":"u","time":)", kTime,
                                 R"(,"properties":{"t":"¾¿÷ûþ??>>~~~"}})");
  const std::string list = cat("[", record, "]");
  const std::string plain = coding::base64(record), packed = coding::base64(coding::gzipped(record)),
                    packed_list = coding::base64(coding::gzipped(list));
  const std::string crc = cat(java_hash(plain));
  std::string spaces = plain, url_safe = plain;
  std::replace(spaces.begin(), spaces.end(), '+', ' ');
  for (char& c : url_safe) c = c == '+' ? '-' : c == '/' ? '_' : c;
  ASSERT_NE(spaces, plain) << "the record needs a + in its base64";
  struct Case {
    const char* name;
    std::string query;
    std::string body;
  };
  const Case cases[] = {
      {"an image", cat("project=p&data=", coding::escaped(plain), "&ext=crc%3D", crc), ""},
      {"a beacon", "project=p", cat("data=", coding::escaped(plain), "&ext=crc%3D", crc)},
      {"ext not escaped", "", cat("data=", coding::escaped(plain), "&ext=crc=", crc)},
      {"gzip and a list", "",
       cat("crc=", java_hash(packed_list), "&gzip=1&data_list=", coding::escaped(packed_list))},
      {"gzip=0 that is gzip", "", cat("data=", coding::escaped(packed), "&gzip=0")},
      {"gzip=1 that is none", "", cat("gzip=1&data=", coding::escaped(plain))},
      {"base64 not escaped", "", cat("data=", plain)},
      {"base64 with + as space", "", cat("data=", spaces)},
      {"base64 with + as %20", "", cat("data=", coding::escaped(spaces))},
      {"base64 of URLs", "", cat("data=", url_safe)},
      {"a list as data", "", cat("data=", coding::escaped(coding::base64(list)))},
      {"JSON not in base64", "", cat("data_list=", coding::escaped(list))},
      {"JSON as body", "", list},
      {"a compressed body", "", coding::gzipped(cat("data=", coding::escaped(plain)))},
      {"a byte order mark", "", cat("data=", coding::escaped(coding::base64(cat("\xef\xbb\xbf", record))))},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    const intake::Intake intake = decoded(door, c.query, c.body);
    const intake::Records records(intake);
    ASSERT_EQ(records.events.size(), 1u) << c.name << ": " << refused(records);
    EXPECT_EQ(records.event().properties, R"({"t":"¾¿÷ûþ??>>~~~"})") << c.name;
  }
}

TEST(Body, ThatCannotBeReadIsKeptWhole) {
  const std::string record = R"({"type":"track","event":"A","distinct_id":"u"})";
  const std::string plain = coding::base64(record);
  const std::string bomb = coding::base64(coding::gzipped(std::string(Body::kTextBytes + 1, ' ')));
  struct Case {
    const char* name;
    std::string body;
    const char* want;
    std::string kept = {};
  };
  const Case cases[] = {
      {"another crc", cat("data=", plain, "&crc=17"), "checksum_mismatch "},
      {"a crc that is none", cat("data=", plain, "&crc=x"), "checksum_mismatch "},
      {"encrypted, but no base64", "gzip=9&data_list=***", "unreadable_body "},
      {"an encrypted body with another crc", "gzip=9&data_list=W10=&crc=17", "checksum_mismatch "},
      {"no data", "hello=1", "unreadable_body "},
      {"no base64", "data=***", "unreadable_body "},
      {"damaged gzip", cat("data=", coding::escaped(coding::base64(coding::gzipped(record).substr(0, 40)))),
       "unreadable_body "},
      {"a bomb", cat("data=", coding::escaped(bomb)), "unreadable_body "},
      {"no JSON", cat("data=", coding::escaped(coding::base64("{\"a\":"))), "invalid_json ", "{\"a\":"},
      {"no UTF-8", cat("data=", coding::escaped(coding::base64("{\"a\":\"\xff\"}"))), "invalid_utf8 ",
       "{\"a\":\"\xff\"}"},
  };
  intake::TestDoor door;
  for (const Case& c : cases) {
    const intake::Intake intake = decoded(door, "project=p", c.body);
    const intake::Records records(intake);
    ASSERT_EQ(records.rejections.size(), 1u) << c.name;
    EXPECT_EQ(refused(records), c.want) << c.name;
    EXPECT_EQ(records.rejections[0].sealed_payload, door.door.seal_payload(c.kept.empty() ? c.body : c.kept))
        << c.name;
    EXPECT_FALSE(records.rejections[0].repeat_key.is_zero()) << c.name;
  }
  EXPECT_TRUE(decoded(door, "project=p", "").records.empty());
}

TEST(Body, JavaHash) {
  EXPECT_EQ(java_hash(""), 0);
  EXPECT_EQ(java_hash("a"), 97);
  EXPECT_EQ(java_hash("hello"), 99'162'322);
  EXPECT_EQ(java_hash("The quick brown fox"), -1'739'336'029);
}

TEST(Decoder, ABrokenRecordDoesNotCostItsNeighbours) {
  const std::string good = R"({"type":"track","event":"A","distinct_id":"u"})";
  const std::string deep = cat(R"({"type":"track","a":)", std::string(80, '['), std::string(80, ']'), "}");
  const std::string bodies[] = {cat("[", good, R"(,{"type":,},)", good, "]"),
                                cat("[", good, ",", deep, ",", good, "]"),
                                cat("[", good, ",{\"a\":\"\xff\"},", good, "]")};
  intake::TestDoor door;
  for (const std::string& body : bodies) {
    const intake::Intake intake = decoded_record(door, body);
    const intake::Records records(intake);
    EXPECT_EQ(records.events.size(), 2u) << body;
    ASSERT_EQ(records.rejections.size(), 1u) << body;
    EXPECT_EQ(records.rejections[0].origin, "/v1/batch:2") << body;
  }
}

TEST(Decoder, RecordsBeyondTheLimitAreOneRejection) {
  std::string body = "[";
  for (uint32_t i = 0; i < Decoder::kRecords + 10; ++i) {
    body += cat(i == 0 ? "" : ",", R"({"type":"track","event":"A","distinct_id":"u","time":)",
                1795308000000 + i, "}");
  }
  body += "]";
  intake::TestDoor door;
  const intake::Intake intake = decoded_record(door, body);
  const intake::Records records(intake);
  EXPECT_EQ(records.events.size(), Decoder::kRecords);
  ASSERT_EQ(records.rejections.size(), 1u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kTooManyEvents);
}

TEST(Decoder, FindsWriteKeys) {
  Decoder decoder;
  const std::string body = form(R"([{"token":"t2","project":"production"}])");
  decoder.open("project=p%20q&token=t1", body);
  EXPECT_EQ(decoder.write_keys(), (std::vector<std::string>{"t1", "p q", "t2", "production"}));
}

TEST(SensorsText, IsTold) {
  struct Case {
    const char* text;
    bool want;
  };
  const Case cases[] = {{R"({"type":"track","event":"A","distinct_id":"u"})", true},
                        {R"([{"type":"item_set"}])", true},
                        {R"({"type":"profile_set"})", true},
                        {R"({"type":"track","event":"A","user_id":"u"})", false},
                        {R"({"event":"A","user_id":"u"})", false},
                        {"nothing", false}};
  for (const Case& c : cases) EXPECT_EQ(is_sensors_text(c.text), c.want) << c.text;
}

TEST(SensorsNames, Libraries) {
  struct Case {
    const char* lib;
    Channel want;
  };
  const Case cases[] = {{"js", Channel::kWeb},
                        {"MiniProgram", Channel::kMiniProgram},
                        {"AlipayMini", Channel::kMiniProgram},
                        {"Android", Channel::kApp},
                        {"iOS", Channel::kApp},
                        {"python", Channel::kServer},
                        {"Node", Channel::kServer},
                        {"Fridge", Channel::kUnknown}};
  for (const Case& c : cases) EXPECT_EQ(channel_of_library(c.lib), c.want) << c.lib;
}

}  // namespace
}  // namespace kehu::sensors
