#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/text.h"
#include "feed/producer.h"
#include "feed/test_broker.h"

namespace kehu::feed {
namespace {

std::unique_ptr<Producer> open(const std::string& brokers, KafkaProperties properties = {}) {
  properties.emplace_back("reconnect.backoff.max.ms", "200");
  auto producer = open_kafka_producer({.brokers = brokers, .topic = "orders", .properties = properties});
  EXPECT_TRUE(producer.ok()) << producer.status();
  return *std::move(producer);
}

// Sends messages with these positions, of seven keys in turn, and marks each.
void send(Producer& producer, uint64_t first, uint64_t last) {
  for (uint64_t n = first; n <= last; ++n) {
    const std::string key = cat("k", n % 7);
    const std::string value = cat("{\"n\":", n, "}");
    const std::string message_id = cat("m-", n);
    const auto taken =
        producer.send({.key = key, .value = value, .message_id = message_id, .position = Sequence(n)});
    ASSERT_TRUE(taken.ok() && *taken) << taken.status();
    producer.mark(Sequence(n));
  }
}

// Polls until everything has arrived, or an error, or for twenty seconds.
absl::Status settle(Producer& producer) {
  for (int i = 0; i < 200 && producer.under_way() > 0; ++i) {
    if (auto status = producer.poll(Duration::millis(100)); !status.ok()) return status;
  }
  return absl::OkStatus();
}

TEST(KafkaProducer, MessagesArriveInTheOrderOfTheirKey) {
  Broker broker;
  const auto producer = open(broker.addresses());
  send(*producer, 1, 500);
  ASSERT_TRUE(settle(*producer).ok());
  EXPECT_EQ(producer->delivered(), Sequence(500));
  EXPECT_EQ(producer->messages_delivered(), 500u);
  const std::vector<Stored> stored = broker.stored(500);
  ASSERT_EQ(stored.size(), 500u);
  std::map<std::string, uint64_t> last;
  std::map<std::string, std::set<int>> partitions;
  for (const Stored& message : stored) {
    const uint64_t position = std::stoull(message.headers.at("kehu-position"));
    EXPECT_EQ(message.headers.at("kehu-message-id"), cat("m-", position));
    EXPECT_EQ(message.value, cat("{\"n\":", position, "}"));
    EXPECT_EQ(message.key, cat("k", position % 7));
    EXPECT_LT(last[message.key], position);
    last[message.key] = position;
    partitions[message.key].insert(message.partition);
  }
  for (const auto& [key, where] : partitions) EXPECT_EQ(where.size(), 1u) << key;
}

TEST(KafkaProducer, AMessageMayHaveNoKeyAndNoValue) {
  Broker broker;
  const auto producer = open(broker.addresses());
  ASSERT_TRUE(*producer->send({.key = {}, .value = "{}", .message_id = {}, .position = Sequence(1)}));
  ASSERT_TRUE(
      *producer->send({.key = "k", .value = std::nullopt, .message_id = {}, .position = Sequence(2)}));
  ASSERT_TRUE(settle(*producer).ok());
  const std::vector<Stored> stored = broker.stored(2);
  ASSERT_EQ(stored.size(), 2u);
  for (const Stored& message : stored) {
    const bool first = message.headers.at("kehu-position") == "1";
    EXPECT_EQ(message.key, first ? "" : "k");
    EXPECT_EQ(message.value, first ? std::optional<std::string>("{}") : std::nullopt);
    EXPECT_EQ(message.headers.size(), 1u);
  }
}

TEST(KafkaProducer, ABrokerThatIsAwayIsWaitedFor) {
  Broker broker;
  const auto producer = open(broker.addresses());
  send(*producer, 1, 10);
  ASSERT_TRUE(settle(*producer).ok());
  broker.go_down();
  send(*producer, 11, 20);
  for (int i = 0; i < 100 && producer->trouble().empty(); ++i) {
    ASSERT_TRUE(producer->poll(Duration::millis(100)).ok());
  }
  EXPECT_NE(producer->trouble(), "");
  EXPECT_EQ(producer->delivered(), Sequence(10));
  broker.come_up();
  ASSERT_TRUE(settle(*producer).ok());
  EXPECT_EQ(producer->trouble(), "");
  EXPECT_EQ(producer->delivered(), Sequence(20));
  EXPECT_EQ(broker.stored(20).size(), 20u);
}

TEST(KafkaProducer, WhatWaitsIsBounded) {
  const auto producer = open("127.0.0.1:1", {{"queue.buffering.max.messages", "10"}});
  send(*producer, 1, 10);
  const auto taken = producer->send({.key = "k", .value = "{}", .message_id = {}, .position = Sequence(11)});
  ASSERT_TRUE(taken.ok()) << taken.status();
  EXPECT_FALSE(*taken);
  EXPECT_EQ(producer->under_way(), 10u);
  EXPECT_EQ(producer->delivered(), Sequence(0));
}

TEST(KafkaProducer, ARefusedMessageIsItsEnd) {
  Broker broker;
  const auto producer = open(broker.addresses());
  send(*producer, 1, 5);
  ASSERT_TRUE(settle(*producer).ok());
  rd_kafka_mock_push_request_errors(broker.cluster(), 0 /* Produce */, 1,
                                    RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
  send(*producer, 6, 6);
  const absl::Status refused = settle(*producer);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(message_of(refused).find("orders"), std::string::npos) << refused;
  EXPECT_EQ(producer->delivered(), Sequence(5));
  EXPECT_FALSE(producer->send({.key = "k", .value = "{}", .message_id = {}, .position = Sequence(7)}).ok());
  // A message that the library itself holds for too large.
  const auto small = open(broker.addresses(), {{"message.max.bytes", "1000"}});
  const std::string large(2000, 'x');
  EXPECT_EQ(
      small->send({.key = "k", .value = large, .message_id = {}, .position = Sequence(7)}).status().code(),
      absl::StatusCode::kUnavailable);
}

TEST(KafkaProducer, WhatTheLibraryDoesNotKnowIsRefused) {
  const auto unknown =
      open_kafka_producer({.brokers = "127.0.0.1:1", .topic = "a", .properties = {{"no.such.setting", "1"}}});
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kInvalidArgument);
  const auto unset = open_kafka_producer(
      {.brokers = "127.0.0.1:1", .topic = "a", .properties = {{"sasl.password", "$KEHU_NOT_SET"}}});
  EXPECT_EQ(unset.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace kehu::feed
