#include "engine/outbox_sender.h"

#include <gtest/gtest.h>

#include <atomic>

#include "base/text.h"
#include "channel/fake_channel.h"
#include "engine/test_engine.h"
#include "os/clock.h"

namespace kehu::engine {
namespace {

std::unique_ptr<Engine> engine_with(const std::string& directory,
                                    std::shared_ptr<channel::FakeChannel> channel) {
  Options options = restless_options(directory);
  options.channels["test"] = std::move(channel);
  return open_engine(std::move(options));
}

RecordBatch reminders(size_t first, size_t count) {
  RecordBatch batch;
  for (size_t i = first; i < first + count; ++i) add_reminder(batch, Instant(), cat(i));
  return batch;
}

TEST(OutboxSender, WhatFailsIsTriedAgain) {
  TestDirectory directory;
  const auto channel = std::make_shared<channel::FakeChannel>();
  channel->fail(3);
  const auto engine = engine_with(directory.path(), channel);
  ASSERT_TRUE(engine->submit_and_wait(reminders(0, 2)).ok());
  EXPECT_TRUE(eventually([&] { return outgoing_of(*engine).delivered == 2; }));
  EXPECT_EQ(channel->deliveries(), 5u);
  EXPECT_EQ(engine->outbox_sender().counters().failures, 3u);
}

TEST(OutboxSender, AReceiptThatTheLogRefusesIsNotTriedWithoutEnd) {
  TestDirectory directory;
  const auto database = state::Database::open(directory.path(), 1 << 20);
  ASSERT_TRUE(database.ok());
  std::atomic<int> submissions = 0;
  const auto refuse = [&submissions](Submission submission) {
    ++submissions;
    Ack ack;
    ack.status = absl::UnavailableError("the disk is full");
    submission.done(ack);
    return absl::OkStatus();
  };
  OutboxSender sender(**database, os::system_clock(), refuse,
                      {.channels = {{"test", std::make_shared<channel::FakeChannel>()}}});
  sender.start();
  auto slice = std::make_shared<AppliedSlice>();
  slice->intents.push_back({.key = {Sequence(1), 0}, .channel = "test", .customer = {}, .body = "x"});
  sender.take(slice);
  EXPECT_TRUE(eventually([&] { return submissions > 0; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(submissions, 1);
  EXPECT_EQ(sender.health().code(), absl::StatusCode::kUnavailable);
}

// More than it holds: the rest is read from checkpoints, and none is missing or counted twice.
TEST(OutboxSender, MoreThanItHoldsComesFromTheState) {
  TestDirectory directory;
  const size_t count = 2 * OutboxSender::kHeldMax + 500;
  {
    const auto nobody = open_engine(restless_options(directory.path()));
    for (size_t first = 0; first < count; first += 500) {
      ASSERT_TRUE(nobody->submit_and_wait(reminders(first, 500)).ok());
    }
    ASSERT_TRUE(eventually([&] {
      return *nobody->ask<bool>([](Replica& replica) { return !replica.shard().next_due().has_value(); });
    }));
    EXPECT_EQ(outgoing_of(*nobody).delivered, 0u);
  }
  const auto channel = std::make_shared<channel::FakeChannel>();
  const auto engine = engine_with(directory.path(), channel);
  for (size_t first = 0; first < count; first += 500) {
    ASSERT_TRUE(engine->submit_and_wait(reminders(count + first, 500)).ok());
  }
  EXPECT_TRUE(eventually([&] { return outgoing_of(*engine).delivered == 2 * count; }))
      << outgoing_of(*engine).delivered;
  EXPECT_EQ(channel->keys(), 2 * count);
}

}  // namespace
}  // namespace kehu::engine
