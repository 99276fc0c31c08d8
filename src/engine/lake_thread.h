#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "codec/record.h"
#include "engine/bounded_queue.h"
#include "engine/project.h"
#include "lake/lake.h"

namespace kehu::engine {

// An applied event on its way to the lake; its bytes live as long as the batch.
struct ArchivedEvent {
  Sequence sequence;
  CustomerId customer;
  Token part;
  std::string_view record;
};

struct ArchiveBatch {
  Sequence last;  // position behind the batch, events or not
  std::vector<ArchivedEvent> events;
  std::vector<lake::Move> moves;
  std::shared_ptr<const void> bytes;
  size_t size = 0;
};

// Owns the writing side of the lake: appends what was applied, commits every few seconds, and compacts on a second
// thread. A failed commit stops it: what is not committed stays in the log, and the next start archives it.
class LakeThread {
 public:
  struct Options {
    Duration commit_period = Duration::seconds(5);
    size_t queue_bytes = 64u << 20;
    std::function<std::shared_ptr<const Project>()> project;
    // Called after each commit with the position it covers.
    std::function<void(Sequence)> committed;
  };
  LakeThread(lake::Lake& lake, Options options);
  ~LakeThread();

  // Waits while the queue is full; false when it is stopped.
  bool archive(ArchiveBatch batch);
  // Commits at least up to `position` as soon as it is appended.
  void commit_soon(Sequence position);
  // Appends what waits, commits, ends.
  absl::Status stop();

  // Rows up to here are in every new snapshot.
  Sequence appended() const { return Sequence(appended_.load(std::memory_order_acquire)); }
  absl::Status health() const;

 private:
  void run();
  void maintain();
  absl::Status append(const ArchiveBatch& batch);
  absl::Status commit();
  std::string_view source_name(SourceId id);

  lake::Lake& lake_;
  Options options_;
  BoundedQueue<ArchiveBatch> queue_;
  std::atomic<uint64_t> appended_;
  std::atomic<uint64_t> wanted_{0};  // commit_soon
  Sequence covered_;
  std::shared_ptr<const Project> project_;
  std::vector<codec::EventRecord> decoded_;
  std::vector<lake::Row> rows_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  absl::Status health_;
  std::thread writer_;
  std::thread maintainer_;
};

}  // namespace kehu::engine
