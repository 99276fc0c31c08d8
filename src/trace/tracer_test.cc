#include "trace/tracer.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace kehu::trace {
namespace {

constexpr uint64_t kNoLimit = 1'000'000'000;

std::vector<Span> finished(Tracer& tracer) {
  std::vector<Span> spans;
  tracer.next_batch({}, spans);
  return spans;
}

TEST(TracerTest, NothingIsRecordedWithoutATracer) {
  ActiveSpan span = background(nullptr, "work");
  EXPECT_FALSE(span);
  EXPECT_FALSE(span.link());
  EXPECT_FALSE(span.link().child("below"));
  span.set("n", 1);
  span.fail();
  span.end();
}

TEST(TracerTest, ChildrenAreBelowTheirSpan) {
  Tracer tracer({.ratio = 1});
  {
    ActiveSpan work = tracer.root("work", Choice::kByRatio);
    ActiveSpan inside = work.link().child("inside");
    ActiveSpan beside = inside.parent().child("beside");
    inside.set("n", 7);
    beside.fail();
  }
  const std::vector<Span> spans = finished(tracer);
  ASSERT_EQ(spans.size(), 3);
  const Span &beside = spans[0], &inside = spans[1], &work = spans[2];
  EXPECT_EQ(work.name, "work");
  EXPECT_EQ(work.parent, SpanId());
  EXPECT_EQ(inside.parent, work.id);
  EXPECT_EQ(beside.parent, work.id);
  EXPECT_EQ(inside.trace, work.trace);
  EXPECT_EQ(beside.trace, work.trace);
  EXPECT_NE(inside.id, beside.id);
  EXPECT_TRUE(beside.failed);
  EXPECT_FALSE(inside.failed);
  ASSERT_EQ(inside.attributes.size(), 1);
  EXPECT_EQ(std::get<int64_t>(inside.attributes[0].value), 7);
  EXPECT_LE(work.began_ns, inside.began_ns);
  EXPECT_LE(inside.ended_ns, work.ended_ns);
}

TEST(TracerTest, TheCallerDecides) {
  const TraceParent parent{.trace = {1, 2}, .span = SpanId(3), .sampled = true};
  Tracer none({.ratio = 0});
  const ActiveSpan followed = none.request("GET", parent);
  EXPECT_TRUE(followed);
  EXPECT_FALSE(none.request("GET", std::nullopt));
  Tracer all({.ratio = 1});
  TraceParent unsampled = parent;
  unsampled.sampled = false;
  EXPECT_FALSE(all.request("GET", unsampled));
  all.request("GET", parent).end();
  const std::vector<Span> spans = finished(all);
  ASSERT_EQ(spans.size(), 1);
  EXPECT_EQ(spans[0].trace, parent.trace);
  EXPECT_EQ(spans[0].parent, parent.span);
  EXPECT_EQ(spans[0].kind, Kind::kServer);
}

TEST(TracerTest, TheRatioOfRootsIsRecorded) {
  constexpr int kRoots = 100'000;
  for (const double ratio : {0.0, 0.01, 0.5, 1.0}) {
    Tracer tracer(
        {.ratio = ratio, .traces_per_second = kNoLimit, .buffer_spans = kRoots, .batch_spans = kRoots});
    for (int i = 0; i < kRoots; ++i) tracer.root("work", Choice::kByRatio).end();
    // Four standard deviations are at most 633.
    EXPECT_NEAR(static_cast<double>(finished(tracer).size()), ratio * kRoots,
                ratio == 0 || ratio == 1 ? 0 : 640);
  }
}

TEST(TracerTest, SomeWorkIsAlwaysRecorded) {
  Tracer tracer({.ratio = 0});
  EXPECT_FALSE(background(&tracer, "often", Choice::kByRatio));
  EXPECT_TRUE(background(&tracer, "rarely"));
  tracer.root("not worth it", Choice::kAlways).discard();
  const std::vector<Span> spans = finished(tracer);
  ASSERT_EQ(spans.size(), 1);
  EXPECT_EQ(spans[0].name, "rarely");
}

TEST(TracerTest, TracesASecondAreLimitedWhoeverAsks) {
  Tracer tracer({.ratio = 1, .traces_per_second = 10});
  const TraceParent parent{.trace = {1, 2}, .span = SpanId(3), .sampled = true};
  const int64_t began = now_ns() / 1'000'000'000;
  for (int i = 0; i < 100; ++i) {
    tracer.root("work", Choice::kByRatio).end();
    tracer.request("GET", parent).end();
  }
  const int64_t seconds = now_ns() / 1'000'000'000 - began + 1;
  const size_t recorded = finished(tracer).size();
  EXPECT_GE(recorded, 10u);
  EXPECT_LE(recorded, static_cast<size_t>(10 * seconds));
}

TEST(TracerTest, AFullBufferDropsAndCounts) {
  Tracer tracer({.ratio = 1, .traces_per_second = kNoLimit, .buffer_spans = 5, .batch_spans = 3});
  for (int i = 0; i < 8; ++i) tracer.root("work", Choice::kByRatio).end();
  EXPECT_EQ(tracer.dropped(), 3);
  EXPECT_EQ(finished(tracer).size(), 3);
  EXPECT_EQ(finished(tracer).size(), 2);
  EXPECT_EQ(finished(tracer).size(), 0);
}

TEST(TracerTest, AFullBatchWakesWhoWaits) {
  Tracer tracer({.ratio = 1, .batch_spans = 2});
  std::thread recorder([&tracer] {
    tracer.root("one", Choice::kByRatio).end();
    tracer.root("two", Choice::kByRatio).end();
  });
  std::vector<Span> spans;
  tracer.next_batch(Duration::hours(1), spans);
  recorder.join();
  EXPECT_EQ(spans.size(), 2);
}

}  // namespace
}  // namespace kehu::trace
