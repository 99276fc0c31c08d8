#include "mapping/message.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "base/text.h"

namespace kehu::mapping {
namespace {

constexpr char kPlain[] = R"(
[kafka]
brokers = "127.0.0.1:9092"
topics = ["events"]
)";

constexpr char kTelemetry[] = R"(
[mqtt]
host = "127.0.0.1"
topics = ["devices/+/temperature"]

[identifiers]
device_id = "$level2"

[time]
column = "$time"

[event]
name = "Temperature Measured"
channel = "device"

[properties]
celsius = { column = "$value", type = "number" }
)";

feed::Message message(std::string payload, std::string topic = "events") {
  return {.topic = topic,
          .stream = cat(topic, "/0"),
          .position = 7,
          .key = "k",
          .time = Instant::from_seconds(1'795'308'600),
          .payload = std::move(payload)};
}

MappedRow mapped(const char* toml, const feed::Message& message) {
  const auto mapping = Mapping::parse(toml, "test.toml");
  EXPECT_TRUE(mapping.ok()) << mapping.status();
  auto mapper = MessageMapper::make(*mapping);
  EXPECT_TRUE(mapper.ok()) << mapper.status();
  MappedRow row;
  mapper->map(message, row);
  row.text = {};
  return row;
}

TEST(MessageMapper, AnEventGetsItsPlaceAsMessageId) {
  struct Case {
    const char* payload;
    const char* events;
  };
  const Case cases[] = {
      {R"({"event":"A","user_id":"u"})", R"({"message_id":"events/0:7","event":"A","user_id":"u"})"},
      {"{\n \"event\":\"A\"\r\n}", R"({"message_id":"events/0:7",  "event":"A"  })"},
      {R"({"message_id":"m","event":"A"})", R"({"message_id":"m","event":"A"})"},
      {R"({"properties":{"message_id":"inner"}})",
       R"({"message_id":"events/0:7","properties":{"message_id":"inner"}})"},
      {"{ }", R"({"message_id":"events/0:7" })"},
  };
  for (const Case& c : cases) EXPECT_EQ(mapped(kPlain, message(c.payload)).events, cat(c.events, "\n"));
}

TEST(MessageMapper, WhatIsNoObjectIsRejectedAlone) {
  for (const char* payload : {"", "[1]", "[[]]", "{\"a\":", "null", "text"}) {
    const MappedRow row = mapped(kPlain, message(payload));
    EXPECT_EQ(row.event_count, 0u) << payload;
    EXPECT_EQ(row.rejections.size(), 1u) << payload;
  }
}

TEST(MessageMapper, AnArrayIsAsManyEvents) {
  const MappedRow row = mapped(kPlain, message(R"([{"event":"A"}, 17, {"message_id":"m","event":"B",
 "list":[1]}, {}])"));
  EXPECT_EQ(row.event_count, 3u);
  EXPECT_EQ(row.events,
            "{\"message_id\":\"events/0:7:0\",\"event\":\"A\"}\n"
            "{\"message_id\":\"m\",\"event\":\"B\",  \"list\":[1]}\n"
            "{\"message_id\":\"events/0:7:3\"}\n");
  ASSERT_EQ(row.rejections.size(), 1u);
  EXPECT_EQ(row.rejections[0].column, "1");
  EXPECT_EQ(mapped(kPlain, message("[]")).event_count, 0u);
}

TEST(MessageMapper, ATopicIsPartOfTheRow) {
  for (const char* payload : {"21.5", "\"21.5\""}) {
    const MappedRow row = mapped(kTelemetry, message(payload, "devices/d-17/temperature"));
    EXPECT_EQ(
        row.events,
        "{\"type\":\"track\",\"event\":\"Temperature Measured\",\"identifiers\":{\"device_id\":\"d-17\"},"
        "\"time\":\"2026-11-22T00:50:00.000Z\",\"message_id\":\"devices/d-17/temperature/0:7~3dfc18\","
        "\"channel\":\"device\",\"properties\":{\"celsius\":21.5}}\n")
        << payload;
  }
  EXPECT_EQ(mapped(kTelemetry, message("warm", "devices/d-17/temperature")).rejections.size(), 1u);
}

// Readings without a time of their own count each; with one, the same message again is a repeat.
TEST(MessageMapper, MqttMessagesAreKnownByTheirContentWhenItTellsTheTime) {
  EXPECT_EQ(Mapping::parse(kTelemetry, "t")->identity.kind, RowKey::Kind::kPosition);
  std::string timed = kTelemetry;
  timed.replace(timed.find("$time"), 5, "at");
  EXPECT_EQ(Mapping::parse(timed, "t")->identity.kind, RowKey::Kind::kContent);
  feed::Message first = message(R"({"at":"2026-11-22T10:00:00Z","$value":1})", "devices/d/temperature");
  feed::Message again = first;
  again.position = 8;
  again.time = again.time + Duration::minutes(1);
  EXPECT_EQ(mapped(timed.c_str(), first).events, mapped(timed.c_str(), again).events);
}

// The door refuses it, as it refuses the event that says so itself.
TEST(MessageMapper, AnObjectInPlaceOfAnIdStaysOne) {
  const MappedRow row = mapped(R"([mqtt]
host = "127.0.0.1"
topics = ["seen"]
[identifiers]
user_id = "u"
[time]
column = "$time"
[event]
name = "Seen"
)",
                               message(R"({"u":{"$oid":"65f"}})", "seen"));
  EXPECT_NE(row.events.find(R"("identifiers":{"user_id":{"$oid":"65f"}})"), std::string::npos) << row.events;
}

TEST(MessageMapper, OneMapperServesEveryStream) {
  const auto mapping = Mapping::parse(kTelemetry, "test.toml");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  auto mapper = MessageMapper::make(*mapping);
  ASSERT_TRUE(mapper.ok()) << mapper.status();
  MappedRow row;
  for (const char* device : {"d-1", "d-2", "d-1"}) {
    const std::string topic = cat("devices/", device, "/temperature");
    mapper->map(message("21.5", topic), row);
    const std::string id = cat("\"message_id\":\"", topic, "/0:7~");
    EXPECT_NE(row.events.find(id), std::string::npos) << row.events;
  }
}

TEST(MessageMapper, LongTopicsStillMakeIds) {
  const std::string topic(240, 't');
  const std::string events = mapped(kPlain, message("{\"a\":1}", topic)).events;
  const size_t begin = std::string_view("{\"message_id\":\"").size();
  EXPECT_LE(events.find('"', begin) - begin, limits::kMessageIdBytes);
}

TEST(MessageMapper, AFeedNeedsItsSettings) {
  struct Case {
    const char* toml;
    const char* complaint;
  };
  const Case cases[] = {
      {"[kafka]\ntopics = [\"a\"]\n", "\"brokers\" are missing"},
      {"[kafka]\nbrokers = \"a:1\"\n", "\"topics\" are missing"},
      {"[mqtt]\ntopics = [\"a\"]\n", "\"host\" is missing"},
      {"[mqtt]\nhost = \"a\"\n", "\"topics\" are missing"},
      {"[mqtt]\nhost = \"a\"\ntopics = [\"a\"]\ntopic = \"b\"\n", "topic"},
      {"[file]\n[mqtt]\nhost = \"a\"\ntopics = [\"a\"]\n", "only one of"},
      {"[mqtt]\nhost = \"a\"\ntopics = [\"a\"]\n[event]\nname = \"x\"\n", "there is no [time]"},
  };
  for (const Case& c : cases) {
    const auto mapping = Mapping::parse(c.toml, "feed.toml");
    ASSERT_FALSE(mapping.ok()) << c.toml;
    EXPECT_NE(message_of(mapping.status()).find(c.complaint), std::string::npos) << mapping.status();
  }
}

}  // namespace
}  // namespace kehu::mapping
