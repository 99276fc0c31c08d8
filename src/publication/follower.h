#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "engine/engine.h"
#include "feed/producer.h"
#include "os/file_system.h"
#include "publication/content.h"

namespace kehu::publication {

// Something that the operator should know of a topic.
struct Notice {
  bool well = false;
  std::string text;
};
using Notify = std::function<void(const Notice&)>;

struct FollowerOptions {
  feed::ProducerSpec producer;
  std::string mark_file;
  bool from_now = false;  // when nothing was delivered to the topic yet
  os::FileSystem* files = nullptr;
  Notify notify;
};

// Figures of a topic since the start.
struct Figures {
  uint64_t messages = 0;  // that the broker has
  uint64_t errors = 0;    // times that delivery broke off and was begun again
  uint64_t behind = 0;    // records of the log that are not delivered yet
};

// Lets one topic follow the log: hands over what was archived, and remembers what the broker has. Whatever
// goes wrong is tried again, from behind the last record that was delivered.
class Follower final : private Sink {
 public:
  // InvalidArgument for settings that the library refuses; DataLoss when the mark cannot be read or is of
  // another log.
  static absl::StatusOr<std::unique_ptr<Follower>> open(engine::Engine& engine, FollowerOptions options,
                                                        std::unique_ptr<Content> content);

  // Until stopped; then up to 3 s to deliver what is under way.
  void run(const std::stop_token& stop);

  const std::string& topic() const { return options_.producer.topic; }
  // Any thread.
  Figures figures() const;

 private:
  Follower(engine::Engine& engine, FollowerOptions options, std::unique_ptr<Content> content);
  absl::Status find_start();
  absl::Status open_producer();
  absl::Status step();
  absl::Status hand_over(query::LogStretch stretch);
  absl::Status send(const feed::Outgoing& message) override;
  void mark(Sequence position) override;
  absl::Status rest(Duration duration) override;
  absl::Status wait_for_room();
  absl::Status poll(Duration patience);
  void begin_again();
  void save();
  void report(std::string trouble);
  void finish();

  engine::Engine& engine_;
  const FollowerOptions options_;
  std::unique_ptr<Content> content_;
  std::unique_ptr<feed::Producer> producer_;
  std::stop_token stop_;
  Sequence sent_;   // to the producer
  Sequence saved_;  // in the mark file
  Duration saved_at_;
  absl::Status save_status_;
  bool full_ = false;  // the producer took no more
  size_t under_way_when_full_ = 0;
  Duration pause_;                // before it is begun again
  uint64_t messages_before_ = 0;  // of earlier producers
  std::string reported_;
  std::atomic<uint64_t> delivered_{0};
  std::atomic<uint64_t> messages_{0};
  std::atomic<uint64_t> errors_{0};
};

}  // namespace kehu::publication
