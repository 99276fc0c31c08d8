#include "intake/bulk.h"

#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "intake/test_stored.h"
#include "seal/opener.h"

namespace kehu::intake {
namespace {

class BulkTest : public testing::Test {
 protected:
  BulkTest() { door_.sender.origin = "/api/v1/events"; }

  Records decode(std::string_view body, size_t chunk = 1 << 20) {
    intake_.clear();
    BulkDecoder decoder(door_.sender);
    for (size_t at = 0; at < body.size(); at += chunk) decoder.feed(body.substr(at, chunk), intake_);
    decoder.finish(intake_);
    return Records(intake_);
  }

  TestDoor door_;
  Intake intake_;
};

TEST_F(BulkTest, ReadsOurPlainForm) {
  const Records records = decode(
      R"({"event":"Order Completed","user_id":"u1","phone":"138 1234 5678","open_id":["o1","o2",null],)"
      R"("time":"2026-11-20T10:00:00+08:00","message_id":"m1","properties":{"total":12.5},"traits":{"city":"上海"},)"
      R"("context":{"a":1},"channel":"shop","store":"S1"})");
  ASSERT_EQ(records.events.size(), 1u);
  const Event& event = records.event();
  EXPECT_EQ(event.type, EventType::kTrack);
  EXPECT_EQ(event.name, "Order Completed");
  EXPECT_EQ(event.message_id, "m1");
  EXPECT_EQ(event.channel, Channel::kShop);
  EXPECT_EQ(format_utc(event.time), "2026-11-20T02:00:00.000Z");
  EXPECT_EQ(event.properties, R"({"total":12.5,"store":"S1"})");
  EXPECT_EQ(event.traits, R"({"city":"上海"})");
  EXPECT_EQ(event.context, R"({"a":1})");
  EXPECT_EQ(described(door_.policy, event.identifiers), "user_id=u1 phone=* open_id=o1 open_id=o2");
}

// The test door's requests come at 2026-11-22T00:50:00Z.
TEST_F(BulkTest, ASendersClockIsCorrectedBySentAt) {
  struct Case {
    const char* name;
    const char* members;
    const char* want;
  };
  const Case cases[] = {
      {"a clock a day behind", R"("time":"2026-11-21T00:40:00Z","sent_at":"2026-11-21T00:50:00Z")",
       "2026-11-22T00:40:00.000Z"},
      {"a clock a day ahead", R"("time":"2026-11-22T01:40:00Z","sent_at":"2026-11-22T01:50:00Z")",
       "2026-11-22T00:40:00.000Z"},
      {"it says nothing", R"("time":"2026-11-21T00:40:00Z")", "2026-11-21T00:40:00.000Z"},
      {"no time of sending", R"("time":"2026-11-21T00:40:00Z","sent_at":"soon")", "2026-11-21T00:40:00.000Z"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Records records = decode(cat(R"({"event":"E","user_id":"u1",)", c.members, "}"));
    ASSERT_EQ(records.events.size(), 1u);
    EXPECT_EQ(format_utc(records.event().time), c.want);
    EXPECT_EQ(records.event().properties, "{}");
  }
}

TEST_F(BulkTest, OnlyUploadsWriteTraitsOfLists) {
  const char* cases[] = {
      R"({"list:VIP/1":{"upload":"a1","text":null}})",
      R"({"a":1,"list:VIP/1":null})",
      R"({"\u006cist:VIP/1":null})",
      R"({"$unset":["a","list:VIP/1"]})",
      R"({"$unset":{"list:VIP/1":true}})",
      R"({"$set_once":{"list:VIP/1":{"upload":"a1"}}})",
      R"({"$append":{"list:VIP/1":["a"]}})",
  };
  for (const char* traits : cases) {
    const std::string event = cat(R"({"type":"identify","user_id":"u1","traits":)", traits, "}");
    door_.sender.list_traits = ListTraits::kRefused;
    const Records refused = decode(event);
    ASSERT_EQ(refused.rejections.size(), 1u) << traits;
    EXPECT_EQ(refused.rejections[0].reason, Reason::kReservedKey) << traits;
    door_.sender.list_traits = ListTraits::kAllowed;
    EXPECT_EQ(decode(event).events.size(), 1u) << traits;
  }
  door_.sender.list_traits = ListTraits::kRefused;
  EXPECT_EQ(decode(R"({"event":"A","user_id":"u1","properties":{"list:VIP/1":1},"traits":{"list":1}})")
                .events.size(),
            1u)
      << "a property, and a trait of another name";
}

// Several events of one shape stand in one body, so that what was found out about the first is not taken for
// the next.
TEST_F(BulkTest, RepeatedKeysAreSettledOnce) {
  struct Case {
    const char* name;
    const char* members;
    const char* properties;
  };
  const Case cases[] = {
      {"none", R"("properties":{"a":1,"b":2})", R"({"a":1,"b":2})"},
      {"the last", R"("properties":{"a":1,"a":2})", R"({"a":2})"},
      {"of three", R"("properties":{"a":1,"a":2,"a":3})", R"({"a":3})"},
      {"again", R"("properties":{"a":1,"a":2,"a":3})", R"({"a":3})"},
      {"the same places, other nesting", R"("properties":{"a":{"b":1},"b":2})", R"({"a":{"b":1},"b":2})"},
      {"one object now", R"("properties":{"a":{"b":1,"b":2}})", R"({"a":{"b":2}})"},
      {"nested", R"("properties":{"a":{"b":1,"b":2},"b":3})", R"({"a":{"b":2},"b":3})"},
      {"in a list", R"("properties":{"l":[{"c":1,"c":2},{"c":3}]})", R"({"l":[{"c":2},{"c":3}]})"},
      {"of whole objects", R"("properties":{"a":{"x":1},"b":0,"a":{"y":2}})", R"({"b":0,"a":{"y":2}})"},
      {"by an escape", R"("properties":{"a":1,"\u0061":2})", R"({"\u0061":2})"},
      {"halves of characters", R"("properties":{"\ud83d":1,"\ud83e":2})", "{\"\xef\xbf\xbd\":2}"},
      {"null is last", R"("properties":{"a":1,"a":null})", R"({"a":null})"},
      {"beside the properties", R"("total":99.5,"properties":{"total":100})", R"({"total":100})"},
      {"behind the properties", R"("properties":{"total":100},"total":99.5)", R"({"total":100})"},
      {"null among the properties", R"("total":99.5,"properties":{"total":null})", R"({"total":null})"},
      {"two beside them", R"("store":1,"store":2)", R"({"store":2})"},
      {"an object beside them", R"("store":{"x":1,"x":2})", R"({"store":{"x":2}})"},
      {"a name", R"("name":"n","properties":{"name":null})", R"({"name":null})"},
      {"a category in both", R"("category":"c","properties":{"category":"d"})", R"({"category":"d"})"},
      {"a group in the other spelling", R"("group_id":"g","properties":{"group_id":"h"})",
       R"({"group_id":"h"})"},
      {"properties twice", R"("properties":{"a":1},"properties":{"b":2})", R"({"b":2})"},
      {"many", R"("properties":{"k1":1,"k2":1,"k3":1,"k4":1,"k5":1,"k6":1,"k7":1,"k8":1,"k9":1,"k1":2})",
       R"({"k2":1,"k3":1,"k4":1,"k5":1,"k6":1,"k7":1,"k8":1,"k9":1,"k1":2})"},
  };
  std::string body;
  for (const Case& c : cases) body += cat(R"({"event":"E","user_id":"u1",)", c.members, "}\n");
  const Records records = decode(body);
  ASSERT_EQ(records.events.size(), std::size(cases));
  check_stored(intake_);
  for (size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(records.event(i).properties, cases[i].properties) << cases[i].name;
  }
}

TEST_F(BulkTest, ARepeatedPersonalValueIsSealedOnce) {
  const Records records = decode(
      R"({"type":"identify","user_id":"u1","traits":{"phone":"13812345678","level":"gold","phone":"13812345679"}})");
  ASSERT_EQ(records.events.size(), 1u);
  check_stored(intake_);
  EXPECT_EQ(described(door_.policy, records.event().identifiers), "user_id=u1 phone=*");
  EXPECT_TRUE(records.event().traits.starts_with(R"({"level":"gold","phone":"sealed:)"))
      << records.event().traits;
}

TEST_F(BulkTest, OfARepeatedIdentifierTheLastCounts) {
  struct Case {
    const char* members;
    const char* want;
  };
  const Case cases[] = {
      {R"("user_id":"a1","user_id":"a2")", "user_id=a2"},
      {R"("user_id":"a1","anonymous_id":"vis-1","user_id":null)", "anonymous_id=vis-1"},
      {R"("user_id":"a1","userId":"a2")", "user_id=a1 user_id=a2"},
      {R"("identifiers":{"user_id":"a1","user_id":"a2"})", "user_id=a2"},
      {R"("identifiers":{"user_id":"a1"},"identifiers":{"user_id":"a2"})", "user_id=a2"},
      {R"("identifiers":[],"user_id":"a1")", "user_id=a1"},
  };
  for (const Case& c : cases) {
    const Records records = decode(cat(R"({"event":"E",)", c.members, "}"));
    ASSERT_EQ(records.events.size(), 1u) << c.members;
    EXPECT_EQ(described(door_.policy, records.event().identifiers), c.want) << c.members;
  }
}

TEST_F(BulkTest, AnEmptyListIsAnEmptyObject) {
  const Records good = decode(R"({"event":"E","user_id":"u1","properties":[],"traits":[ ],"context":[]})");
  ASSERT_EQ(good.events.size(), 1u);
  EXPECT_EQ(good.event().properties, "{}");
  EXPECT_EQ(good.event().traits, "{}");
  EXPECT_EQ(good.event().context, "{}");
  for (const char* member : {"properties", "traits", "context", "identifiers"}) {
    const Records bad = decode(cat(R"({"event":"E","user_id":"u1",")", member, R"(":[1]})"));
    ASSERT_EQ(bad.rejections.size(), 1u) << member;
    EXPECT_EQ(bad.rejections[0].reason, Reason::kInvalidField) << member;
  }
}

TEST_F(BulkTest, ComesInPartsOfABoundedSize) {
  std::string body = R"({"event":"A","user_id":"u1"})";
  for (int i = 0; i < 5000; ++i) body += "\n{";
  body += "\n" + std::string(R"({"event":"B","user_id":"u1"})");
  BulkDecoder decoder(door_.sender);
  decoder.begin(body);
  decoder.end();
  size_t events = 0, rejections = 0, parts = 0;
  for (bool more = true; more; ++parts) {
    intake_.clear();
    more = decoder.decode(64 << 10, intake_);
    EXPECT_LT(intake_.records.bytes.size(), 128u << 10);
    events += intake_.accepted;
    rejections += intake_.rejected;
  }
  EXPECT_EQ(events, 2u);
  EXPECT_EQ(rejections, 5000u);
  EXPECT_GT(parts, 2u);
}

TEST_F(BulkTest, TwoBodiesShareAWorkspace) {
  BulkWorkspace workspace;
  BulkDecoder first(door_.sender, workspace), second(door_.sender, workspace);
  intake_.clear();
  first.feed(R"({"event":"A","user_id":"u1","phone":"138 1234 5678","n":)", intake_);
  second.feed(R"({"event":"B","user_id":"u2"})"
              "\n{\"event\":",
              intake_);
  first.feed("1}\n", intake_);
  second.feed(R"("C","user_id":"u2"})", intake_);
  first.finish(intake_);
  second.finish(intake_);
  const Records records(intake_);
  ASSERT_EQ(records.events.size(), 3u);
  EXPECT_EQ(records.event(0).name, "B");
  EXPECT_EQ(records.event(1).properties, R"({"n":1})");
  EXPECT_EQ(records.event(2).name, "C");
}

TEST_F(BulkTest, WholeBodiesOneAfterTheOther) {
  BulkDecoder decoder(door_.sender);
  intake_.clear();
  const std::string_view bodies[] = {
      R"({"event":"A","user_id":"u1"})", R"([{"event":"B","user_id":"u1"},)", "",
      "{\"event\":\"C\",\"user_id\":\"u1\"}\n\n{\"event\":\"D\",\"user_id\":\"u1\"}"};
  for (const std::string_view body : bodies) decoder.decode_whole(body, intake_);
  const Records records(intake_);
  ASSERT_EQ(records.events.size(), 4u);
  EXPECT_EQ(records.event(3).name, "D");
  ASSERT_EQ(records.rejections.size(), 1u);  // the array that is not closed
}

TEST_F(BulkTest, ReadsSegmentsSpellingAndIdentifierObjects) {
  struct Case {
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {R"({"event":"E","userId":"u1","anonymousId":"a1"})", "user_id=u1 anonymous_id=a1"},
      {R"({"event":"E","openId":"o1"})", "open_id=o1"},
      {R"({"event":"E","identifiers":{"email":["a@b.cn","c@d.cn"],"member_id":7}})",
       "member_id=7 email=* email=*"},
      {R"({"type":"identify","user_id":"u1","traits":{"email":"a@b.cn"}})", "user_id=u1 email=*"},
      {R"({"type":"alias","user_id":"u2","previous_id":"u1"})", "user_id=u2 user_id=u1< anonymous_id=u1<"},
  };
  for (const Case& c : cases) {
    const Records records = decode(c.given);
    ASSERT_EQ(records.events.size(), 1u) << c.given;
    EXPECT_EQ(described(door_.policy, records.event().identifiers), c.want) << c.given;
  }
}

TEST_F(BulkTest, KeepsWhatItDoesNotKnowAsProperties) {
  const Records records =
      decode(R"({"event":"E","user_id":"u","name":"N","email":"a@b.cn","x":{"phone":"1"},)"
             R"("writeKey":"secret","integrations":{}})");
  ASSERT_EQ(records.events.size(), 1u);
  const std::string_view properties = records.event().properties;
  EXPECT_TRUE(properties.starts_with(R"({"x":{"phone":"sealed:)")) << properties;
  EXPECT_TRUE(properties.ends_with(R"(,"name":"N"})")) << properties;
  EXPECT_EQ(properties.find("secret"), properties.npos);
}

TEST_F(BulkTest, RefusesChangesOfTraitsThatCannotBe) {
  struct Case {
    const char* traits;
    const char* want;  // where; nullptr: nothing is wrong
  };
  const Case cases[] = {
      {R"({"$set_once":{"a":1},"$add":{"n":2,"m":null},"$append":{"t":["a"],"u":"b"}})", nullptr},
      {R"({"$unset":["a","b"],"$clear":true,"$other":7})", nullptr},
      {R"({"$set_once":[1]})", "/traits/$set_once"},
      {R"({"$add":5})", "/traits/$add"},
      {R"({"$add":{"n":"5"}})", "/traits/$add/n"},
      {R"({"$add":{"a":1,"n":1e15}})", "/traits/$add/n"},
      {R"({"$append":{"t":{"a":1}}})", "/traits/$append/t"},
      {R"({"$unset":"a"})", "/traits/$unset"},
      {R"({"$unset":["a",7]})", "/traits/$unset/1"},
      {R"({"$clear":"yes"})", "/traits/$clear"},
  };
  for (const Case& c : cases) {
    const Records records = decode(cat(R"({"type":"identify","user_id":"u","traits":)", c.traits, "}"));
    ASSERT_EQ(records.rejections.size(), c.want == nullptr ? 0u : 1u) << c.traits;
    if (c.want == nullptr) continue;
    EXPECT_EQ(records.rejections[0].reason, Reason::kInvalidField) << c.traits;
    EXPECT_EQ(records.rejections[0].path, c.want) << c.traits;
  }
}

TEST_F(BulkTest, BrokenLinesDoNotStopTheRest) {
  const std::string large = cat(R"({"event":")", std::string(limits::kEventBytes, 'x'), "\"}");
  const std::string body =
      cat("{\"event\":\"A\",\"user_id\":\"u\"}\n", "{\"event\":\n", "[1]\n", "\xff\n", large, "\n",
          "{\"event\":\"B\"}\n", "{\"event\":\"C\",\"identifiers\":{\"x\":1}}\n",
          "{\"event\":\"D\",\"user_id\":\"u\"}");
  for (const size_t chunk : {size_t{1}, size_t{100}, size_t{1} << 20}) {
    const Records records = decode(body, chunk);
    EXPECT_EQ(records.events.size(), 2u);
    std::string got;
    for (const Rejection& rejection : records.rejections) {
      got.append(cat(rejection.origin, " ", to_string(rejection.reason), " ", rejection.path, "\n"));
    }
    EXPECT_EQ(got,
              "/api/v1/events:2 invalid_json \n"
              "/api/v1/events:3 not_an_object \n"
              "/api/v1/events:4 invalid_utf8 \n"
              "/api/v1/events:5 event_too_large \n"
              "/api/v1/events:6 no_identifier \n"
              "/api/v1/events:7 invalid_field /identifiers/x\n");
  }
}

TEST_F(BulkTest, RejectsAnEventThatIsNestedTooDeeplyAlone) {
  const auto deep = [](size_t depth) {
    return cat(R"({"event":"D","user_id":"u","x":)", std::string(depth, '['), std::string(depth, ']'), "}");
  };
  const std::string good = R"({"event":"A","user_id":"u"})";
  const std::string fits = deep(limits::kJsonDepth - 1), too_deep = deep(limits::kJsonDepth);
  for (const std::string& body : {cat(good, "\n", too_deep, "\n", fits, "\n", good),
                                  cat("[", good, ",", too_deep, ",", fits, ",", good, "]")}) {
    const Records records = decode(body);
    EXPECT_EQ(records.events.size(), 3u);
    ASSERT_EQ(records.rejections.size(), 1u);
    EXPECT_EQ(records.rejections[0].reason, Reason::kInvalidJson);
    EXPECT_EQ(records.rejections[0].origin, "/api/v1/events:2");
    EXPECT_EQ(records.rejections[0].detail, "invalid JSON at byte 94: nested too deeply");
  }
}

TEST_F(BulkTest, TheSenderNamesThePlaceOfAnEvent) {
  const std::string long_name(301, 'n');
  const std::string large =
      cat(R"({"$origin":"o.csv:9","event":")", std::string(limits::kEventBytes, 'x'), "\"}");
  const std::string body =
      cat(R"({"$origin":"订单 1.csv:17","event":"A","user_id":"u","message_id":"m"})", "\n",
          R"({"$origin":"o.csv:18","event":"A"})", "\n", R"({"$origin":"o.csv:19","event":})", "\n", large,
          "\n", R"({"$origin":"a\"b","event":"A"})", "\n", R"({"$origin":"x"})", "\n", R"({"$origin":")",
          long_name, R"(","event":"A"})", "\n", "{\"$origin\":\"\xff\",\"event\":\"A\"}\n",
          R"({"event":"A","$origin":"x"})");
  for (const size_t chunk : {size_t{1}, size_t{1} << 20}) {
    const Records records = decode(body, chunk);
    ASSERT_EQ(records.events.size(), 1u);
    EXPECT_EQ(records.event().properties, "{}");
    std::string got;
    for (const Rejection& rejection : records.rejections) {
      got.append(cat(rejection.origin, " ", to_string(rejection.reason), "\n"));
    }
    EXPECT_EQ(got,
              "o.csv:18 no_identifier\n"
              "o.csv:19 invalid_json\n"
              "o.csv:9 event_too_large\n"
              "/api/v1/events:5 no_identifier\n"
              "/api/v1/events:6 missing_event_name\n"
              "/api/v1/events:7 no_identifier\n"
              "/api/v1/events:8 invalid_utf8\n"
              "/api/v1/events:9 no_identifier\n");
    seal::Opener opener(door_.key, door_.ring);
    EXPECT_EQ(opener.open_payload(records.rejections[0].sealed_payload).value, R"({"event":"A"})");
  }
}

TEST_F(BulkTest, CountsRejectionsByReason) {
  (void)decode("{\n{\n{\"event\":\"A\"}\n");
  EXPECT_EQ(intake_.rejected_by_reason[static_cast<size_t>(Reason::kInvalidJson)], 2u);
  EXPECT_EQ(intake_.rejected_by_reason[static_cast<size_t>(Reason::kNoIdentifier)], 1u);
  intake_.clear();
  EXPECT_EQ(intake_.rejected_by_reason[static_cast<size_t>(Reason::kInvalidJson)], 0u);
}

TEST_F(BulkTest, ArraysOfEvents) {
  const Records records =
      decode(R"([{"event":"A","user_id":"u"}, {"event":"B","user_id":"u"}, {"event" "C"}, 7])");
  EXPECT_EQ(records.events.size(), 2u);
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].origin, "/api/v1/events:3");
  EXPECT_EQ(records.rejections[0].detail, "invalid JSON at byte 9: a colon is missing behind the key");
  EXPECT_EQ(records.rejections[1].reason, Reason::kNotAnObject);
  const Records cut = decode(R"([{"event":"A","user_id":"u"},{"event":)");
  EXPECT_EQ(cut.events.size(), 1u);
  ASSERT_EQ(cut.rejections.size(), 1u);
  EXPECT_EQ(cut.rejections[0].detail, "the body ended inside the array; was it cut off?");
}

// Archives of Segment's events, and lines of files and topics.
TEST_F(BulkTest, HistoryIsNotCorrectedByClocks) {
  for (const char* text :
       {R"({"event":"A","user_id":"u","time":"2020-01-01","sentAt":"2020-01-02T00:00:00.000Z"})",
        R"({"$origin":"a.json:1","event":"A","user_id":"u","time":"2020-01-01","sent_at":"2020-01-02"})"}) {
    const Records records = decode(text);
    ASSERT_EQ(records.events.size(), 1u) << text;
    EXPECT_EQ(format_utc(records.event().time), "2020-01-01T00:00:00.000Z") << text;
  }
}

}  // namespace
}  // namespace kehu::intake
