#include <mosquitto.h>
#include <poll.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "feed/feed.h"

namespace kehu::feed {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kKeepAliveSeconds = 30;
constexpr auto kReconnectPause = std::chrono::seconds(1);
constexpr int kQos = 1;
constexpr size_t kMessagesMax = 5000;

void start_library() {
  static const int started = mosquitto_lib_init();
  (void)started;
}

// libmosquitto acknowledges a message as soon as it has read it, which is before it is durable here. In its
// threaded mode it only queues what it wants to send, and here nobody sends but `flush`: so acknowledgements
// wait until acknowledge(), and what a crash leaves unacknowledged the broker sends again.
class MqttFeed final : public Feed {
 public:
  explicit MqttFeed(MqttSpec spec) : spec_(std::move(spec)) { start_library(); }
  ~MqttFeed() override {
    if (client_ == nullptr) return;
    mosquitto_disconnect(client_);
    mosquitto_destroy(client_);
  }

  absl::Status open() {
    // The session outlives the connection: the broker keeps what arrives meanwhile.
    client_ = mosquitto_new(spec_.client.c_str(), false, this);
    if (client_ == nullptr) return refused("the client name cannot be used");
    mosquitto_threaded_set(client_, true);
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<MqttFeed*>(self)->take(*message);
    });
    mosquitto_connect_callback_set(
        client_, [](mosquitto*, void* self, int code) { static_cast<MqttFeed*>(self)->connected(code); });
    mosquitto_subscribe_callback_set(client_, [](mosquitto*, void* self, int, int count, const int* granted) {
      static_cast<MqttFeed*>(self)->subscribed(count, granted);
    });
    if (!spec_.username.empty()) {
      const auto password = secret_of(spec_.password);
      if (!password.ok()) return password.status();
      mosquitto_username_pw_set(client_, spec_.username.c_str(), password->c_str());
    }
    if (!spec_.ca_file.empty()) {
      const int code = mosquitto_tls_set(client_, spec_.ca_file.c_str(), nullptr, nullptr, nullptr, nullptr);
      if (code != MOSQ_ERR_SUCCESS) return refused(cat(spec_.ca_file, ": ", mosquitto_strerror(code)));
    }
    for (const std::string& topic : spec_.topics) {
      if (mosquitto_sub_topic_check(topic.c_str()) != MOSQ_ERR_SUCCESS) {
        return refused(cat("\"", topic, "\" is no topic filter"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status poll(Duration patience, std::vector<Message>& messages) override {
    messages_ = &messages;
    const auto end = Clock::now() + std::chrono::microseconds(patience.micros());
    while (messages.size() < kMessagesMax && final_.ok()) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      const int millis = messages.empty() ? static_cast<int>(std::max<int64_t>(0, left.count())) : 0;
      if (!step(millis) && (millis == 0 || Clock::now() >= end)) break;
    }
    messages_ = nullptr;
    return final_;
  }

  absl::Status acknowledge() override {
    flush();
    return final_;
  }

  std::string trouble() const override { return trouble_; }

 private:
  static absl::Status refused(std::string_view why) {
    return failure(absl::StatusCode::kInvalidArgument, "MQTT: ", why);
  }

  bool is_connected() const { return mosquitto_socket(client_) >= 0; }

  void connect() {
    if (Clock::now() < next_try_) return;
    next_try_ = Clock::now() + kReconnectPause;
    const int code = mosquitto_connect(client_, spec_.host.c_str(), spec_.port, kKeepAliveSeconds);
    if (code != MOSQ_ERR_SUCCESS) note(code);
  }

  // True when something was read. Pings and subscriptions go out only while no message waits to be
  // acknowledged.
  bool step(int millis) {
    if (!is_connected()) connect();
    if (!is_connected()) {
      ::poll(nullptr, 0, std::min(millis, 50));
      return false;
    }
    if (messages_->empty()) {
      if (const int code = mosquitto_loop_misc(client_); code != MOSQ_ERR_SUCCESS) return note(code);
      flush();
    }
    pollfd wanted{.fd = mosquitto_socket(client_), .events = POLLIN, .revents = 0};
    if (wanted.fd < 0 || ::poll(&wanted, 1, millis) <= 0) return false;
    const int code = mosquitto_loop_read(client_, 1);
    return code == MOSQ_ERR_SUCCESS || note(code);
  }

  void flush() {
    while (is_connected() && mosquitto_want_write(client_)) {
      pollfd wanted{.fd = mosquitto_socket(client_), .events = POLLOUT, .revents = 0};
      if (::poll(&wanted, 1, 1000) <= 0) return;
      if (const int code = mosquitto_loop_write(client_, 1); code != MOSQ_ERR_SUCCESS) {
        note(code);
        return;
      }
    }
  }

  void connected(int code) {
    if (code != 0) {
      final_ = failure(absl::StatusCode::kPermissionDenied, "MQTT: ", spec_.host, ":", spec_.port, ": ",
                       mosquitto_connack_string(code));
      return;
    }
    trouble_.clear();
    for (const std::string& topic : spec_.topics) mosquitto_subscribe(client_, nullptr, topic.c_str(), kQos);
  }

  void subscribed(int count, const int* granted) {
    constexpr int kRefused = 0x80;
    if (std::any_of(granted, granted + count, [](int qos) { return qos >= kRefused; })) {
      final_ = failure(absl::StatusCode::kPermissionDenied,
                       "MQTT: the broker refuses a subscription; see its access rules");
    }
  }

  void take(const mosquitto_message& message) {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    // A number of its own for every arrival, also of two in a microsecond.
    last_arrival_ = std::max(last_arrival_ + 1, static_cast<uint64_t>(now.count()));
    messages_->push_back({.topic = message.topic,
                          .stream = message.topic,
                          .position = last_arrival_,
                          .key = {},
                          .time = Instant(static_cast<int64_t>(last_arrival_)),
                          .payload = std::string(static_cast<const char*>(message.payload),
                                                 static_cast<size_t>(message.payloadlen))});
  }

  bool note(int code) {
    trouble_ = cat(spec_.host, ":", spec_.port, ": ", mosquitto_strerror(code));
    return false;
  }

  const MqttSpec spec_;
  mosquitto* client_ = nullptr;
  std::vector<Message>* messages_ = nullptr;  // while poll() runs
  uint64_t last_arrival_ = 0;
  Clock::time_point next_try_;
  std::string trouble_;
  absl::Status final_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Feed>> open_mqtt(const MqttSpec& spec) {
  auto feed = std::make_unique<MqttFeed>(spec);
  if (auto status = feed->open(); !status.ok()) return status;
  return feed;
}

}  // namespace kehu::feed
