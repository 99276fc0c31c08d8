#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "feed/feed_spec.h"
#include "feed/message.h"

// Messages from brokers: the only folder that knows librdkafka and libmosquitto.
namespace kehu::feed {

// A subscription. One thread.
//
// At least once: what was polled is given again, by this or the next process, until it is acknowledged.
// Exactly once becomes of it by message ids (MessageMapper) and the log's memory of them.
class Feed {
 public:
  virtual ~Feed() = default;

  // Appends what has arrived, up to a few thousand messages; waits up to `patience` for the first. Connects
  // again by itself. An error is final: the broker refuses us, and the text says what it said.
  virtual absl::Status poll(Duration patience, std::vector<Message>& messages) = 0;
  // Everything that was polled is durable. Before the next poll.
  virtual absl::Status acknowledge() = 0;
  // Empty, or what stands in the way at the moment: "127.0.0.1:9092: Connection refused".
  virtual std::string trouble() const = 0;
};

// Values that begin with "$" are taken from the environment; kInvalidArgument for a setting that librdkafka
// does not know, or a variable that is not set.
absl::StatusOr<std::unique_ptr<Feed>> open_kafka(const KafkaSpec& spec);
absl::StatusOr<std::unique_ptr<Feed>> open_mqtt(const MqttSpec& spec);

// `text`, or the variable that it names.
absl::StatusOr<std::string> secret_of(const std::string& text);

}  // namespace kehu::feed
