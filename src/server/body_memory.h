#pragma once

#include <atomic>
#include <cstddef>

namespace kehu::server {

// What all connections together may hold of requests and WebSocket messages that are arriving. Bodies of
// senders who have not shown who they are, because their key can only stand in the body, have a smaller share
// of it: strangers cannot take the whole. Thread-safe.
class BodyMemory {
 public:
  struct Limits {
    size_t bytes = 0;
    size_t keyless_bytes = 0;
  };
  // Of one connection; it tells of every change.
  struct Share {
    size_t bytes = 0;
    bool keyless = false;
  };

  explicit BodyMemory(const Limits& limits) : limits_(limits) {}

  // `share` becomes `wanted`; false, and nothing changes, when that is more than there is. Less is always
  // taken.
  bool change(Share& share, const Share& wanted) {
    if (!move(all_, share.bytes, wanted.bytes, limits_.bytes)) return false;
    const size_t from = share.keyless ? share.bytes : 0, to = wanted.keyless ? wanted.bytes : 0;
    if (!move(keyless_, from, to, limits_.keyless_bytes)) {
      all_.fetch_add(share.bytes - wanted.bytes, std::memory_order_relaxed);
      return false;
    }
    share = wanted;
    return true;
  }

  size_t bytes() const { return all_.load(std::memory_order_relaxed); }

 private:
  static bool move(std::atomic<size_t>& count, size_t from, size_t to, size_t limit) {
    const size_t before = count.fetch_add(to - from, std::memory_order_relaxed);  // modulo 2^64
    if (to <= from || before + (to - from) <= limit) return true;
    count.fetch_sub(to - from, std::memory_order_relaxed);
    return false;
  }

  const Limits limits_;
  std::atomic<size_t> all_{0};
  std::atomic<size_t> keyless_{0};
};

}  // namespace kehu::server
