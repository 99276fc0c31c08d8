#pragma once

#include <mutex>

#include "absl/functional/function_ref.h"
#include "log/position.h"

namespace kehu::log {

// Which bytes of a log's files are durable, kept by its writer for whoever copies them while it is written.
// Any thread.
class Extent {
 public:
  struct Held {
    SegmentNumber first;
    Position end;  // behind the last durable batch
  };

  // Until release() no segment is recycled or removed, however large the log grows.
  void hold() {
    const std::lock_guard lock(mutex_);
    ++holds_;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    --holds_;
  }
  // Meaningful while it is held: these files stay as they are up to `end`.
  Held now() const {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  // The writer's: what it found, what it wrote and synced, and what it lets go of. `retire` returns the first
  // segment that stays; it is not called while somebody holds the log.
  void found(const Held& held) {
    const std::lock_guard lock(mutex_);
    held_ = held;
  }
  void written(const Position& end) {
    const std::lock_guard lock(mutex_);
    held_.end = end;
  }
  void retire(absl::FunctionRef<SegmentNumber()> retire) {
    const std::lock_guard lock(mutex_);
    if (holds_ == 0) held_.first = retire();
  }

 private:
  mutable std::mutex mutex_;
  int holds_ = 0;
  Held held_;
};

}  // namespace kehu::log
