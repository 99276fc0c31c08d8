#include "trace/exporter.h"

#include <algorithm>
#include <chrono>

#include "os/thread_name.h"
#include "os/thread_priority.h"

namespace kehu::trace {
namespace {

// What OTLP/HTTP calls retryable; no answer is, too.
bool passes(int status) {
  return status == 0 || status == 429 || status == 502 || status == 503 || status == 504;
}

}  // namespace

Exporter::Exporter(Tracer& tracer, ExporterOptions options)
    : tracer_(tracer), options_(std::move(options)), thread_([this] { run(); }) {}

void Exporter::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!stop_by_) stop_by_ = Clock::now() + std::chrono::microseconds(options_.patience.micros());
  }
  stopping_.notify_all();
  tracer_.close();
  if (thread_.joinable()) thread_.join();
}

void Exporter::run() {
  os::name_this_thread("kehu-trace");
  os::lower_this_thread_priority();
  std::vector<Span> spans;
  for (bool more = true; more;) {
    // Whatever was finished before stop() is in the batches that follow.
    const bool stopping = stop_by().has_value();
    tracer_.next_batch(options_.period, spans);
    const bool delivered = !spans.empty() && deliver(spans);
    more = !stopping || delivered;
  }
}

std::optional<Exporter::Clock::time_point> Exporter::stop_by() {
  const std::lock_guard lock(mutex_);
  return stop_by_;
}

Duration Exporter::patience() {
  const auto end = stop_by();
  if (!end) return options_.patience;
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(*end - Clock::now());
  return std::min(options_.patience, Duration(left.count()));
}

bool Exporter::deliver(const std::vector<Span>& spans) {
  const std::string json = otlp_json(options_.resource, spans);
  Duration wait = options_.first_pause;
  for (int left = options_.tries; left > 0; --left) {
    const Duration patience = this->patience();
    if (patience <= Duration()) break;
    const Delivery delivery = options_.send(json, patience);
    if (delivery.status >= 200 && delivery.status < 300) {
      counters_.exported.fetch_add(spans.size(), std::memory_order_relaxed);
      return true;
    }
    if (!passes(delivery.status) || left == 1) break;
    if (!pause(std::min(delivery.retry_after.value_or(wait), options_.longest_pause))) break;
    wait = std::min(wait + wait, options_.longest_pause);
  }
  counters_.refused.fetch_add(spans.size(), std::memory_order_relaxed);
  return false;
}

bool Exporter::pause(Duration length) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, std::chrono::microseconds(length.micros()),
                             [this] { return stop_by_.has_value(); });
}

}  // namespace kehu::trace
