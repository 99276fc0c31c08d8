#include "engine/outbox_sender.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "base/text.h"
#include "codec/record.h"
#include "engine/test_engine.h"
#include "os/clock.h"

namespace kehu::engine {
namespace {

// Delivers at once, as often as it is told to.
class FakeChannel final : public channel::Channel {
 public:
  void deliver(const Intent& intent, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      keys_.insert(intent.key);
      ++deliveries_;
      if (failures_ > 0) {
        --failures_;
        done(absl::UnavailableError("not now"));
        return;
      }
    }
    done(channel::Delivery{});
  }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }
  size_t keys() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
  }
  size_t deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<IntentKey> keys_;
  size_t deliveries_ = 0;
  int failures_ = 0;
};

template <class Done>
bool eventually(Done&& done) {
  for (int i = 0; i < 2000; ++i) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

std::unique_ptr<Engine> engine_with(const std::string& directory, std::shared_ptr<FakeChannel> channel) {
  Options options = restless_options(directory);
  options.channels["test"] = std::move(channel);
  return open_engine(std::move(options));
}

RecordBatch reminders(size_t first, size_t count) {
  RecordBatch batch;
  for (size_t i = first; i < first + count; ++i) {
    codec::add_record(batch, RecordKind::kReminder, [&](std::string& out) {
      const std::string text = cat(i);
      codec::append_reminder({.due = Instant(), .customer = {}, .channel = "test", .text = text}, out);
    });
  }
  return batch;
}

uint64_t delivered(Engine& engine) {
  const auto counted = engine.ask<uint64_t>([](Replica& replica) -> uint64_t {
    for (const outbox::Counts& counts : replica.shard().outbox().counts()) return counts.delivered;
    return 0;
  });
  return counted.ok() ? *counted : 0;
}

TEST(OutboxSender, WhatFailsIsTriedAgain) {
  TestDirectory directory;
  const auto channel = std::make_shared<FakeChannel>();
  channel->fail(3);
  const auto engine = engine_with(directory.path(), channel);
  ASSERT_TRUE(engine->submit_and_wait(reminders(0, 2)).ok());
  EXPECT_TRUE(eventually([&] { return delivered(*engine) == 2; }));
  EXPECT_EQ(channel->deliveries(), 5u);
  EXPECT_EQ(engine->outbox_sender().counters().failures, 3u);
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
    EXPECT_EQ(delivered(*nobody), 0u);
  }
  const auto channel = std::make_shared<FakeChannel>();
  const auto engine = engine_with(directory.path(), channel);
  for (size_t first = 0; first < count; first += 500) {
    ASSERT_TRUE(engine->submit_and_wait(reminders(count + first, 500)).ok());
  }
  EXPECT_TRUE(eventually([&] { return delivered(*engine) == 2 * count; })) << delivered(*engine);
  EXPECT_EQ(channel->keys(), 2 * count);
}

}  // namespace
}  // namespace kehu::engine
