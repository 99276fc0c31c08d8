#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "trace/span.h"
#include "trace/trace_parent.h"

namespace kehu::trace {

struct TracerOptions {
  double ratio = 0.01;               // of the roots that no caller decided about; 0 to 1
  uint64_t traces_per_second = 300;  // at most, a caller's wish or not
  size_t buffer_spans = 8192;        // finished and not exported; more are dropped and counted
  size_t batch_spans = 512;          // handed out at once
};

// Decides what is recorded, and keeps finished spans until they are taken away. Thread-safe; never waits.
class Tracer {
 public:
  explicit Tracer(TracerOptions options) : options_(options) {}

  // A span of our own accord. ~10 ns when it is not recorded.
  ActiveSpan root(std::string_view name, Choice choice);
  // A request's. A caller that names its trace decides whether it is recorded; else it is by the ratio.
  ActiveSpan request(std::string_view name, const std::optional<TraceParent>& parent);

  // A finished one.
  void take(Span span);

  // Waits for a full batch, until `patience` is over or after close(); moves up to a batch of spans into
  // `spans`, which it empties first.
  void next_batch(Duration patience, std::vector<Span>& spans);
  // No more waiting in next_batch.
  void close();

  uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  ActiveSpan begin(std::string_view name, Kind kind, const TraceParent& parent);
  bool chosen(TraceId trace) const;
  bool within_rate();

  const TracerOptions options_;
  std::atomic<uint64_t> second_{0};
  std::atomic<uint64_t> traces_{0};  // begun in it
  std::atomic<uint64_t> dropped_{0};
  std::mutex mutex_;
  std::condition_variable filled_;
  std::vector<Span> finished_;
  bool closed_ = false;
};

// Nanoseconds since 1970.
int64_t now_ns();
// Never zero.
SpanId new_span_id();

}  // namespace kehu::trace
