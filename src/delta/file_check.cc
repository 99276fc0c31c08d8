#include "delta/file_check.h"

#include <algorithm>
#include <chrono>

#include "absl/cleanup/cleanup.h"
#include "base/crc32c.h"
#include "base/text.h"

// One file is compared at a time. After a start many statements ask for the same files; without turns each
// of them would read the whole archive. Whoever waits looks again when the turn comes, since the one before
// may have compared this very file, and asks `going` every 20 ms, so that a statement's end is not put off
// by waiting.
namespace kehu::delta {
namespace {

constexpr size_t kPieceBytes = 64 << 10;
constexpr std::chrono::milliseconds kTurnPause{20};

absl::Status damaged(const DataFile& file, std::string_view what) {
  return failure(
      absl::StatusCode::kDataLoss, "the archive is damaged: ", file.path, " ", what,
      ". Put the file back from a backup; `kehu check` on the stopped directory names all that is damaged");
}

}  // namespace

absl::Status FileCheck::before_reading(const DataFile& file, Going going) {
  if (file.sound.load(std::memory_order_acquire)) return absl::OkStatus();
  if (absl::Status status = take_turn(going); !status.ok()) return status;
  const absl::Cleanup end = [this] { end_turn(); };
  if (file.sound.load(std::memory_order_acquire)) return absl::OkStatus();
  absl::Status status = compare(file, going);
  if (absl::IsNotFound(status)) status = damaged(file, "is missing");
  note(file, status);
  return status;
}

absl::Status FileCheck::again(const DataFile& file, Going going) {
  absl::Status status = compare(file, going);
  note(file, status);
  return status;
}

absl::Status FileCheck::take_turn(Going going) {
  std::unique_lock lock(mutex_);
  while (!turn_ended_.wait_for(lock, kTurnPause, [this] { return !turn_taken_; })) {
    lock.unlock();
    if (absl::Status status = going(0); !status.ok()) return status;
    lock.lock();
  }
  turn_taken_ = true;
  return absl::OkStatus();
}

void FileCheck::end_turn() {
  {
    const std::lock_guard lock(mutex_);
    turn_taken_ = false;
  }
  turn_ended_.notify_one();
}

absl::Status FileCheck::compare(const DataFile& file, Going going) {
  auto opened = files_.open(file.path, os::OpenMode::kRead);
  if (!opened.ok()) return opened.status();
  const auto size = (*opened)->size();
  if (!size.ok()) return size.status();
  if (*size != file.size) return damaged(file, cat("has ", *size, " bytes instead of ", file.size));
  if (!file.checksum) return absl::OkStatus();  // another writer's
  std::string piece(std::min<uint64_t>(kPieceBytes, *size), '\0');
  uint32_t checksum = 0;
  for (uint64_t at = 0; at < *size;) {
    if (absl::Status status = going(piece.size()); !status.ok()) return status;
    const auto got = (*opened)->read_at(at, piece.size(), piece.data());
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    checksum = crc32c(std::string_view(piece).substr(0, *got), checksum);
    at += *got;
  }
  return checksum == *file.checksum ? absl::OkStatus()
                                    : damaged(file, "does not have the bytes it was written with");
}

void FileCheck::note(const DataFile& file, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  if (status.ok()) {
    ++counters_.files;
    counters_.bytes += file.size;
    damaged_.erase(file.path);
  } else if (absl::IsDataLoss(status)) {
    damaged_.emplace(file.path, status);
  } else {
    return;  // broken off, or gone
  }
  counters_.damaged = damaged_.size();
  file.sound.store(status.ok(), std::memory_order_release);
}

absl::Status FileCheck::damage() const {
  const std::lock_guard lock(mutex_);
  return damaged_.empty() ? absl::OkStatus() : damaged_.begin()->second;
}

FileCheck::Counters FileCheck::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

}  // namespace kehu::delta
