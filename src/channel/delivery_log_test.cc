#include "channel/delivery_log.h"

#include <gtest/gtest.h>

namespace kehu::channel {
namespace {

const absl::StatusOr<Delivery> kTaken = Delivery{};
const absl::StatusOr<Delivery> kRefused = Delivery{.outcome = IntentOutcome::kRefused, .detail = "404"};
const absl::StatusOr<Delivery> kFailed = absl::UnavailableError("answered 503");

Duration at(int64_t seconds) { return Duration::seconds(seconds); }

TEST(DeliveryLog, SaysThatAChannelFailsAndThatItDeliversAgain) {
  DeliveryLog log;
  EXPECT_EQ(log.line_of("sms", kTaken, at(0)), "");
  EXPECT_EQ(log.line_of("sms", kFailed, at(1)),
            R"(the channel "sms" failed once (answered 503); what failed is tried again)");
  EXPECT_EQ(log.line_of("sms", kTaken, at(2)), R"(the channel "sms" delivers again)");
  EXPECT_EQ(log.line_of("sms", kTaken, at(3)), "");
}

TEST(DeliveryLog, SaysOneLineAMinute) {
  DeliveryLog log;
  EXPECT_NE(log.line_of("sms", kFailed, at(1)), "");
  for (int second = 2; second < 61; ++second) EXPECT_EQ(log.line_of("sms", kFailed, at(second)), "");
  EXPECT_EQ(log.line_of("sms", kFailed, at(61)),
            R"(the channel "sms" failed 60 times (answered 503); what failed is tried again)");
  EXPECT_EQ(log.line_of("sms", kFailed, at(62)), "");
}

TEST(DeliveryLog, SaysWhatWasRefused) {
  DeliveryLog log;
  EXPECT_EQ(log.line_of("sms", kRefused, at(1)), R"(the channel "sms" refused an intent for good (404))");
  EXPECT_EQ(log.line_of("sms", kTaken, at(2)), "") << "it never stopped to deliver";
  EXPECT_EQ(log.line_of("sms", kRefused, at(3)), "");
  EXPECT_EQ(log.line_of("sms", kFailed, at(4)), "");
  EXPECT_EQ(
      log.line_of("sms", kRefused, at(61)),
      R"(the channel "sms" refused 2 intents for good (404) and failed once; what failed is tried again)");
}

TEST(DeliveryLog, ChannelsHaveTheirOwnMinutes) {
  DeliveryLog log;
  EXPECT_NE(log.line_of("sms", kFailed, at(1)), "");
  EXPECT_NE(log.line_of("mail", kFailed, at(1)), "");
}

}  // namespace
}  // namespace kehu::channel
