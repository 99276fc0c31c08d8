#pragma once

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"

// For the tests of this folder.
namespace kehu::feed {

// A message as a broker has it.
struct Stored {
  int partition = 0;
  std::string key;
  std::optional<std::string> value;
  std::map<std::string, std::string> headers;
};

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
  void go_down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void come_up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

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

  // What the three partitions hold, each in its order, from the beginning; waits for `wanted` messages, for
  // twenty seconds at most, and a little longer for more.
  std::vector<Stored> stored(size_t wanted) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char error[256];
    rd_kafka_conf_set(conf, "bootstrap.servers", addresses().c_str(), error, sizeof(error));
    rd_kafka_conf_set(conf, "group.id", "reader", error, sizeof(error));
    rd_kafka_t* consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof(error));
    rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(3);
    for (int partition = 0; partition < 3; ++partition) {
      rd_kafka_topic_partition_list_add(all, "orders", partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
    std::vector<Stored> messages;
    for (int i = 0; i < 100;) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 200);
      if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (messages.size() >= wanted) i = 100;
        ++i;
      } else {
        messages.push_back(copy_of(*message));
      }
      if (message != nullptr) rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
    return messages;
  }

 private:
  static Stored copy_of(const rd_kafka_message_t& message) {
    Stored out{.partition = message.partition,
               .key = {static_cast<const char*>(message.key), message.key_len},
               .value = std::nullopt,
               .headers = {}};
    if (message.payload != nullptr) out.value.emplace(static_cast<const char*>(message.payload), message.len);
    rd_kafka_headers_t* headers = nullptr;
    rd_kafka_message_headers(&message, &headers);
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; headers != nullptr && rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                                 RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      out.headers[name] = std::string(static_cast<const char*>(value), size);
    }
    return out;
  }
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

}  // namespace kehu::feed
