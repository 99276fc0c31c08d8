#pragma once

#include <atomic>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/batch_builder.h"
#include "log/extent.h"
#include "log/segment_supply.h"
#include "os/file_system.h"

namespace kehu::log {

struct WholeBatch;

struct Options {
  std::string directory;
  // Multiple of kBatchAlignment; a batch is never larger. The first segments of a log are smaller, so that
  // one that nobody writes to takes little room: 8, 16 and 32 MiB.
  uint32_t segment_bytes = 64u << 20;
  uint64_t retention_bytes = 4ull << 30;  // of started segments; oldest ones beyond are recycled
  // Whether the next segment is made ready ahead on a thread of its own, or when it is needed (tests, tools).
  enum class Preparation { kAhead, kWhenNeeded } preparation = Preparation::kAhead;
  // Batches of at least `packed_min` bytes are packed while the disk takes fewer than `slow_disk` bytes a
  // second: packing costs 0.2 µs of CPU an event of 400 bytes and makes it less than half as large.
  size_t packed_min = 64u << 10;
  double slow_disk = 250e6;
  // Names a new log for ever, so that no batch of another log is mistaken for one of this; drawn at random if
  // empty.
  std::optional<uint64_t> log_id;
  Extent* extent = nullptr;  // kept up to date, if set; outlives the writer
};

// What open() found.
struct Recovery {
  bool orderly = false;  // the last writer was closed, and everything it said was there is there
  Position end;          // where the next batch would go
  Sequence next;         // the sequence of the next record
  std::optional<Instant> last_tick;
  uint64_t torn_bytes = 0;  // of one batch that was being written at the crash and was never acknowledged
};

// The only writer of a log. One thread, except where noted.
//
// A write or sync error is final: the writer is poisoned, every later call fails, and what is on the disk is
// found out by opening the log again. Only a full disk while a new segment is being prepared is not:
// reserve() says ResourceExhausted, nothing has been written, and it may be called again.
class Writer {
 public:
  // Opens the log in a directory, or starts one in an empty or missing directory. Finds the end, drops a torn
  // last batch, writes the last whole batch once more (a failed sync of the dead process may have left it
  // only in the cache), and removes the mark of orderly close. DataLoss when anything else is wrong: see
  // check.h. Nobody else may have the log open; the caller holds the lock of the data directory. ~50 ms for a
  // full 64 MiB segment.
  static absl::StatusOr<std::unique_ptr<Writer>> open(os::FileSystem& files, Options options);
  // Without close(), as a crash would leave it.
  ~Writer();

  const Recovery& recovery() const { return recovery_; }

  // Makes room for a batch of up to `bytes` (BatchBuilder::bytes()) and returns the segment in which it will
  // be. Goes to the next segment when the current one has no room, recycling the oldest one if it may go.
  absl::StatusOr<SegmentNumber> reserve(size_t bytes);

  // Numbers the records, writes the batch and syncs it: durable when OK. `builder.batch()` is then the batch
  // as a reader would see it. Reserves by itself if need be. An empty builder writes a batch that only
  // carries the tick.
  absl::Status commit(BatchBuilder& builder, Instant tick);

  // Leaves the mark of orderly close. The writer is of no use afterwards.
  absl::Status close();

  // Records from `first` on are still needed (state and lake are durable below): their segments stay, however
  // large the log grows. Nothing is recycled before the first call. Any thread; never goes back.
  void protect(Sequence first);

  Sequence next_sequence() const { return next_; }
  // The oldest record that is still in the log.
  Sequence first_sequence() const { return segments_.front().first; }
  SegmentNumber first_segment() const { return segments_.front().file.number; }
  SegmentNumber current_segment() const { return segments_.back().file.number; }
  uint64_t retained_bytes() const;
  // OK, or why the writer is poisoned.
  const absl::Status& status() const { return poison_; }

 private:
  struct Started {
    SegmentFile file;
    Sequence first;
  };

  Writer(os::FileSystem& files, Options options) : files_(files), options_(std::move(options)) {}
  absl::Status recover();
  absl::Status list_started(const std::vector<SegmentNumber>& segments);
  absl::Status find_end(const std::vector<SegmentNumber>& segments);
  absl::Status settle(const WholeBatch& last);
  absl::Status remove_strays();
  void prepare_next();
  absl::Status advance();
  void retire();
  void tell_extent();
  uint32_t segment_bytes(SegmentNumber number) const;
  bool has_room(size_t bytes) const;
  absl::Status write(BatchBuilder& builder, Instant tick);
  absl::Status write_through(std::string_view stored);
  absl::Status poison(const absl::Status& status);

  os::FileSystem& files_;
  Options options_;
  Recovery recovery_;
  absl::Status poison_;
  uint64_t log_id_ = 0;
  Sequence next_{1};
  uint32_t chain_ = 0;
  Position end_;
  std::deque<Started> segments_;  // the last one is written to
  // Left the log, and their files are there until a preparation has succeeded. Oldest first.
  std::vector<SegmentFile> retired_;
  std::unique_ptr<os::File> file_;
  ByteBuffer packed_;
  bool packs_ = true;        // until the disk proves fast
  std::stop_source needed_;  // tells the preparation to hurry
  std::future<absl::StatusOr<std::unique_ptr<os::File>>> prepared_;
  std::atomic<uint64_t> protected_from_{0};
};

}  // namespace kehu::log
