#include "trace/tracer.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <random>

#include "os/random.h"

namespace kehu::trace {
namespace {

// Ids need to be different, not secret: one question to the kernel per thread.
uint64_t random_number() {
  thread_local std::mt19937_64 generator(os::random_u64());
  return generator();
}

TraceId new_trace_id() { return {random_number() | 1, random_number()}; }

constexpr double kTwoTo64 = 18'446'744'073'709'551'616.0;

}  // namespace

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SpanId new_span_id() {
  uint64_t id = random_number();
  while (id == 0) id = random_number();
  return SpanId(id);
}

ActiveSpan Tracer::root(std::string_view name, Choice choice) {
  const TraceParent none{.trace = new_trace_id()};
  if (choice == Choice::kByRatio && !chosen(none.trace)) return {};
  return begin(name, Kind::kInternal, none);
}

ActiveSpan Tracer::request(std::string_view name, const std::optional<TraceParent>& parent) {
  if (parent) return parent->sampled ? begin(name, Kind::kServer, *parent) : ActiveSpan();
  const TraceParent none{.trace = new_trace_id()};
  return chosen(none.trace) ? begin(name, Kind::kServer, none) : ActiveSpan();
}

// By the id, as W3C recommends: whoever sees it later with the same ratio decides alike.
bool Tracer::chosen(TraceId trace) const {
  return options_.ratio >= 1 || static_cast<double>(trace.low) < options_.ratio * kTwoTo64;
}

ActiveSpan Tracer::begin(std::string_view name, Kind kind, const TraceParent& parent) {
  if (!within_rate()) return {};
  Span span;
  span.name = name;
  span.kind = kind;
  span.trace = parent.trace;
  span.parent = parent.span;
  return {*this, std::move(span)};
}

// Two threads at the turn of a second may both begin it: a few traces more, which is no harm.
bool Tracer::within_rate() {
  const auto second = static_cast<uint64_t>(now_ns() / 1'000'000'000);
  if (second_.exchange(second, std::memory_order_relaxed) != second)
    traces_.store(0, std::memory_order_relaxed);
  return traces_.fetch_add(1, std::memory_order_relaxed) < options_.traces_per_second;
}

void Tracer::take(Span span) {
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (finished_.size() >= options_.buffer_spans) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    finished_.push_back(std::move(span));
    full = finished_.size() == options_.batch_spans;
  }
  if (full) filled_.notify_one();
}

void Tracer::next_batch(Duration patience, std::vector<Span>& spans) {
  spans.clear();
  std::unique_lock lock(mutex_);
  filled_.wait_for(lock, std::chrono::microseconds(patience.micros()),
                   [this] { return closed_ || finished_.size() >= options_.batch_spans; });
  const auto end =
      finished_.begin() + static_cast<std::ptrdiff_t>(std::min(finished_.size(), options_.batch_spans));
  std::move(finished_.begin(), end, std::back_inserter(spans));
  finished_.erase(finished_.begin(), end);
}

void Tracer::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_all();
}

}  // namespace kehu::trace
