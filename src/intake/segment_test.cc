#include "intake/segment.h"

#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "json/document.h"
#include "seal/opener.h"

namespace kehu::intake {
namespace {

class SegmentTest : public testing::Test {
 protected:
  Records decode(SegmentCall call, std::string body) {
    body_ = std::move(body);
    intake_.clear();
    const auto refusal = decoder_.open(call, body_);
    EXPECT_FALSE(refusal) << refusal->detail;
    decoder_.decode(door_.sender, intake_);
    return Records(intake_);
  }
  Records decode_batch(std::string_view events, std::string_view rest = "") {
    return decode(SegmentCall::kBatch, cat("{\"batch\":[", events, "]", rest, "}"));
  }
  // One event of a batch that must be accepted.
  std::string identifiers_of(std::string_view event) {
    const Records records = decode_batch(event);
    if (!records.rejections.empty()) return cat("rejected: ", to_string(records.rejections[0].reason));
    return described(door_.policy, records.event().identifiers);
  }

  TestDoor door_;
  SegmentDecoder decoder_;
  Intake intake_;
  std::string body_;
};

TEST_F(SegmentTest, ReadsATrackCall) {
  const Records records = decode(SegmentCall::kTrack, R"({
      "event": "Order Completed", "userId": "u1", "anonymousId": "a1", "messageId": "m1",
      "timestamp": "2026-11-22T00:49:00.000Z", "properties": {"revenue": 12.5, "products": [{"sku": "1"}]},
      "context": {"library": {"name": "x"}}, "integrations": {"All": true}})");
  ASSERT_EQ(records.events.size(), 1u);
  const Event& event = records.event();
  EXPECT_EQ(event.type, EventType::kTrack);
  EXPECT_EQ(event.name, "Order Completed");
  EXPECT_EQ(event.message_id, "m1");
  EXPECT_EQ(event.channel, Channel::kServer);
  EXPECT_EQ(format_utc(event.time), "2026-11-22T00:49:00.000Z");
  EXPECT_EQ(event.properties, R"({"revenue": 12.5, "products": [{"sku": "1"}]})");
  EXPECT_EQ(event.traits, "{}");
  EXPECT_EQ(event.context, R"({"library": {"name": "x"}})");
  EXPECT_EQ(described(door_.policy, event.identifiers), "user_id=u1 anonymous_id=a1");
}

TEST_F(SegmentTest, RefusesOnlyWhatIsNoJsonOrTooLarge) {
  struct Case {
    const char* name;
    SegmentCall call;
    std::string body;
    Reason reason;
    size_t position;
  };
  const auto padded = [](size_t size) {
    const std::string head = R"({"batch":[],"x":")";
    return head + std::string(size - head.size() - 2, 'x') + "\"}";
  };
  const Case cases[] = {
      {"no JSON", SegmentCall::kBatch, R"({"batch":[{]})", Reason::kInvalidJson, 11},
      {"empty", SegmentCall::kTrack, "", Reason::kInvalidJson, 0},
      {"not UTF-8", SegmentCall::kTrack, "{\"event\":\"\xff\"}", Reason::kInvalidUtf8, 10},
      {"too deep", SegmentCall::kTrack, std::string(65, '['), Reason::kInvalidJson, 64},
      {"an array", SegmentCall::kBatch, "[]", Reason::kNotAnObject, 0},
      {"no batch", SegmentCall::kBatch, "{}", Reason::kInvalidField, 0},
      {"two batches", SegmentCall::kBatch, R"({"batch":[],"batch":[]})", Reason::kInvalidField, 20},
      {"batch is no array", SegmentCall::kBatch, R"({"batch":{}})", Reason::kInvalidField, 9},
      {"large batch", SegmentCall::kBatch, padded(limits::kSegmentBatchBytes + 1), Reason::kEventTooLarge,
       limits::kSegmentBatchBytes},
      {"large call", SegmentCall::kTrack, padded(limits::kEventBytes + 1), Reason::kEventTooLarge,
       limits::kEventBytes},
  };
  for (const Case& c : cases) {
    const auto refusal = decoder_.open(c.call, c.body);
    ASSERT_TRUE(refusal) << c.name;
    EXPECT_EQ(refusal->reason, c.reason) << c.name;
    EXPECT_EQ(refusal->position, c.position) << c.name;
    intake_.clear();
    decoder_.decode(door_.sender, intake_);
    EXPECT_TRUE(intake_.records.empty()) << c.name;
  }
  EXPECT_FALSE(decoder_.open(SegmentCall::kBatch, padded(limits::kSegmentBatchBytes)));
}

TEST_F(SegmentTest, RejectsSingleEventsWithReasonAndPath) {
  struct Case {
    std::string event;
    Reason reason;
    const char* path;
  };
  const auto track = [](std::string_view rest) {
    return cat(R"({"type":"track","event":"E","userId":"u",)", rest, "}");
  };
  const std::string large =
      track(cat(R"("properties":{"x":")", std::string(limits::kEventBytes, 'x'), "\"}"));
  const std::string many = [] {
    std::string list;
    for (size_t i = 0; i <= limits::kIdentifiersPerEvent; ++i) {
      list.append(cat(i == 0 ? "" : ",", R"({"id":"x)", i, R"(","type":"open_id"})"));
    }
    return list;
  }();
  const Case cases[] = {
      {"17", Reason::kNotAnObject, ""},
      {R"({"event":"E","userId":"u"})", Reason::kMissingType, ""},
      {R"({"type":null,"event":"E","userId":"u"})", Reason::kMissingType, ""},
      {R"({"type":"Track","event":"E","userId":"u"})", Reason::kUnknownType, "/type"},
      {R"({"type":7,"event":"E","userId":"u"})", Reason::kInvalidField, "/type"},
      {R"({"type":"track","userId":"u"})", Reason::kMissingEventName, ""},
      {R"({"type":"track","event":"","userId":"u"})", Reason::kMissingEventName, "/event"},
      {R"({"type":"track","event":5,"userId":"u"})", Reason::kInvalidField, "/event"},
      {R"({"type":"track","event":"E"})", Reason::kNoIdentifier, ""},
      {R"({"type":"track","event":"E","userId":null,"anonymousId":""})", Reason::kNoIdentifier, ""},
      {R"({"type":"track","event":"E","userId":"null"})", Reason::kNoIdentifier, ""},
      {R"({"type":"track","event":"E","userId":{"a":1}})", Reason::kInvalidField, "/userId"},
      {R"({"type":"track","event":"E","userId":["a"]})", Reason::kInvalidField, "/userId"},
      {track(R"("properties":[1])"), Reason::kInvalidField, "/properties"},
      {track(R"("traits":"x")"), Reason::kInvalidField, "/traits"},
      {track(R"("context":1)"), Reason::kInvalidField, "/context"},
      {track(R"("messageId":{})"), Reason::kInvalidField, "/messageId"},
      {track(R"("timestamp":"soon")"), Reason::kInvalidTime, "/timestamp"},
      {track(R"("timestamp":"2026-11-22T01:50:00.001Z")"), Reason::kTimeInFuture, "/timestamp"},
      {large, Reason::kEventTooLarge, ""},
      {track(cat(R"("messageId":")", std::string(limits::kMessageIdBytes + 1, 'm'), "\"")),
       Reason::kMessageIdTooLong, "/messageId"},
      {cat(R"({"type":"track","userId":"u","event":")", std::string(limits::kNameBytes + 1, 'e'), "\"}"),
       Reason::kNameTooLong, "/event"},
      {cat(R"({"type":"page","userId":")", std::string(limits::kIdentifierBytes + 1, 'u'), "\"}"),
       Reason::kIdentifierTooLong, "/userId"},
      {track(cat(R"("context":{"externalIds":[)", many, "]}")), Reason::kTooManyIdentifiers,
       "/context/externalIds/15/id"},
      {track(R"("properties":{"products":[{"price":1},{"price":1e20}]})"), Reason::kAmountOutOfRange,
       "/properties/products/1/price"},
      {track(R"("properties":{"revenue":123456789012345678})"), Reason::kAmountOutOfRange,
       "/properties/revenue"},
      {track(R"("properties":{"a/b~c":{"$sealed":1}})"), Reason::kReservedKey, "/properties/a~1b~0c/$sealed"},
      {track(R"("context":{"\u0024sealed_x":1})"), Reason::kReservedKey, "/context/$sealed_x"},
      {R"({"type":"group","userId":"u"})", Reason::kInvalidField, ""},
      {R"({"type":"alias","userId":"u"})", Reason::kInvalidField, ""},
  };
  for (const Case& c : cases) {
    // A good event on either side: one broken event harms no other.
    const std::string good = track(R"("messageId":"m")");
    const Records records = decode_batch(cat(good, ",", c.event, ",", good));
    EXPECT_EQ(records.events.size(), 2u) << c.event.substr(0, 200);
    ASSERT_EQ(records.rejections.size(), 1u) << c.event.substr(0, 200);
    const Rejection& rejection = records.rejections[0];
    EXPECT_EQ(rejection.reason, c.reason) << c.event.substr(0, 200) << " " << rejection.detail;
    EXPECT_EQ(rejection.path, cat("/batch/1", c.path)) << c.event.substr(0, 200);
    EXPECT_EQ(rejection.origin, "/v1/batch");
    EXPECT_FALSE(rejection.detail.empty());
    seal::Opener opener(door_.key, door_.ring);
    EXPECT_EQ(opener.open_payload(rejection.sealed_payload).value, c.event);
  }
}

TEST_F(SegmentTest, RejectsEventsBeyondTheLimitOfABatch) {
  std::string events;
  for (size_t i = 0; i < limits::kSegmentBatchEvents + 2; ++i) {
    events.append(i == 0 ? "" : ",").append(R"({"type":"page","userId":"u"})");
  }
  const Records records = decode_batch(events);
  EXPECT_EQ(records.events.size(), limits::kSegmentBatchEvents);
  ASSERT_EQ(records.rejections.size(), 2u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kTooManyEvents);
  EXPECT_EQ(records.rejections[0].path, "/batch/2500");
}

std::string nested(size_t depth) { return cat(std::string(depth, '['), std::string(depth, ']')); }

TEST_F(SegmentTest, RejectsAnEventThatIsNestedTooDeeplyAlone) {
  const std::string good = R"({"type":"track","event":"E","userId":"u","messageId":"m"})";
  // The deepest that fits stands in body, batch, event and properties.
  const auto deep = [](size_t depth) {
    return cat(R"({"type":"track","event":"]}\"[","userId":"u","properties":{"x":)", nested(depth), "}}");
  };
  const std::string fits = deep(limits::kJsonDepth - 4);
  const std::string one = deep(limits::kJsonDepth - 3), two = deep(1000);
  const Records records =
      decode_batch(cat(good, ",", one, " ,", fits, ",", two, ",17,", good), R"(,"sentAt":null)");
  EXPECT_EQ(records.events.size(), 3u);
  ASSERT_EQ(records.rejections.size(), 3u);
  seal::Opener opener(door_.key, door_.ring);
  EXPECT_EQ(records.rejections[0].reason, Reason::kInvalidJson);
  EXPECT_EQ(records.rejections[0].path, "/batch/1");
  EXPECT_EQ(opener.open_payload(records.rejections[0].sealed_payload).value, one);
  EXPECT_EQ(records.rejections[1].path, "/batch/3");
  EXPECT_EQ(opener.open_payload(records.rejections[1].sealed_payload).value, two);
  EXPECT_EQ(records.rejections[2].path, "/batch/4");
  // The next body has nothing to do with the one before.
  EXPECT_EQ(decode_batch(good).events.size(), 1u);
}

// 240,000 values that are no events: what is beyond the limit of a batch is kept, but not one by one for
// ever.
TEST_F(SegmentTest, TheRestOfAHugeBatchIsOneRejection) {
  std::string events;
  for (int i = 0; i < 240'000; ++i) events += i == 0 ? "1" : ",1";
  const Records records = decode_batch(events);
  EXPECT_EQ(records.events.size(), 0u);
  EXPECT_LT(intake_.records.bytes.size(), 3u << 20);
  const Rejection& last = records.rejections.back();
  EXPECT_EQ(last.reason, Reason::kTooManyEvents);
  EXPECT_EQ(last.path, cat("/batch/", records.rejections.size() - 1));
  EXPECT_GT(last.sealed_payload.size(), 2 * (240'000 - records.rejections.size()));
}

TEST_F(SegmentTest, ALocalTimeWrittenAsUtcCountsAsOfItsArrival) {
  // The test door's requests come at 2026-11-22T00:50:00Z.
  const std::string head = R"({"type":"track","event":"E","userId":"u","timestamp":")";
  const Records records = decode_batch(
      cat(head, R"(2026-11-22T08:49:50Z"},)", head, R"(2026-11-22T00:49:50Z","context":{"timeAhead":1}},)",
          head, R"(2026-11-22T03:10:00Z"},)", head, R"(2026-11-22T08:49:50Z","context":{"a":1}})"),
      R"(,"sentAt":"2026-11-22T00:49:59Z")");
  ASSERT_EQ(records.events.size(), 3u);
  EXPECT_EQ(format_utc(records.event(0).time), "2026-11-22T00:50:00.000Z");
  EXPECT_EQ(format_utc(records.event(0).original_time), "2026-11-22T08:49:50.000Z");
  EXPECT_EQ(records.event(0).context, R"({"timeAhead":"+08:00"})");
  EXPECT_EQ(format_utc(records.event(1).time), "2026-11-22T00:49:50.000Z");
  EXPECT_EQ(records.event(2).context, R"({"a":1,"timeAhead":"+08:00"})");
  EXPECT_EQ(intake_.times_ahead, 2u);
  ASSERT_EQ(records.rejections.size(), 1u);
  EXPECT_EQ(records.rejections[0].reason, Reason::kTimeInFuture);
}

TEST_F(SegmentTest, RefusesDeepTextThatIsNoEventOfTheBatch) {
  const std::string good = R"({"type":"page","userId":"u"})";
  const std::string cases[] = {
      cat(R"({"context":{"x":)", nested(64), R"(},"batch":[)", good, "]}"),
      cat(R"({"context":[)", nested(64), R"(],"batch":[)", good, "]}"),
      cat(R"({"batch":[)", good, ",", std::string(65, '['), "]}"),
      cat(R"({"batch":[)", good, ",", nested(65), "],}"),
      cat("[", nested(65), "]"),
      std::string(100'000, '{'),
      std::string(100'000, ']'),
  };
  for (const std::string& body : cases) {
    const auto refusal = decoder_.open(SegmentCall::kBatch, body);
    ASSERT_TRUE(refusal) << body.substr(0, 100);
    EXPECT_FALSE(refusal->detail.empty());
    intake_.clear();
    decoder_.decode(door_.sender, intake_);
    EXPECT_TRUE(intake_.records.empty());
  }
}

TEST_F(SegmentTest, PassesOverAByteOrderMark) {
  const std::string mark = "\xef\xbb\xbf";
  EXPECT_EQ(
      decode(SegmentCall::kBatch, cat(mark, R"({"batch":[{"type":"page","userId":"u"}]})")).events.size(),
      1u);
  EXPECT_EQ(decode(SegmentCall::kPage, cat(mark, R"({"userId":"u"})")).events.size(), 1u);
  const std::string broken = cat(mark, R"({"batch":[{]})");
  const auto refusal = decoder_.open(SegmentCall::kBatch, broken);
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->position, 14u);
  EXPECT_EQ(refusal->detail, "invalid JSON at byte 14: a key must be a string");
  EXPECT_TRUE(decoder_.open(SegmentCall::kPage, cat(mark, mark, "{}")));
}

TEST_F(SegmentTest, FindsEveryFormOfIdentifier) {
  struct Case {
    const char* given;  // members of an event
    const char* want;
  };
  const Case cases[] = {
      {R"("userId":"u1")", "user_id=u1"},
      {R"("userId":12345)", "user_id=12345"},
      {R"("userId":12345.0)", "user_id=12345"},
      {R"("userId":1.2345e4)", "user_id=12345"},
      {R"("userId":"12345.0")", "user_id=12345"},
      {R"("userId":12345.5)", "user_id=12345.5"},
      {R"("userId":12345678901234567890)", "user_id=12345678901234567890"},
      {R"("userId":90071992547409930.0,"anonymousId":"a1")",
       "user_id=90071992547409930.0(digits_lost) anonymous_id=a1"},
      {R"("userId":"1.23457E+17","anonymousId":"a1")", "user_id=1.23457E+17(digits_lost) anonymous_id=a1"},
      {R"("userId":"=\"u1\"")", "user_id=u1"},
      {R"("userId":"'u1")", "user_id=u1"},
      {R"("userId":"[object Object]","anonymousId":"a1")",
       "user_id=[object Object](blocked) anonymous_id=a1"},
      {R"("userId":"u1","context":{"traits":{"phone":"13812345678/13812345679"}})",
       "user_id=u1 phone=*(several_values)"},
      {R"("userId":"13812345678,13812345679","anonymousId":"a1")", "user_id=* anonymous_id=a1"},
      {R"("userId":" u1 ")", "user_id=u1"},
      {R"("userId":"\u4e2d\n")", "user_id=中"},
      {R"("userId":"a\u0000b")",
       "user_id=a\xef\xbf\xbd"
       "b"},
      {R"("userId":null,"anonymousId":"a1")", "anonymous_id=a1"},
      {R"("anonymousId":"a1","userId":"u1")", "user_id=u1 anonymous_id=a1"},
      {R"("userId":"0","anonymousId":"a1")", "user_id=0(blocked) anonymous_id=a1"},
      {R"("userId":"someone@example.com")", "user_id=*"},
      {R"("userId":"13812345678")", "user_id=*"},
      {R"("userId":"+86 138-1234-5678")", "user_id=*"},
      {R"("userId":"20261122001")", "user_id=20261122001"},
      {R"("userId":"u1","context":{"traits":{"email":"A@B.cn"}})", "user_id=u1 email=*"},
      {R"("userId":"u1","context":{"traits":{"phone":13812345678}})", "user_id=u1 phone=*"},
      {R"("userId":"u1","context":{"traits":{"phone":"n/a"}})", "user_id=u1 phone=*(blocked)"},
      {R"("userId":"u1","context":{"traits":{"phone":{"a":1}}})", "user_id=u1"},
      {R"("userId":"u1","context":{"traits":{"phone":"138 0013 8000"}})", "user_id=u1 phone=*(blocked)"},
      {R"("userId":"u1","context":{"device":{"id":"ABC"}})", "user_id=u1 device_id=abc"},
      {R"("userId":"u1","context":{"externalIds":[{"id":"o1","type":"open_id","collection":"users"},
                                                  {"id":"o2","type":"openId"},{"id":"x","type":"ga_client_id"},7]})",
       "user_id=u1 open_id=o1 open_id=o2"},
      {R"("userId":"u1","userId":"u2")", "user_id=u2"},
      {R"("userId":"u1","anonymousId":null)", "user_id=u1"},
      {R"("userId":"u1","traits":[],"context":[])", "user_id=u1"},
      {R"("userId":"u1","traits":{"email":"a@b.cn"})", "user_id=u1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(identifiers_of(cat(R"({"type":"track","event":"E",)", c.given, "}")), c.want) << c.given;
  }
}

TEST_F(SegmentTest, TraitsOfIdentifyAreIdentifiers) {
  EXPECT_EQ(identifiers_of(
                R"({"type":"identify","userId":"u1","traits":{"email":"a@b.cn","手机号":"13812345678"}})"),
            "user_id=u1 phone=* email=*");
  EXPECT_EQ(
      identifiers_of(
          R"({"type":"identify","traits":{"email":"a@b.cn"},"context":{"traits":{"email":" A@B.CN"}}})"),
      "email=*");
}

TEST_F(SegmentTest, DoubtsVisitorsIdsOfServersBesideAUsers) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;
  };
  const Case cases[] = {
      {"by the library", R"("context":{"library":{"name":"analytics-go"}})", "user_id=u1 anonymous_id=a1~"},
      {"of Ruby", R"("context":{"library":{"name":"analytics-ruby"}})", "user_id=u1 anonymous_id=a1~"},
      {"of .NET", R"("context":{"library":{"name":"RudderAnalytics.NET"}})", "user_id=u1 anonymous_id=a1~"},
      {"by the channel", R"("channel":"server")", "user_id=u1 anonymous_id=a1~"},
      {"a browser", R"("context":{"library":{"name":"analytics.js"}})", "user_id=u1 anonymous_id=a1"},
      {"an app", R"("context":{"library":{"name":"rudder-android-java"},"device":{"id":"d"}})",
       "user_id=u1 device_id=d anonymous_id=a1"},
      {"a server that speaks for a page", R"("channel":"server","context":{"page":{"path":"/"}})",
       "user_id=u1 anonymous_id=a1"},
      {"nobody said who sends", R"("context":{})", "user_id=u1 anonymous_id=a1"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(
        identifiers_of(cat(R"({"type":"track","event":"E","userId":"u1","anonymousId":"a1",)", c.given, "}")),
        c.want)
        << c.name;
  }
  EXPECT_EQ(identifiers_of(R"({"type":"track","event":"E","anonymousId":"a1","channel":"server"})"),
            "anonymous_id=a1");
}

TEST_F(SegmentTest, AliasNamesThePreviousIdAsBothTypes) {
  EXPECT_EQ(identifiers_of(R"({"type":"alias","userId":"u2","previousId":"v7"})"),
            "user_id=u2 user_id=v7< anonymous_id=v7<");
  EXPECT_EQ(identifiers_of(R"({"type":"alias","userId":"u1","previousId":"u1"})"), "user_id=u1");
  EXPECT_EQ(identifiers_of(R"({"type":"alias","userId":"u1","previousId":"a","anonymousId":"a"})"),
            "user_id=u1 anonymous_id=a");
}

TEST_F(SegmentTest, NamesByType) {
  struct Case {
    const char* event;
    EventType type;
    const char* name;
    const char* properties;
  };
  const Case cases[] = {
      {R"({"type":"page","userId":"u","name":"Home","category":"docs"})", EventType::kPage, "Home",
       R"({"category":"docs"})"},
      {R"({"type":"page","userId":"u","category":"docs","properties":{"category":"own","url":"/"}})",
       EventType::kPage, "", R"({"category":"own","url":"/"})"},
      {R"({"type":"screen","userId":"u","name":"Main","properties":{"a":1},"category":"c"})",
       EventType::kScreen, "Main", R"({"a":1,"category":"c"})"},
      {R"({"type":"group","userId":"u","groupId":17,"traits":{}})", EventType::kGroup, "17", "{}"},
      {R"({"type":"identify","userId":"u","event":"ignored"})", EventType::kIdentify, "", "{}"},
      {R"({"type":"track","userId":"u","event":"Bought \"x\""})", EventType::kTrack, "Bought \"x\"", "{}"},
  };
  for (const Case& c : cases) {
    const Records records = decode_batch(c.event);
    ASSERT_EQ(records.events.size(), 1u) << c.event;
    EXPECT_EQ(records.event().type, c.type) << c.event;
    EXPECT_EQ(records.event().name, c.name) << c.event;
    EXPECT_EQ(records.event().properties, c.properties) << c.event;
  }
}

TEST_F(SegmentTest, MergesTheContextOfTheBatch) {
  struct Case {
    const char* own;
    const char* shared;
    const char* want;
  };
  const Case cases[] = {
      {R"({"a":1,"b":2})", R"({"b":3,"c":4})", R"({"a":1,"b":2,"c":4})"},
      {R"({})", R"({"b":3})", R"({"b":3})"},
      {R"(null)", R"({"b":3})", R"({"b":3})"},
      {R"({"a":1})", R"(null)", R"({"a":1})"},
      {R"({"direct":true})", R"({})", R"({"direct":true,"ip":"203.0.113.9"})"},
      {R"({"direct":true,"ip":"1.2.3.4"})", R"({})", R"({"direct":true,"ip":"1.2.3.4"})"},
  };
  for (const Case& c : cases) {
    const Records records = decode_batch(cat(R"({"type":"page","userId":"u","context":)", c.own, "}"),
                                         cat(",\"context\":", c.shared));
    ASSERT_EQ(records.events.size(), 1u) << c.own;
    EXPECT_EQ(records.event().context, c.want);
  }
}

TEST_F(SegmentTest, ChannelOfTheEventElseOfTheSource) {
  struct Case {
    const char* given;
    ChannelName want;
  };
  const Case cases[] = {
      {R"("channel":"browser")", Channel::kWeb},
      {R"("context":{"channel":"mobile"})", Channel::kApp},
      {R"("channel":"shop","context":{"channel":"mobile"})", Channel::kShop},
      {R"("channel":"zeppelin")", ChannelName("zeppelin")},
      {R"("channel":"E-Mail")", ChannelName("email")},
      {R"("channel":"unknown")", Channel::kServer},
      {R"("context":{"library":{"name":"analytics.js"}})", Channel::kWeb},
      {R"("context":{"library":{"name":"analytics-kotlin"}})", Channel::kApp},
      {R"("channel":"shop","context":{"library":{"name":"analytics.js"}})", Channel::kShop},
      {R"("channel":7)", Channel::kServer},
      {R"("a":1)", Channel::kServer},
  };
  for (const Case& c : cases) {
    const Records records = decode_batch(cat(R"({"type":"page","userId":"u",)", c.given, "}"));
    EXPECT_EQ(records.event().channel, c.want) << c.given;
  }
}

TEST_F(SegmentTest, CorrectsClocks) {
  const Records slow = decode_batch(R"({"type":"page","userId":"u","timestamp":"2026-11-22T00:00:00.000Z"})",
                                    R"(,"sentAt":"2026-11-22T00:10:00.000Z")");
  EXPECT_EQ(format_utc(slow.event().time), "2026-11-22T00:40:00.000Z");
  EXPECT_EQ(format_utc(slow.event().original_time), "2026-11-22T00:00:00.000Z");

  const Records frozen =
      decode_batch(R"({"type":"page","userId":"u","originalTimestamp":"2026-11-22T00:00:00.000Z"})",
                   R"(,"sentAt":"2026-11-22T00:10:00.000Z")");
  EXPECT_EQ(format_utc(frozen.event().time), "2026-11-22T00:00:00.000Z");

  const Records none =
      decode_batch(R"({"type":"page","userId":"u"})", R"(,"sentAt":"2026-11-22T00:10:00.000Z")");
  EXPECT_EQ(none.event().time, door_.sender.received_at);

  const Records single = decode(SegmentCall::kPage, R"({"userId":"u","timestamp":"2026-11-22T00:00:00.000Z",
                                                        "sentAt":"2026-11-22T00:10:00.000Z"})");
  EXPECT_EQ(format_utc(single.event().time), "2026-11-22T00:40:00.000Z");
}

TEST_F(SegmentTest, SealsPersonalFieldsAtAnyDepth) {
  const Records records = decode_batch(
      R"({"type":"track","event":"E","userId":"u1","properties":{"a":1,"Email":"x@y.cn","n":{"mobile":13812345678,"z":2},
          "l":[{"phone":["1","2"]}],"\u0070hone":"3","id_no":null},"context":{"traits":{"手机号":"13912345678"}}})");
  ASSERT_EQ(records.events.size(), 1u);
  const std::string text = cat(records.event().properties, records.event().context);
  for (const char* clear : {"x@y.cn", "13812345678", "[\"1\"", "\"3\"", "13912345678"}) {
    EXPECT_EQ(text.find(clear), text.npos) << clear << " in " << text;
  }
  json::Index index;
  EXPECT_FALSE(index.scan(records.event().properties)) << text;
  EXPECT_NE(text.find(R"("id_no":null)"), text.npos);
  EXPECT_NE(text.find(R"("z":2)"), text.npos);
  EXPECT_EQ(records.data_keys, static_cast<int>(intake_.new_key_ids.size()));
  EXPECT_GT(records.data_keys, 0);

  // What was sealed opens again, under the key of the strongest identifier.
  const auto document = json::Document::parse(records.event().properties);
  seal::Opener opener(door_.key, door_.ring);
  const auto opened = opener.open_field({"Email", records.event().identifiers[0].token},
                                        *document->root().find("Email").as_string());
  EXPECT_TRUE(opened.ok());
  EXPECT_EQ(opened.value, R"("x@y.cn")");
}

TEST_F(SegmentTest, ForgedSealedTextsAreSealedAgain) {
  const std::string forged = "sealed:v1:0000000000000000:AAAA";
  for (const std::string& properties :
       {cat(R"({"note":")", forged, "\"}"), cat(R"({"l":["x",")", forged, "\"]}"),
        cat(R"({"note":"\u0073)", forged.substr(1), "\"}")}) {
    const Records records =
        decode_batch(cat(R"({"type":"track","event":"E","userId":"u1","properties":)", properties, "}"));
    ASSERT_EQ(records.events.size(), 1u);
    EXPECT_EQ(records.event().properties.find("0000000000000000:AAAA"), std::string_view::npos) << properties;
  }
}

TEST_F(SegmentTest, HalfCharactersAreMadeWhole) {
  const Records records = decode_batch(
      R"({"type":"track","event":"E","userId":"u","properties":{"k\ud83d":"a\ud83d","l":["\ude00\n"]}})");
  EXPECT_EQ(records.event().properties, "{\"k\xef\xbf\xbd\":\"a\xef\xbf\xbd\",\"l\":[\"\xef\xbf\xbd\\n\"]}");
}

TEST_F(SegmentTest, SameBodySameHashes) {
  const std::string event =
      R"({"type":"track","event":"E","userId":"u1","messageId":"m","timestamp":"2026-11-22T00:00:00Z",)"
      R"("properties":{"x":1,"email":"a@b.cn"},"context":{"n":1}})";
  const auto hashes = [this](std::string_view text, std::string_view rest = "") {
    const Records records = decode_batch(text, rest);
    return std::pair(records.event().message_key, records.event().body_hash);
  };
  const auto changed = [&event](std::string_view from, std::string_view to) {
    std::string text = event;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  const auto base = hashes(event);
  EXPECT_EQ(hashes(event, R"(,"sentAt":"2026-11-22T00:10:00.000Z")"), base);
  EXPECT_EQ(hashes(changed(R"("n":1)", R"("n":2)")), base);
  for (const auto& [from, to] : {std::pair{R"("x":1)", R"("x":2)"},
                                 {"\"E\"", "\"F\""},
                                 {"u1", "u2"},
                                 {"00:00:00Z", "00:00:01Z"},
                                 {"a@b.cn", "c@b.cn"},
                                 {"track", "page"}}) {
    EXPECT_EQ(hashes(changed(from, to)).first, base.first) << to;
    EXPECT_NE(hashes(changed(from, to)).second, base.second) << to;
  }
  EXPECT_NE(hashes(changed("\"m\"", "\"m2\"")).first, base.first);
  door_.sender.source = SourceId(8);
  EXPECT_NE(hashes(event).first, base.first);
}

TEST_F(SegmentTest, MessageIdOfTheContentWhenThereIsNone) {
  const auto id = [this](std::string_view event) {
    return std::string(decode_batch(event).event().message_id);
  };
  const char* timed =
      R"({"type":"page","userId":"u","timestamp":"2026-11-22T00:00:00Z","properties":{"phone":"1"}})";
  const char* other =
      R"({"type":"page","userId":"u","timestamp":"2026-11-22T00:00:00Z","properties":{"phone":"2"}})";
  const char* untimed = R"({"type":"page","userId":"u"})";
  const std::string first = id(timed), first_untimed = id(untimed);
  EXPECT_EQ(id(timed), first);
  EXPECT_NE(id(other), first);
  EXPECT_TRUE(first.starts_with("content-"));
  door_.sender.received_at = door_.sender.received_at + Duration::seconds(1);
  EXPECT_EQ(id(timed), first);
  EXPECT_NE(id(untimed), first_untimed);
}

TEST_F(SegmentTest, WriteKeyInTheBody) {
  struct Case {
    SegmentCall call;
    const char* body;
    std::optional<std::string> want;
  };
  const Case cases[] = {
      {SegmentCall::kBatch, R"({"batch":[],"writeKey":"k1"})", "k1"},
      {SegmentCall::kBatch, R"({"batch":[{"writeKey":"k2"},{"writeKey":"k3"}]})", "k2"},
      {SegmentCall::kBatch, R"({"batch":[{"writeKey":"k2"}],"writeKey":"k1"})", "k1"},
      {SegmentCall::kBatch, R"({"batch":[17]})", std::nullopt},
      {SegmentCall::kTrack, R"({"writeKey":"k\u0034"})", "k4"},
      {SegmentCall::kTrack, R"({"writeKey":4})", std::nullopt},
      {SegmentCall::kTrack, R"({})", std::nullopt},
  };
  for (const Case& c : cases) {
    ASSERT_FALSE(decoder_.open(c.call, c.body));
    EXPECT_EQ(decoder_.write_key(), c.want) << c.body;
  }
}

TEST(SegmentCallName, FullNamesLettersAndImport) {
  EXPECT_EQ(parse_segment_call("track"), SegmentCall::kTrack);
  EXPECT_EQ(parse_segment_call("a"), SegmentCall::kAlias);
  EXPECT_EQ(parse_segment_call("b"), SegmentCall::kBatch);
  EXPECT_EQ(parse_segment_call("import"), SegmentCall::kBatch);
  for (const char* name : {"", "m", "x", "tracks", "Track"}) EXPECT_FALSE(parse_segment_call(name)) << name;
}

}  // namespace
}  // namespace kehu::intake
