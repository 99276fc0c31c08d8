#include "intake/segment.h"

#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"

namespace kehu::intake {
namespace {

class SegmentTest : public testing::Test {
 protected:
  Records decode(SegmentCall call, std::string body) {
    body_ = std::move(body);
    intake_.clear();
    const auto refusal = decoder_.open(call, body_);
    EXPECT_FALSE(refusal) << refusal->detail;
    decoder_.decode(door_.context, intake_);
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

}  // namespace
}  // namespace kehu::intake
