#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/time.h"
#include "feed/feed_spec.h"
#include "model/ids.h"

namespace kehu::feed {

// A message on its way to a topic. Views are valid during Producer::send.
struct Outgoing {
  std::string_view key;                   // empty: none
  std::optional<std::string_view> value;  // none: what a compacted topic takes for a deletion
  std::string_view message_id;            // header kehu-message-id; empty: none
  Sequence position;                      // header kehu-position
};

// One topic of a broker. Messages of one key arrive in the order in which they were sent, each once as long
// as the producer lives. One thread.
//
// What waits is bounded (32 MB, 100,000 messages). A broker that is away is waited for without end. An error
// of send() or poll() is the end of this producer: the broker refused a message, and a new producer has to
// send again everything behind delivered().
class Producer {
 public:
  virtual ~Producer() = default;

  // False: what waits is full, and the message was not taken. poll() makes room.
  virtual absl::StatusOr<bool> send(const Outgoing& message) = 0;
  // Everything of the log up to here was sent.
  virtual void mark(Sequence position) = 0;
  // Takes what the broker reports, waiting up to `patience` for it.
  virtual absl::Status poll(Duration patience) = 0;
  // Waits until nothing is under way, or `patience` is over.
  virtual absl::Status flush(Duration patience) = 0;

  // The last mark up to which the broker has everything.
  virtual Sequence delivered() const = 0;
  virtual uint64_t messages_delivered() const = 0;
  virtual size_t under_way() const = 0;
  // Empty, or what keeps messages under way from arriving.
  virtual std::string trouble() const = 0;
};

struct ProducerSpec {
  std::string brokers;
  std::string topic;
  KafkaProperties properties{};
};
// Values as for open_kafka().
absl::StatusOr<std::unique_ptr<Producer>> open_kafka_producer(const ProducerSpec& spec);

}  // namespace kehu::feed
