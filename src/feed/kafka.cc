#include <librdkafka/rdkafkacpp.h>

#include "base/text.h"
#include "feed/feed.h"
#include "feed/kafka_settings.h"

namespace kehu::feed {
namespace {

constexpr size_t kMessagesMax = 5000;
constexpr size_t kBytesMax = 8u << 20;

// Remembers the last thing that librdkafka complained about.
class Events final : public RdKafka::EventCb {
 public:
  void event_cb(RdKafka::Event& event) override {
    if (event.type() != RdKafka::Event::EVENT_ERROR) return;
    trouble_ = event.str();
    if (event.fatal() || is_final(event.err())) final_ = trouble_;
  }
  // Refusals that waiting does not mend.
  static bool is_final(RdKafka::ErrorCode code) {
    return code == RdKafka::ERR__AUTHENTICATION || code == RdKafka::ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RdKafka::ERR_GROUP_AUTHORIZATION_FAILED || code == RdKafka::ERR_SASL_AUTHENTICATION_FAILED;
  }
  void refuse(std::string why) { final_ = std::move(why); }
  void note(std::string trouble) { trouble_ = std::move(trouble); }
  void clear() { trouble_.clear(); }
  const std::string& trouble() const { return trouble_; }
  absl::Status final() const {
    return final_.empty() ? absl::OkStatus()
                          : failure(absl::StatusCode::kPermissionDenied, "Kafka: ", final_);
  }

 private:
  std::string trouble_;
  std::string final_;
};

class KafkaFeed final : public Feed {
 public:
  ~KafkaFeed() override {
    if (consumer_) consumer_->close();
  }

  absl::Status open(const KafkaSpec& spec) {
    KafkaProperties settings = {
        {"client.id", "kehu"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"},
        {"queued.max.messages.kbytes", "32768"},
    };
    settings.insert(settings.end(), spec.properties.begin(), spec.properties.end());
    // Not for the mapping to change: acknowledge() is what commits.
    settings.insert(settings.end(), {{"bootstrap.servers", spec.brokers},
                                     {"group.id", spec.group},
                                     {"enable.auto.commit", "false"},
                                     {"enable.partition.eof", "false"}});
    const auto conf = kafka_settings(settings);
    if (!conf.ok()) return conf.status();
    std::string error;
    if ((*conf)->set("event_cb", &events_, error) != RdKafka::Conf::CONF_OK) return kafka_refused(error);
    consumer_.reset(RdKafka::KafkaConsumer::create(conf->get(), error));
    if (!consumer_) return kafka_refused(error);
    const RdKafka::ErrorCode code = consumer_->subscribe(spec.topics);
    return code == RdKafka::ERR_NO_ERROR ? absl::OkStatus() : kafka_refused(RdKafka::err2str(code));
  }

  absl::Status poll(Duration patience, std::vector<Message>& messages) override {
    auto millis = static_cast<int>(patience.micros() / 1000);
    size_t bytes = 0;
    for (size_t n = 0; n < kMessagesMax && bytes < kBytesMax; ++n, millis = 0) {
      const std::unique_ptr<RdKafka::Message> message(consumer_->consume(millis));
      if (message->err() == RdKafka::ERR__TIMED_OUT) break;
      if (message->err() != RdKafka::ERR_NO_ERROR) {
        complain(*message);
        break;
      }
      events_.clear();
      bytes += message->len();
      messages.push_back(copy_of(*message));
    }
    return events_.final();
  }

  absl::Status acknowledge() override {
    const RdKafka::ErrorCode code = consumer_->commitSync();
    // Without them the same messages come again, which adds nothing.
    if (code != RdKafka::ERR_NO_ERROR && code != RdKafka::ERR__NO_OFFSET)
      events_.note(RdKafka::err2str(code));
    return events_.final();
  }

  std::string trouble() const override { return events_.trouble(); }

 private:
  void complain(const RdKafka::Message& message) {
    if (Events::is_final(message.err())) return events_.refuse(message.errstr());
    events_.note(message.errstr());
  }

  static Message copy_of(const RdKafka::Message& message) {
    Message out;
    out.topic = message.topic_name();
    out.stream = cat(out.topic, "/", message.partition());
    out.position = static_cast<uint64_t>(message.offset());
    if (message.key() != nullptr) out.key = *message.key();
    out.time = Instant::from_millis(message.timestamp().timestamp);
    if (message.payload() != nullptr) {
      out.payload.assign(static_cast<const char*>(message.payload()), message.len());
    }
    return out;
  }

  Events events_;
  std::unique_ptr<RdKafka::KafkaConsumer> consumer_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Feed>> open_kafka(const KafkaSpec& spec) {
  auto feed = std::make_unique<KafkaFeed>();
  if (auto status = feed->open(spec); !status.ok()) return status;
  return feed;
}

}  // namespace kehu::feed
