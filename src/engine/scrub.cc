#include "engine/scrub.h"

#include <algorithm>
#include <chrono>

#include "base/crc32c.h"
#include "base/text.h"
#include "os/thread_name.h"
#include "os/thread_priority.h"

// Bits flip in files that nobody reads for months, and must be noticed while a backup from before is still
// there. So every file of state and archive is read once a period, at a rate that leaves the disk to
// others, and compared with the checksum that was taken of its bytes as they were written. A file that is
// gone when its turn comes was compacted away, and is damage only if the present version still names it.
namespace kehu::engine {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

bool is_live(const delta::FileSet& set, const delta::DataFile& file) {
  return std::any_of(set.files.begin(), set.files.end(),
                     [&file](const auto& live) { return live->path == file.path; });
}

}  // namespace

Scrub::Scrub(lake::Lake& lake, const state::Database& database, os::FileSystem& files, Options options)
    : lake_(lake), database_(database), files_(files), options_(options), thread_([this] { run(); }) {}

Scrub::~Scrub() { stop(); }

void Scrub::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status Scrub::damage() const {
  const std::lock_guard lock(mutex_);
  return damaged_.empty() ? absl::OkStatus() : damaged_.begin()->second;
}

Scrub::Counters Scrub::counters() const {
  const std::lock_guard lock(mutex_);
  Counters counters = counters_;
  counters.damaged_tables = damaged_.size();
  return counters;
}

void Scrub::run() {
  os::name_this_thread("kehu-scrub");
  os::lower_this_thread_priority();
  using Clock = std::chrono::steady_clock;
  bool going = sleep(options_.first_after);
  while (going) {
    const auto start = Clock::now();
    pass();
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
    going = sleep(Duration(std::max<int64_t>(0, options_.period.micros() - took.count())));
  }
}

void Scrub::pass() {
  read_state();
  read_archive();
  const std::lock_guard lock(mutex_);
  if (!stopped_) ++counters_.passes;
}

void Scrub::read_archive() {
  const auto snapshot = lake_.snapshot();
  for (const lake::TableId table : lake::kAllTables) {
    for (const auto& file : snapshot->tables[table].files->files) {
      const absl::Status status =
          lake_.file_check().again(*file, [this](size_t bytes) { return pace(bytes); });
      if (absl::IsCancelled(status)) return;
      if (!absl::IsNotFound(status)) {
        count(file->size);
        continue;
      }
      // Compaction may have replaced it since the pass began.
      const auto now = lake_.snapshot();
      if (is_live(*now->tables[table].files, *file)) {
        (void)lake_.file_check().before_reading(*file, [this](size_t bytes) { return pace(bytes); });
      }
    }
  }
}

// A damaged table is told at once. One that compaction has removed since is forgotten when the pass ends.
void Scrub::read_state() {
  std::map<std::string, absl::Status> damaged;
  for (const state::Database::Table& table : database_.tables()) {
    const absl::Status status = compare(table);
    if (absl::IsCancelled(status)) return;
    if (status.ok() || absl::IsDataLoss(status)) count(table.size);
    if (!absl::IsDataLoss(status)) continue;
    const std::lock_guard lock(mutex_);
    damaged_.emplace(table.path, status);
    damaged.emplace(table.path, status);
  }
  const std::lock_guard lock(mutex_);
  damaged_ = std::move(damaged);
}

absl::Status Scrub::compare(const state::Database::Table& table) {
  auto file = files_.open(table.path, os::OpenMode::kRead);
  // Compaction removes tables at any time; one that is missing is noticed by whoever reads it.
  if (!file.ok() || !table.checksum) return absl::OkStatus();
  std::string piece(kPieceBytes, '\0');
  uint32_t checksum = 0;
  for (uint64_t at = 0;;) {
    if (absl::Status status = pace(piece.size()); !status.ok()) return status;
    const auto got = (*file)->read_at(at, piece.size(), piece.data());
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    checksum = crc32c(std::string_view(piece).substr(0, *got), checksum);
    at += *got;
  }
  if (checksum == *table.checksum) return absl::OkStatus();
  return failure(absl::StatusCode::kDataLoss, "the state is damaged: ", table.path,
                 " does not have the bytes it was written with. Stop the server and restore the directory "
                 "from a backup");
}

// Waits as long as the piece may take, whatever reading it took: a slow disk is read more slowly still.
absl::Status Scrub::pace(size_t bytes) {
  const auto micros = static_cast<int64_t>(bytes * 1'000'000 / options_.bytes_per_second);
  return sleep(Duration(micros)) ? absl::OkStatus() : absl::CancelledError("the server is stopping");
}

bool Scrub::sleep(Duration time) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, std::chrono::microseconds(time.micros()), [this] { return stopped_; });
}

void Scrub::count(uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++counters_.files;
  counters_.bytes += bytes;
}

}  // namespace kehu::engine
