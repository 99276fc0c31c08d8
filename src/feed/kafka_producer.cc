#include <librdkafka/rdkafkacpp.h>

#include "base/text.h"
#include "feed/delivery_order.h"
#include "feed/kafka_settings.h"
#include "feed/producer.h"

namespace kehu::feed {
namespace {

constexpr std::string_view kMessageIdHeader = "kehu-message-id";
constexpr std::string_view kPositionHeader = "kehu-position";

int millis_of(Duration patience) { return static_cast<int>(patience.micros() / 1000); }

class KafkaProducer final : public Producer, private RdKafka::EventCb, private RdKafka::DeliveryReportCb {
 public:
  absl::Status open(const ProducerSpec& spec) {
    topic_ = spec.topic;
    KafkaProperties settings = {
        {"client.id", "kehu"},
        {"compression.type", "lz4"},
        // The partition that Java's clients choose for a key, so that streams can be joined.
        {"partitioner", "murmur2_random"},
        {"message.timeout.ms", "0"},
        {"reconnect.backoff.max.ms", "2000"},
        {"queue.buffering.max.kbytes", "32768"},
        {"queue.buffering.max.messages", "100000"},
    };
    settings.insert(settings.end(), spec.properties.begin(), spec.properties.end());
    // Not for the file to change: what is promised rests on them.
    settings.insert(settings.end(),
                    {{"bootstrap.servers", spec.brokers}, {"enable.idempotence", "true"}, {"acks", "all"}});
    const auto conf = kafka_settings(settings);
    if (!conf.ok()) return conf.status();
    std::string error;
    const bool set =
        (*conf)->set("event_cb", static_cast<RdKafka::EventCb*>(this), error) == RdKafka::Conf::CONF_OK &&
        (*conf)->set("dr_cb", static_cast<RdKafka::DeliveryReportCb*>(this), error) == RdKafka::Conf::CONF_OK;
    if (!set) return kafka_refused(error);
    producer_.reset(RdKafka::Producer::create(conf->get(), error));
    return producer_ ? absl::OkStatus() : kafka_refused(error);
  }

  absl::StatusOr<bool> send(const Outgoing& message) override {
    if (!lost_.ok()) return lost_;
    std::unique_ptr<RdKafka::Headers> headers(RdKafka::Headers::create());
    if (!message.message_id.empty())
      headers->add(std::string(kMessageIdHeader), std::string(message.message_id));
    headers->add(std::string(kPositionHeader), cat(message.position.value()));
    const std::string_view value = message.value.value_or(std::string_view());
    const RdKafka::ErrorCode code =
        producer_->produce(topic_, RdKafka::Topic::PARTITION_UA, RdKafka::Producer::RK_MSG_COPY,
                           message.value ? const_cast<char*>(value.data()) : nullptr, value.size(),
                           message.key.empty() ? nullptr : message.key.data(), message.key.size(), 0,
                           headers.get(), reinterpret_cast<void*>(order_.next()));
    if (code == RdKafka::ERR__QUEUE_FULL) return false;
    if (code != RdKafka::ERR_NO_ERROR)
      return lose(cat(RdKafka::err2str(code), " (position ", message.position.value(), ")"));
    headers.release();  // the message has them
    order_.add();
    ++under_way_;
    return true;
  }

  void mark(Sequence position) override { order_.mark(position); }

  absl::Status poll(Duration patience) override {
    producer_->poll(millis_of(patience));
    return lost_;
  }

  absl::Status flush(Duration patience) override {
    producer_->flush(millis_of(patience));
    return lost_;
  }

  Sequence delivered() const override { return order_.reached(); }
  uint64_t messages_delivered() const override { return delivered_; }
  size_t under_way() const override { return under_way_; }
  std::string trouble() const override { return under_way_ > 0 ? trouble_ : std::string(); }

 private:
  void event_cb(RdKafka::Event& event) override {
    if (event.type() != RdKafka::Event::EVENT_ERROR) return;
    trouble_ = event.str();
    if (event.fatal()) (void)lose(event.str());
  }

  void dr_cb(RdKafka::Message& message) override {
    --under_way_;
    if (message.err() != RdKafka::ERR_NO_ERROR) {
      (void)lose(message.errstr());
    } else if (lost_.ok()) {
      trouble_.clear();
      ++delivered_;
      order_.arrived(reinterpret_cast<uintptr_t>(message.msg_opaque()));
    }
  }

  // The first loss is the cause; what was sent behind it fails with it.
  absl::Status lose(std::string_view why) {
    if (lost_.ok()) lost_ = failure(absl::StatusCode::kUnavailable, "topic ", topic_, ": ", why);
    return lost_;
  }

  std::string topic_;
  std::string trouble_;
  absl::Status lost_;
  DeliveryOrder order_;
  uint64_t delivered_ = 0;
  size_t under_way_ = 0;
  // The last member: its end may still report.
  std::unique_ptr<RdKafka::Producer> producer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Producer>> open_kafka_producer(const ProducerSpec& spec) {
  auto producer = std::make_unique<KafkaProducer>();
  if (auto status = producer->open(spec); !status.ok()) return status;
  return producer;
}

}  // namespace kehu::feed
