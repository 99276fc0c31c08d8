#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "feed/feed.h"
#include "feed/test_broker.h"
#include "mapping/message.h"

namespace kehu::feed {
namespace {

KafkaSpec spec_of(const Broker& broker) {
  return {.brokers = broker.addresses(),
          .topics = {"orders"},
          .group = "test",
          .properties = {{"session.timeout.ms", "3000"}, {"heartbeat.interval.ms", "300"}}};
}

std::unique_ptr<Feed> open(const KafkaSpec& spec) {
  auto feed = open_kafka(spec);
  EXPECT_TRUE(feed.ok()) << feed.status();
  return *std::move(feed);
}

// Places of the messages that arrive until there are `wanted`, or twenty seconds are over.
std::multiset<std::string> places(Feed& feed, size_t wanted) {
  std::multiset<std::string> found;
  for (int i = 0; i < 100 && found.size() < wanted; ++i) {
    std::vector<Message> messages;
    EXPECT_TRUE(feed.poll(Duration::millis(200), messages).ok());
    for (const Message& message : messages) found.insert(mapping::MessageMapper::origin(message));
  }
  return found;
}

TEST(Kafka, MessagesCarryTheirPlace) {
  Broker broker;
  broker.produce(1, 1);
  const auto feed = open(spec_of(broker));
  std::vector<Message> messages;
  for (int i = 0; i < 100 && messages.empty(); ++i) {
    ASSERT_TRUE(feed->poll(Duration::millis(200), messages).ok());
  }
  ASSERT_EQ(messages.size(), 1u) << feed->trouble();
  EXPECT_EQ(messages[0].topic, "orders");
  EXPECT_TRUE(messages[0].stream.starts_with("orders/")) << messages[0].stream;
  EXPECT_EQ(messages[0].position, 0u);
  EXPECT_EQ(messages[0].key, "k1");
  EXPECT_EQ(messages[0].payload, R"({"event":"A","user_id":"u1"})");
  EXPECT_GT(messages[0].time, Instant::from_seconds(1'700'000'000));
}

TEST(Kafka, WhatIsNotAcknowledgedComesAgainAndNothingElse) {
  Broker broker;
  broker.produce(1, 100);
  std::multiset<std::string> first;
  {
    const auto feed = open(spec_of(broker));
    first = places(*feed, 100);
    ASSERT_EQ(first.size(), 100u) << feed->trouble();
  }
  {
    const auto feed = open(spec_of(broker));
    EXPECT_EQ(places(*feed, 100), first);
    EXPECT_TRUE(feed->acknowledge().ok());
  }
  broker.produce(101, 120);
  const auto feed = open(spec_of(broker));
  const auto later = places(*feed, 20);
  EXPECT_EQ(later.size(), 20u);
  for (const std::string& place : later) EXPECT_FALSE(first.contains(place)) << place;
}

TEST(Kafka, ABrokerThatIsAwayIsTroubleAndNoError) {
  const auto feed = open({.brokers = "127.0.0.1:1", .topics = {"orders"}, .group = "test"});
  std::vector<Message> messages;
  for (int i = 0; i < 50 && feed->trouble().empty(); ++i) {
    ASSERT_TRUE(feed->poll(Duration::millis(200), messages).ok());
  }
  EXPECT_NE(feed->trouble(), "");
}

TEST(Kafka, WhatTheLibraryDoesNotKnowIsRefused) {
  const auto unknown =
      open_kafka({.brokers = "127.0.0.1:1", .topics = {"a"}, .properties = {{"no.such.setting", "1"}}});
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  const auto unset = open_kafka(
      {.brokers = "127.0.0.1:1", .topics = {"a"}, .properties = {{"sasl.password", "$KEHU_NOT_SET"}}});
  EXPECT_EQ(unset.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(message_of(unset.status()).find("KEHU_NOT_SET"), std::string::npos) << unset.status();
}

}  // namespace
}  // namespace kehu::feed
