#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "base/token_bucket.h"
#include "model/ids.h"

namespace kehu::debugger {

using Text = std::shared_ptr<const std::string>;

// The last requests of each source, as texts, for those who watch them. Thread-safe.
//
// A source is watched while somebody has it open, and for five minutes after. Then each of its requests is
// recorded, up to 50 a second; of sources that nobody watches only requests that went wrong are, up to 5 a
// second. Those beyond are counted. Kept are the last 20 of a source in at most 512 KiB, and 16 MiB
// altogether: the source that was heard of longest ago is forgotten first.
class Recorder {
 public:
  static constexpr size_t kRequests = 20;
  static constexpr size_t kSourceBytes = 512u << 10;
  static constexpr size_t kBytes = 16u << 20;
  static constexpr uint32_t kWatchedPerSecond = 50;
  static constexpr uint32_t kWrongPerSecond = 5;
  static constexpr Duration kWatchedFor = Duration::minutes(5);

  using Listener = std::function<void(SourceId, const Text&)>;
  // Hears every text that is kept, on the thread that keeps it. Before anything is recorded.
  void set_listener(Listener listener) { listener_ = std::move(listener); }

  // Whether any source is watched: the one thing that a request costs while none is.
  bool anybody() const { return watched_.load(std::memory_order_relaxed) > 0; }

  enum class Why : uint8_t { kWatched, kWentWrong };
  struct Admission {
    uint64_t id = 0;       // from 1, in the order of admission
    uint64_t skipped = 0;  // requests since the last admitted one
  };
  // Whether a request is to be recorded.
  std::optional<Admission> admit(SourceId source, Why why, Instant now);

  // Keeps a text in place of that of the same request, if there is one.
  void keep(SourceId source, uint64_t id, Text text);
  // Oldest first.
  std::vector<Text> last(SourceId source) const;

  // Somebody looks now, or stays until close().
  void look(SourceId source, Instant now);
  void open(SourceId source, Instant now);
  void close(SourceId source, Instant now);

 private:
  struct Kept {
    uint64_t id = 0;
    Text text;
  };
  struct Source {
    explicit Source(Instant now)
        : watched_budget(kWatchedPerSecond, now), wrong_budget(kWrongPerSecond, now), heard(now) {}
    TokenBucket watched_budget;
    TokenBucket wrong_budget;
    Instant heard;
    Instant watched_until = {};
    int watchers = 0;
    bool watched = false;
    uint64_t skipped = 0;
    std::deque<Kept> kept = {};
    size_t bytes = 0;
  };

  // Under the mutex.
  Source& source_at(SourceId id, Instant now);
  void set_watched(Source& source, Instant now);
  void end_watches(Instant now);
  void drop_first(Source& source);
  void make_room();

  Listener listener_;
  std::atomic<int> watched_{0};
  mutable std::mutex mutex_;
  std::map<SourceId, Source> sources_;
  size_t bytes_ = 0;
  uint64_t last_id_ = 0;
  Instant next_look_;
};

}  // namespace kehu::debugger
