#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/time.h"
#include "trace/otlp_json.h"
#include "trace/tracer.h"

namespace kehu::trace {

// What became of a batch that was sent.
struct Delivery {
  int status = 0;  // of HTTP; 0: no answer
  std::optional<Duration> retry_after = {};
};

// Sends a body of JSON and waits for the answer, at most `patience`.
using Send = std::function<Delivery(const std::string& json, Duration patience)>;

struct ExporterOptions {
  Resource resource = {};
  Send send = {};
  Duration period = Duration::seconds(1);       // a batch that is not full goes out after this time
  Duration patience = Duration::seconds(3);     // of one try
  Duration first_pause = Duration::seconds(1);  // before a second try; doubled before each further one
  Duration longest_pause = Duration::seconds(30);
  int tries = 8;
};

struct ExporterCounters {
  std::atomic<uint64_t> exported{0};  // spans
  std::atomic<uint64_t> refused{0};   // spans given up: refused, or not taken after all tries
};

// Carries finished spans to a collector, on a thread of its own. A collector that is away or slow costs
// spans, which are counted, and nothing else.
class Exporter {
 public:
  // The tracer outlives it.
  Exporter(Tracer& tracer, ExporterOptions options);
  ~Exporter() { stop(); }

  // Sends what is finished, without second tries, for at most `patience`, and ends.
  void stop();

  const ExporterCounters& counters() const { return counters_; }

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  bool deliver(const std::vector<Span>& spans);
  Duration patience();
  // False when it was stopped.
  bool pause(Duration length);
  std::optional<Clock::time_point> stop_by();

  Tracer& tracer_;
  const ExporterOptions options_;
  ExporterCounters counters_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  std::optional<Clock::time_point> stop_by_;  // set by stop()
  std::thread thread_;
};

}  // namespace kehu::trace
