#include "debugger/recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/text.h"

namespace kehu::debugger {
namespace {

using testing::ElementsAre;
using Why = Recorder::Why;

constexpr SourceId kWeb(1), kShop(2);
constexpr Instant kNow = Instant::from_seconds(1'780'000'000);

std::vector<std::string> texts_of(const Recorder& recorder, SourceId source) {
  std::vector<std::string> texts;
  for (const Text& text : recorder.last(source)) texts.push_back(*text);
  return texts;
}

void keep(Recorder& recorder, SourceId source, uint64_t id, std::string text) {
  recorder.keep(source, id, std::make_shared<const std::string>(std::move(text)));
}

TEST(Recorder, GoodRequestsAreRecordedOnlyWhileTheirSourceIsWatched) {
  Recorder recorder;
  EXPECT_FALSE(recorder.anybody());
  EXPECT_FALSE(recorder.admit(kWeb, Why::kWatched, kNow));
  recorder.open(kWeb, kNow);
  EXPECT_TRUE(recorder.anybody());
  EXPECT_EQ(recorder.admit(kWeb, Why::kWatched, kNow)->id, 1u);
  EXPECT_FALSE(recorder.admit(kShop, Why::kWatched, kNow));
  recorder.close(kWeb, kNow);
  const Instant later = kNow + Recorder::kWatchedFor;
  EXPECT_TRUE(recorder.admit(kWeb, Why::kWatched, later - Duration::seconds(1)));
  // The watch of a source ends also when only another one is heard of.
  EXPECT_FALSE(recorder.admit(kShop, Why::kWatched, later + Duration::seconds(1)));
  EXPECT_FALSE(recorder.anybody());
  EXPECT_FALSE(recorder.admit(kWeb, Why::kWatched, later + Duration::seconds(1)));
  recorder.look(kWeb, later);
  EXPECT_TRUE(recorder.admit(kWeb, Why::kWatched, later));
}

TEST(Recorder, TwoWatchersAreTwo) {
  Recorder recorder;
  recorder.open(kWeb, kNow);
  recorder.open(kWeb, kNow);
  recorder.close(kWeb, kNow);
  EXPECT_TRUE(recorder.admit(kWeb, Why::kWatched, kNow + Duration::hours(1)));
}

TEST(Recorder, WhatWentWrongIsRecordedWithoutAWatcher) {
  Recorder recorder;
  uint32_t admitted = 0;
  for (int i = 0; i < 100; ++i) admitted += recorder.admit(kWeb, Why::kWentWrong, kNow) ? 1 : 0;
  EXPECT_EQ(admitted, Recorder::kWrongPerSecond);
  const auto next = recorder.admit(kWeb, Why::kWentWrong, kNow + Duration::seconds(1));
  ASSERT_TRUE(next);
  EXPECT_EQ(next->skipped, 95u);
  EXPECT_EQ(recorder.admit(kWeb, Why::kWentWrong, kNow + Duration::seconds(1))->skipped, 0u);
}

TEST(Recorder, AFloodIsSampledAndCounted) {
  Recorder recorder;
  recorder.open(kWeb, kNow);
  uint32_t admitted = 0;
  for (int i = 0; i < 10'000; ++i) {
    admitted += recorder.admit(kWeb, Why::kWatched, kNow + Duration(i * 100)) ? 1 : 0;
  }
  EXPECT_GE(admitted, Recorder::kWatchedPerSecond);
  EXPECT_LE(admitted, 2 * Recorder::kWatchedPerSecond);
}

TEST(Recorder, KeepsTheLastOnesInOrder) {
  Recorder recorder;
  recorder.open(kWeb, kNow);
  EXPECT_TRUE(texts_of(recorder, kWeb).empty());
  for (uint64_t id = 1; id <= 25; ++id) keep(recorder, kWeb, id, cat("r", id));
  const auto texts = texts_of(recorder, kWeb);
  ASSERT_EQ(texts.size(), Recorder::kRequests);
  EXPECT_EQ(texts.front(), "r6");
  EXPECT_EQ(texts.back(), "r25");
  keep(recorder, kWeb, 24, "r24, complete");
  EXPECT_EQ(texts_of(recorder, kWeb)[18], "r24, complete");
  EXPECT_EQ(texts_of(recorder, kWeb).size(), Recorder::kRequests);
  keep(recorder, kWeb, 3, "r3, complete");  // was pushed out
  EXPECT_EQ(texts_of(recorder, kWeb).front(), "r6");
  EXPECT_EQ(texts_of(recorder, kWeb).back(), "r25");
  EXPECT_TRUE(texts_of(recorder, kShop).empty());
}

TEST(Recorder, BytesAreBounded) {
  Recorder recorder;
  const size_t size = Recorder::kSourceBytes / 4;
  for (uint32_t source = 1; source <= 40; ++source) {
    const Instant now = kNow + Duration::seconds(source);
    recorder.look(SourceId(source), now);
    for (uint64_t id = 1; id <= 10; ++id) keep(recorder, SourceId(source), id, std::string(size, 'x'));
  }
  size_t bytes = 0;
  for (uint32_t source = 1; source <= 40; ++source) {
    const auto texts = texts_of(recorder, SourceId(source));
    EXPECT_LE(texts.size(), 4u);
    bytes += texts.size() * size;
  }
  EXPECT_LE(bytes, Recorder::kBytes);
  EXPECT_GT(bytes, Recorder::kBytes / 2);
  EXPECT_TRUE(texts_of(recorder, SourceId(1)).empty()) << "the one heard of longest ago";
  EXPECT_EQ(texts_of(recorder, SourceId(40)).size(), 4u);
  // One larger than a source may have is kept, alone.
  keep(recorder, SourceId(40), 11, std::string(2 * Recorder::kSourceBytes, 'y'));
  EXPECT_EQ(texts_of(recorder, SourceId(40)).size(), 1u);
}

TEST(Recorder, TellsTheListener) {
  Recorder recorder;
  std::vector<std::string> heard;
  recorder.set_listener(
      [&](SourceId source, const Text& text) { heard.push_back(cat(source.value(), *text)); });
  recorder.open(kWeb, kNow);
  keep(recorder, kWeb, 1, "a");
  keep(recorder, kWeb, 1, "b");
  EXPECT_THAT(heard, ElementsAre("1a", "1b"));
}

TEST(Recorder, FromManyThreads) {
  Recorder recorder;
  recorder.open(kWeb, kNow);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&recorder, thread] {
      for (int i = 0; i < 500; ++i) {
        const SourceId source(1 + static_cast<uint32_t>(i % 3));
        const auto admission = recorder.admit(source, Why::kWentWrong, kNow + Duration::millis(i));
        if (admission) keep(recorder, source, admission->id, cat(thread));
        if (i % 10 == 0) recorder.look(source, kNow + Duration::millis(i));
        (void)recorder.last(source);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(texts_of(recorder, kWeb).size(), Recorder::kRequests);
}

}  // namespace
}  // namespace kehu::debugger
