#include "upload/attachment.h"

#include "base/text.h"
#include "host/log_line.h"

namespace kehu::upload {
namespace {

absl::StatusOr<std::unique_ptr<feed::Feed>> open_feed(const mapping::Mapping& mapping) {
  if (mapping.kafka) return feed::open_kafka(*mapping.kafka);
  if (mapping.mqtt) return feed::open_mqtt(*mapping.mqtt);
  return failure(absl::StatusCode::kInvalidArgument, mapping.name,
                 ": there is no section [kafka] or [mqtt]; files are imported by `kehu import`");
}

bool passes(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kInternal ||
         status.code() == absl::StatusCode::kResourceExhausted;
}

constexpr Duration kPatience = Duration::millis(200);
constexpr auto kPause = std::chrono::milliseconds(500);

}  // namespace

absl::StatusOr<std::unique_ptr<Attachment>> Attachment::open(const std::string& map, command::Caller& caller,
                                                             MappedUpload::Sender sender) {
  auto mapping = mapping::Mapping::load(map);
  if (!mapping.ok()) return mapping.status();
  if (sender.key.empty() && sender.source.empty()) sender.source = mapping->source;
  sender.client = mapping->kafka ? "kehu attach kafka" : "kehu attach mqtt";
  std::unique_ptr<Attachment> attachment(new Attachment(*std::move(mapping), caller, sender));
  auto mapper = mapping::MessageMapper::make(attachment->mapping_);
  if (!mapper.ok()) return mapper.status();
  attachment->mapper_ = std::make_unique<mapping::MessageMapper>(*std::move(mapper));
  auto feed = open_feed(attachment->mapping_);
  if (!feed.ok()) return feed.status();
  attachment->feed_ = *std::move(feed);
  return attachment;
}

absl::StatusOr<bool> Attachment::step(Duration patience) {
  if (polled_.empty()) {
    if (auto status = take(patience); !status.ok()) return status;
    if (polled_.empty()) return false;
  }
  if (auto status = upload_.send_all(); !status.ok()) {
    if (!passes(status)) return status;
    trouble_ = message_of(status);
    return false;
  }
  trouble_.clear();
  messages_ += polled_.size();
  polled_.clear();
  if (auto status = feed_->acknowledge(); !status.ok()) return status;
  return true;
}

absl::Status Attachment::take(Duration patience) {
  if (auto status = feed_->poll(patience, polled_); !status.ok()) return status;
  for (const feed::Message& message : polled_) {
    // A tombstone of Kafka, or what clears a retained message of MQTT: it says that there is nothing.
    if (message.payload.empty()) {
      ++passed_over_;
      continue;
    }
    mapper_->map(message, row_);
    upload_.add(row_, mapping::MessageMapper::origin(message));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Attachments>> Attachments::start(const std::vector<std::string>& maps,
                                                                host::Runtime& runtime) {
  auto out = std::make_unique<Attachments>();
  for (const std::string& map : maps) {
    Running running{.caller = command::caller_of(runtime), .attachment = nullptr, .thread = {}};
    auto attachment = Attachment::open(map, *running.caller, {});
    if (!attachment.ok()) return attachment.status();
    running.attachment = *std::move(attachment);
    out->running_.push_back(std::move(running));
  }
  for (Running& running : out->running_) {
    running.thread = std::jthread(
        [attachment = running.attachment.get()](const std::stop_token& stop) { run(stop, *attachment); });
  }
  return out;
}

void Attachments::stop() {
  for (Running& running : running_) running.thread.request_stop();
  running_.clear();
}

void Attachments::run(const std::stop_token& stop, Attachment& attachment) {
  std::string reported;
  while (!stop.stop_requested()) {
    const auto any = attachment.step(kPatience);
    const std::string trouble = any.ok() ? attachment.trouble() : message_of(any.status());
    if (trouble != reported) {
      const auto severity = !any.ok()         ? server::Severity::kError
                            : trouble.empty() ? server::Severity::kInfo
                                              : server::Severity::kWarning;
      host::log_line(severity, cat(attachment.name(), ": ", trouble.empty() ? "flows again" : trouble,
                                   any.ok() ? "" : "; nothing more is taken from it until the next start"));
      reported = trouble;
    }
    if (!any.ok()) return;
    if (!*any && !trouble.empty()) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace kehu::upload
