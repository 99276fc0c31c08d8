#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "feed/feed.h"
#include "mapping/mapping.h"
#include "mapping/message.h"
#include "upload/mapped_upload.h"

namespace kehu::upload {

// A Kafka topic or MQTT subscription that flows into an installation. Messages are acknowledged to the broker
// once they are durable here; those that come again are recognised by their ids. One thread.
class Attachment {
 public:
  // Without a sender it is the source that the mapping names.
  static absl::StatusOr<std::unique_ptr<Attachment>> open(const std::string& map, command::Caller& caller,
                                                          MappedUpload::Sender sender);

  // Takes what arrives within `patience`. False when nothing did. An error ends the attachment; what passes,
  // such as a broker or an installation that is away, is tried again with the next call, and shown by
  // trouble().
  absl::StatusOr<bool> step(Duration patience);

  const std::string& name() const { return mapping_.name; }
  uint64_t messages() const { return messages_; }
  // Of them, those that were empty: tombstones.
  uint64_t passed_over() const { return passed_over_; }
  const UploadTotals& totals() const { return upload_.totals(); }
  std::string trouble() const { return trouble_.empty() ? feed_->trouble() : trouble_; }

 private:
  Attachment(mapping::Mapping mapping, command::Caller& caller, const MappedUpload::Sender& sender)
      : mapping_(std::move(mapping)), upload_(caller, sender) {}
  absl::Status take(Duration patience);

  const mapping::Mapping mapping_;
  MappedUpload upload_;
  std::unique_ptr<feed::Feed> feed_;
  std::unique_ptr<mapping::MessageMapper> mapper_;
  std::vector<feed::Message> polled_;  // not durable yet
  mapping::MappedRow row_;
  uint64_t messages_ = 0;
  uint64_t passed_over_ = 0;
  std::string trouble_;
};

// Attachments on threads of their own, into an installation of this process.
class Attachments {
 public:
  static absl::StatusOr<std::unique_ptr<Attachments>> start(const std::vector<std::string>& maps,
                                                            host::Runtime& runtime);
  // Stops them; what was polled and is not durable comes again with the next start.
  ~Attachments() { stop(); }
  void stop();

 private:
  struct Running {
    std::unique_ptr<command::Caller> caller;
    std::unique_ptr<Attachment> attachment;
    std::jthread thread;
  };
  static void run(const std::stop_token& stop, Attachment& attachment);
  std::vector<Running> running_;
};

}  // namespace kehu::upload
