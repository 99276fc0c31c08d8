#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "codec/record.h"
#include "engine/project.h"
#include "engine/words.h"
#include "lake/lake.h"
#include "membership/plan.h"
#include "replica/bounded_queue.h"
#include "trace/tracer.h"

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
  std::vector<lake::SegmentRow> changes = {};
  std::vector<std::shared_ptr<const membership::Labels>> labels = {};  // what the changes name
  lake::TableRows rows;                                                // of the other tables
  std::shared_ptr<const void> bytes;
  size_t size = 0;
};

// Owns the writing side of the lake: one thread appends what was applied, one commits every few seconds what
// was appended, and one compacts. Appending goes on while a commit is written; only when what is not on disk
// takes twice the memory it may does it wait for the commit under way.
//
// A commit that failed is tried again after each period; meanwhile its rows can be read, but are only in
// memory, and the log must keep them. When the lake cannot take more rows, those that follow are left out
// until the next start, which archives them from the log.
class LakeThread {
 public:
  struct Options {
    Duration commit_period = Duration::seconds(5);
    size_t queue_bytes = 64u << 20;
    std::function<std::shared_ptr<const Project>()> project;
    Sequence start;  // everything up to here is in the lake, whatever position its last commit has
    trace::Tracer* tracer = nullptr;
  };
  LakeThread(lake::Lake& lake, Options options);
  ~LakeThread();

  // Waits while the queue is full; false when it is stopped.
  bool archive(ArchiveBatch batch);
  // Commits up to `position` as soon as it is appended, and waits for that. Not OK when commits fail, or when
  // the thread ends before.
  absl::Status commit_up_to(Sequence position);
  // Appends what waits, commits, ends. Not OK when something could not be committed.
  absl::Status stop();

  // Rows up to here are in every new snapshot.
  Sequence appended() const { return Sequence(appended_.load(std::memory_order_acquire)); }
  // OK, or why the last commit or compaction failed.
  absl::Status health() const;
  // OK, or why rows are not committed.
  absl::Status commit_health() const;

 private:
  void append_all();
  void append(const ArchiveBatch& batch);
  void append_rows(const ArchiveBatch& batch);
  absl::Status decode(const ArchiveBatch& batch);
  absl::Status wait_for_room();
  bool commit_is_wanted() const;
  void begin_commit();
  bool committing() const;
  void wait_for_commit();
  void help_commit();
  void leave_out(const absl::Status& why);
  void write_commits();
  absl::Status write_commit();
  void maintain();
  absl::StatusOr<bool> maintain_once();
  bool stopping() const;

  lake::Lake& lake_;
  Options options_;
  BoundedQueue<ArchiveBatch> queue_;
  std::atomic<uint64_t> appended_;
  std::shared_ptr<const Project> project_;
  std::vector<codec::EventRecord> decoded_;
  std::vector<lake::Row> rows_;
  // Guards what is below.
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  std::condition_variable changed_;
  std::condition_variable commit_begun_;
  std::optional<Sequence> committing_;  // a commit is under way, up to here
  absl::Status gap_;                    // why rows were left out; nothing is appended any more
  Sequence wanted_;                     // commit_up_to
  Sequence covered_;  // committed; beyond lake_.committed() when the records behind it have no rows
  bool stopped_ = false;
  bool ended_ = false;  // nothing is appended or committed any more
  absl::Status commit_health_;
  absl::Status maintain_health_;
  std::thread appender_;
  std::thread committer_;
  std::thread maintainer_;
};

}  // namespace kehu::engine
