#include "query/watchdog.h"

#include <algorithm>
#include <chrono>

#include "base/text.h"

namespace kehu::query {
namespace {

constexpr Duration kRepeat = Duration::millis(10);

}  // namespace

Watchdog::Watch::Watch(Watchdog& watchdog, duck::Connection& connection, const Limits& limits)
    : watchdog_(watchdog),
      connection_(connection),
      limits_(limits),
      end_(watchdog.clock_.monotonic() + limits.whole),
      deadline_(watchdog.clock_.monotonic() + limits.work) {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.watches_.insert(this);
  watchdog_.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(watchdog_.mutex_);
  watchdog_.watches_.erase(this);
}

void Watchdog::Watch::cancel() {
  const std::lock_guard lock(watchdog_.mutex_);
  cancelled_ = true;
  watchdog_.changed_.notify_one();
}

void Watchdog::Watch::rest() {
  const std::lock_guard lock(watchdog_.mutex_);
  if (!resting_since_) resting_since_ = watchdog_.clock_.monotonic();
}

void Watchdog::Watch::go_on() {
  const std::lock_guard lock(watchdog_.mutex_);
  if (!resting_since_) return;
  deadline_ = deadline_ + (watchdog_.clock_.monotonic() - *resting_since_);
  resting_since_.reset();
  watchdog_.changed_.notify_one();
}

absl::Status Watchdog::Watch::state() const {
  const std::lock_guard lock(watchdog_.mutex_);
  if (cancelled_) return absl::CancelledError("the statement was cancelled");
  const Duration now = watchdog_.clock_.monotonic();
  if (now >= end_) {
    return failure(absl::StatusCode::kDeadlineExceeded, "the result was read for longer than ",
                   limits_.whole.micros() / 1000, " ms and was ended; take it in parts");
  }
  if (now < deadline_) return absl::OkStatus();
  return failure(absl::StatusCode::kDeadlineExceeded, "the statement took longer than ",
                 limits_.work.micros() / 1000, " ms and was ended; narrow it, for example by time");
}

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const Duration now = clock_.monotonic();
    Duration sleep = Duration::hours(1);
    for (Watch* watch : watches_) {
      if (watch->resting_since_) continue;
      const bool overdue = watch->cancelled_ || watch->deadline_ <= now;
      if (overdue) watch->connection_.interrupt();
      sleep = std::min(sleep, overdue ? kRepeat : watch->deadline_ - now);
    }
    changed_.wait_for(lock, std::chrono::microseconds(sleep.micros()));
  }
}

}  // namespace kehu::query
