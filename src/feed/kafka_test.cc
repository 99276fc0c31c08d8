#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <set>

#include "base/text.h"
#include "feed/feed.h"

namespace kehu::feed {
namespace {

// librdkafka's own broker: in memory, over real sockets.
class Broker {
 public:
  Broker() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char error[256];
    client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
    cluster_ = rd_kafka_mock_cluster_new(client_, 1);
    rd_kafka_mock_topic_create(cluster_, "orders", 3, 1);
    set("bootstrap.servers", addresses());
  }
  ~Broker() {
    if (producer_ != nullptr) rd_kafka_destroy(producer_);
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }

  std::string addresses() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  rd_kafka_mock_cluster_t* cluster() { return cluster_; }

  void produce(uint64_t first, uint64_t last) {
    for (uint64_t n = first; n <= last; ++n) {
      const std::string payload = cat("{\"event\":\"A\",\"user_id\":\"u", n, "\"}");
      const std::string key = cat("k", n);
      ASSERT_EQ(
          rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC("orders"), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),
                            RD_KAFKA_V_KEY(const_cast<char*>(key.data()), key.size()), RD_KAFKA_V_END),
          RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    ASSERT_EQ(rd_kafka_flush(producer_, 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

 private:
  void set(const char* name, const std::string& value) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char error[256];
    rd_kafka_conf_set(conf, name, value.c_str(), error, sizeof(error));
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, sizeof(error));
  }

  rd_kafka_t* client_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  rd_kafka_t* producer_ = nullptr;
};

mapping::KafkaSpec spec_of(const Broker& broker) {
  return {.brokers = broker.addresses(),
          .topics = {"orders"},
          .group = "test",
          .properties = {{"session.timeout.ms", "3000"}, {"heartbeat.interval.ms", "300"}}};
}

std::unique_ptr<Feed> open(const mapping::KafkaSpec& spec) {
  auto feed = open_kafka(spec);
  EXPECT_TRUE(feed.ok()) << feed.status();
  return *std::move(feed);
}

// Places of the messages that arrive until there are `wanted`, or twenty seconds are over.
std::multiset<std::string> places(Feed& feed, size_t wanted) {
  std::multiset<std::string> found;
  for (int i = 0; i < 100 && found.size() < wanted; ++i) {
    std::vector<mapping::Message> messages;
    EXPECT_TRUE(feed.poll(Duration::millis(200), messages).ok());
    for (const mapping::Message& message : messages) found.insert(mapping::MessageMapper::origin(message));
  }
  return found;
}

TEST(Kafka, MessagesCarryTheirPlace) {
  Broker broker;
  broker.produce(1, 1);
  const auto feed = open(spec_of(broker));
  std::vector<mapping::Message> messages;
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
  std::vector<mapping::Message> messages;
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
