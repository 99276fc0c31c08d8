#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/time.h"

namespace kehu::replica {

// A queue between threads, bounded by weight (bytes, as a rule). Closing it wakes everybody; what is in it
// can still be taken.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  // False when it is full or closed; `item` is then untouched. An empty queue takes an item of any weight.
  bool try_push(T& item, size_t weight) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_ || (weight_ > 0 && weight_ + weight > capacity_)) return false;
      place(item, weight);
    }
    filled_.notify_one();
    return true;
  }

  // Waits for room. False when it is closed.
  bool push(T item, size_t weight) {
    {
      std::unique_lock lock(mutex_);
      drained_.wait(lock, [&] { return closed_ || weight_ == 0 || weight_ + weight <= capacity_; });
      if (closed_) return false;
      place(item, weight);
    }
    filled_.notify_one();
    return true;
  }

  // Waits for an item; nullopt after `patience`, or at once when the queue is closed and empty.
  std::optional<T> pop(Duration patience) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, std::chrono::microseconds(patience.micros()),
                     [&] { return closed_ || nudged_ || !items_.empty(); });
    nudged_ = false;
    return take(lock);
  }
  std::optional<T> try_pop() {
    std::unique_lock lock(mutex_);
    return take(lock);
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
    drained_.notify_all();
  }

  // Wakes one waiting pop() although there is nothing to take.
  void nudge() {
    {
      const std::lock_guard lock(mutex_);
      nudged_ = true;
    }
    filled_.notify_one();
  }

  bool closed_and_empty() const {
    const std::lock_guard lock(mutex_);
    return closed_ && items_.empty();
  }
  size_t weight() const {
    const std::lock_guard lock(mutex_);
    return weight_;
  }

 private:
  void place(T& item, size_t weight) {
    items_.emplace_back(std::move(item), weight);
    weight_ += weight;
  }
  std::optional<T> take(std::unique_lock<std::mutex>& lock) {
    if (items_.empty()) return std::nullopt;
    auto [item, weight] = std::move(items_.front());
    items_.pop_front();
    weight_ -= weight;
    lock.unlock();
    drained_.notify_all();
    return std::move(item);
  }

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::condition_variable drained_;
  std::deque<std::pair<T, size_t>> items_;
  size_t weight_ = 0;
  bool closed_ = false;
  bool nudged_ = false;
};

}  // namespace kehu::replica
