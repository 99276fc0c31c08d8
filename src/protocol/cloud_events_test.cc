#include "protocol/cloud_events.h"

#include "base/civil_day.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"

namespace kehu::protocol {
namespace {

using Mode = CloudEventDecoder::Mode;

class CloudEventTest : public testing::Test {
 protected:
  intake::Records decode(Mode mode, std::string body) {
    body_ = std::move(body);
    const auto refusal = decoder_.open(mode, body_);
    EXPECT_FALSE(refusal) << refusal->detail;
    return decode_opened();
  }
  intake::Records decode_opened() {
    intake_.clear();
    decoder_.decode(door_.sender, intake_);
    return intake::Records(intake_);
  }

  intake::TestDoor door_;
  CloudEventDecoder decoder_;
  intake::Intake intake_;
  std::string body_;
};

TEST_F(CloudEventTest, MapsAStructuredEvent) {
  const intake::Records records =
      decode(Mode::kStructured, R"({"specversion":"1.0","id":"7","source":"/shop","type":"order.paid",
      "time":"2026-11-22T00:49:00Z","subject":"order-7","traceid":"t1","data":{"userId":"u1","total":12.5}})");
  const Event& event = records.event();
  EXPECT_EQ(event.name, "order.paid");
  EXPECT_EQ(format_utc(event.time), "2026-11-22T00:49:00.000Z");
  EXPECT_EQ(intake::described(door_.policy, event.identifiers), "user_id=u1");
  EXPECT_EQ(event.properties, R"({"total":12.5})");
  EXPECT_EQ(event.context,
            R"({"cloudevent":{"specversion":"1.0","id":"7","source":"/shop","type":"order.paid",)"
            R"("time":"2026-11-22T00:49:00Z","subject":"order-7","traceid":"t1"}})");
}

TEST_F(CloudEventTest, IdAndSourceTogetherAreTheMessage) {
  const auto key = [&](const char* id, const char* source, int total) {
    const intake::Records records =
        decode(Mode::kStructured, cat(R"({"specversion":"1.0","type":"t","subject":"u","id":")", id,
                                      R"(","source":")", source, R"(","data":{"total":)", total, "}}"));
    return records.event().message_key;
  };
  EXPECT_EQ(key("1", "/a", 1), key("1", "/a", 2));
  EXPECT_NE(key("1", "/a", 1), key("1", "/b", 1));
  EXPECT_NE(key("1", "/a", 1), key("2", "/a", 1));
}

TEST_F(CloudEventTest, ReadsBatches) {
  const intake::Records records = decode(Mode::kBatch, R"([
      {"specversion":"1.0","id":"1","source":"s","type":"a","subject":"u1"},
      {"specversion":"0.3","id":"2","source":"s","type":"a","subject":"u1"},
      {"specversion":"1.0","source":"s","type":"a","subject":"u1"}, 7,
      {"specversion":"1.0","id":"5","source":"s","type":"a"},
      {"specversion":"1.0","id":"6","source":"s","type":"a","data":[1],"subject":"u2"},
      {"specversion":"1.0","id":"7","source":"s","type":"a","data_base64":"AQI=","subject":"u2"}])");
  ASSERT_EQ(records.events.size(), 3u);
  EXPECT_EQ(intake::described(door_.policy, records.event(0).identifiers), "user_id=u1");
  EXPECT_EQ(records.event(1).properties, R"({"data":[1]})");
  EXPECT_EQ(records.event(2).properties, R"({"data_base64":"AQI="})");
  ASSERT_EQ(records.rejections.size(), 4u);
  const std::pair<Reason, const char*> want[] = {{Reason::kInvalidField, "/1/specversion"},
                                                 {Reason::kInvalidField, "/2/id"},
                                                 {Reason::kNotAnObject, "/3"},
                                                 {Reason::kNoIdentifier, "/4"}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(records.rejections[i].reason, want[i].first) << i;
    EXPECT_EQ(records.rejections[i].path, want[i].second) << i;
  }
}

TEST_F(CloudEventTest, ReadsBinaryRequests) {
  const std::vector<CloudEventDecoder::Attribute> attributes = {
      {"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "a"}, {"subject", "u\"1"}};
  struct Case {
    const char* name;
    const char* content_type;
    std::string body;
    const char* properties;
  };
  const Case cases[] = {
      {"JSON", "application/json; charset=utf-8", R"({"x":1})", R"({"x":1})"},
      {"JSON of a kind", "application/vnd.x+json", R"([1])", R"({"data":[1]})"},
      {"text", "text/plain", "ab\"c", R"({"data":"ab\"c"})"},
      {"bytes", "application/octet-stream", std::string("\x01\x02", 2), R"({"data_base64":"AQI="})"},
      {"nothing", "", "", "{}"},
  };
  for (const Case& c : cases) {
    const auto refusal = decoder_.open_binary(attributes, c.content_type, c.body);
    ASSERT_FALSE(refusal) << c.name << ": " << refusal->detail;
    const intake::Records records = decode_opened();
    ASSERT_EQ(records.events.size(), 1u) << c.name;
    EXPECT_EQ(records.event().properties, c.properties) << c.name;
    EXPECT_EQ(intake::described(door_.policy, records.event().identifiers), "user_id=u\"1") << c.name;
  }
  EXPECT_TRUE(decoder_.open_binary(attributes, "application/json", "{"));
  EXPECT_FALSE(decoder_.open_binary(attributes, "text/plain", "\xff"));
}

TEST_F(CloudEventTest, MediaTypesSayTheMode) {
  EXPECT_EQ(CloudEventDecoder::mode_of("application/cloudevents+json; charset=utf-8"), Mode::kStructured);
  EXPECT_EQ(CloudEventDecoder::mode_of("Application/CloudEvents-Batch+JSON"), Mode::kBatch);
  EXPECT_EQ(CloudEventDecoder::mode_of("application/json"), std::nullopt);
  EXPECT_EQ(CloudEventDecoder::mode_of(""), std::nullopt);
  EXPECT_TRUE(decoder_.open(Mode::kBatch, "{}"));
  EXPECT_TRUE(decoder_.open(Mode::kStructured, "{"));
}

}  // namespace
}  // namespace kehu::protocol
