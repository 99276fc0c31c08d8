#include "log/segment_supply.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

namespace kehu::log {
namespace {

constexpr size_t kFillBytes = 1 << 20;
constexpr std::chrono::milliseconds kFillPause{31};

// A full disk may get room again, so the caller may try again; but a sync that failed must not be tried
// again, for whatever reason it failed.
absl::Status final_error(const absl::Status& status) {
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::DataLossError(status.message());
}

absl::Status create_allocated(os::FileSystem& files, const std::string& path, uint64_t bytes) {
  auto file = files.open(path, os::OpenMode::kCreateOrTruncate);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->preallocate(bytes); !status.ok()) return status;
  return final_error((*file)->sync());
}

// True when somebody waits for the segment.
bool pause(std::stop_token needed) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any woken;
  return woken.wait_for(lock, needed, kFillPause, [&needed] { return needed.stop_requested(); });
}

// The first write into allocated space changes metadata, so its sync waits for the file system's journal:
// it is 1.4 to 2 times slower than into zeros that were really written. But under full load the zeros would
// take the disk from the commits (3 times slower, measured), so they are written at a pace that leaves most
// of the disk to others, at most 32 MiB a second, and no further once the segment is needed.
absl::Status fill(os::File& file, uint64_t bytes, const std::stop_token& needed) {
  static const std::string zeros(kFillBytes, '\0');
  for (uint64_t at = 0; at < bytes && !pause(needed); at += kFillBytes) {
    const std::string_view piece(zeros.data(), std::min<uint64_t>(kFillBytes, bytes - at));
    if (absl::Status status = file.write_at(at, piece); !status.ok()) return status;
    if (absl::Status status = file.sync(); !status.ok()) return final_error(status);
  }
  return absl::OkStatus();
}

bool has_size(os::FileSystem& files, const std::string& path, uint64_t bytes) {
  const auto size = files.file_size(path);
  return size.ok() && *size == bytes;
}

absl::Status remove_retired(os::FileSystem& files, const SegmentOrder& order, SegmentNumber recycled) {
  for (const SegmentFile& retired : order.retired) {
    files.remove(sidecar_path(order.directory, retired.number)).IgnoreError();
    if (retired.number == recycled) continue;
    const absl::Status removed = files.remove(segment_path(order.directory, retired.number));
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

// Takes the oldest one, so that a crash between the renames and removals leaves no gap in the numbers.
absl::StatusOr<SegmentNumber> recycle(os::FileSystem& files, const SegmentOrder& order,
                                      const std::string& path) {
  if (order.retired.empty() || order.retired.front().bytes != order.wanted.bytes) return SegmentNumber();
  const SegmentNumber oldest = order.retired.front().number;
  const absl::Status renamed = files.rename({.from = segment_path(order.directory, oldest), .to = path});
  if (absl::IsNotFound(renamed)) return SegmentNumber();
  if (!renamed.ok()) return renamed;
  return oldest;
}

}  // namespace

// A crash may come between any two steps, and the next start does them again. A file has its whole size
// before it gets the final name (a recycled one has it already, a fresh one is allocated under a scratch
// name), so name and size together say that an earlier attempt came through. Old bytes in it do no harm: no
// batch in them says this segment's number.
absl::StatusOr<std::unique_ptr<os::File>> prepare_segment(os::FileSystem& files, const SegmentOrder& order,
                                                          const std::stop_token& needed) {
  const std::string path = segment_path(order.directory, order.wanted.number);
  SegmentNumber recycled;
  if (!has_size(files, path, order.wanted.bytes)) {
    auto oldest = recycle(files, order, path);
    if (!oldest.ok()) return oldest.status();
    recycled = *oldest;
  }
  if (absl::Status status = remove_retired(files, order, recycled); !status.ok()) return status;
  const bool fresh = !has_size(files, path, order.wanted.bytes);
  if (fresh) {
    const std::string scratch = scratch_path(order.directory);
    absl::Status status = create_allocated(files, scratch, order.wanted.bytes);
    if (status.ok()) status = files.rename({.from = scratch, .to = path});
    if (!status.ok()) {
      files.remove(scratch).IgnoreError();
      return status;
    }
  }
  // This is done for a file that was there, too: the process that made it may have died before it could do
  // this.
  if (absl::Status status = files.sync_directory(order.directory); !status.ok()) return final_error(status);
  auto file = files.open(path, os::OpenMode::kReadWrite);
  if (!file.ok() || !fresh) return file;
  if (absl::Status status = fill(**file, order.wanted.bytes, needed); !status.ok()) return status;
  return file;
}

}  // namespace kehu::log
