#include "trace/exporter.h"

#include <gtest/gtest.h>

#include <future>

namespace kehu::trace {
namespace {

// Answers with what it is told, the last one again and again, and counts.
class FakeCollector {
 public:
  explicit FakeCollector(std::vector<Delivery> answers) : answers_(std::move(answers)) {}

  Send send() {
    return [this](const std::string& json, Duration) {
      const std::lock_guard lock(mutex_);
      bodies_.push_back(json);
      changed_.notify_all();
      return answers_[std::min(bodies_.size(), answers_.size()) - 1];
    };
  }
  void wait_for(size_t requests) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return bodies_.size() >= requests; });
  }
  std::vector<std::string> bodies() {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const std::vector<Delivery> answers_;
  std::vector<std::string> bodies_;
};

ExporterOptions quick(FakeCollector& collector) {
  ExporterOptions options;
  options.send = collector.send();
  options.period = Duration::millis(1);
  options.first_pause = Duration::millis(1);
  return options;
}

TEST(ExporterTest, Tries) {
  struct Case {
    const char* name;
    std::vector<Delivery> answers;
    size_t requests;
    uint64_t exported;
    uint64_t refused;
  };
  const Case cases[] = {
      {"taken at once", {{.status = 200}}, 1, 1, 0},
      {"taken after an overload", {{.status = 429}, {.status = 503}, {.status = 202}}, 3, 1, 0},
      {"taken after no answer", {{.status = 0}, {.status = 200}}, 2, 1, 0},
      {"refused", {{.status = 400}}, 1, 0, 1},
      {"an error that does not pass", {{.status = 500}}, 1, 0, 1},
      {"given up", {{.status = 503}}, 8, 0, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    FakeCollector collector(c.answers);
    Tracer tracer({.ratio = 1});
    Exporter exporter(tracer, quick(collector));
    tracer.root("work", Choice::kByRatio).end();
    collector.wait_for(c.requests);
    exporter.stop();
    EXPECT_EQ(collector.bodies().size(), c.requests);
    EXPECT_EQ(exporter.counters().exported, c.exported);
    EXPECT_EQ(exporter.counters().refused, c.refused);
  }
}

TEST(ExporterTest, WaitsAsLongAsTold) {
  FakeCollector collector(
      std::vector<Delivery>{{.status = 429, .retry_after = Duration::millis(50)}, {.status = 200}});
  Tracer tracer({.ratio = 1});
  Exporter exporter(tracer, quick(collector));
  tracer.root("work", Choice::kByRatio).end();
  collector.wait_for(1);
  const auto first = std::chrono::steady_clock::now();
  collector.wait_for(2);
  EXPECT_GE(std::chrono::steady_clock::now() - first, std::chrono::milliseconds(45));
}

TEST(ExporterTest, StopSendsWhatIsFinished) {
  FakeCollector collector(std::vector<Delivery>{{.status = 200}});
  Tracer tracer({.ratio = 1, .batch_spans = 2});
  ExporterOptions options = quick(collector);
  options.period = Duration::hours(1);
  Exporter exporter(tracer, std::move(options));
  for (int i = 0; i < 5; ++i) tracer.root("work", Choice::kByRatio).end();
  exporter.stop();
  EXPECT_EQ(exporter.counters().exported, 5);
}

TEST(ExporterTest, StopDoesNotWaitForACollectorThatIsAway) {
  FakeCollector collector(std::vector<Delivery>{{.status = 0}});
  Tracer tracer({.ratio = 1});
  ExporterOptions options = quick(collector);
  options.first_pause = options.longest_pause = Duration::hours(1);
  Exporter exporter(tracer, std::move(options));
  tracer.root("work", Choice::kByRatio).end();
  collector.wait_for(1);
  exporter.stop();
  EXPECT_EQ(exporter.counters().refused, 1);
}

}  // namespace
}  // namespace kehu::trace
