#include "engine/log_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/test_log_world.h"

namespace kehu::engine {
namespace {

uint64_t records_in(os::FileSystem& files, RecordKind kind) {
  uint64_t count = 0;
  const auto status = for_each_batch(files, LogWorld::kDirectory, [&](const auto& records, Instant) {
    for (const shard::LogRecord& record : records) count += record.kind == kind ? 1 : 0;
  });
  EXPECT_TRUE(status.ok()) << status;
  return count;
}

// Sends until it is acknowledged, as a client does.
Ack insist(LogWorld& world, const RecordBatch& batch) {
  Ack ack;
  for (int tries = 0; tries < 1000; ++tries) {
    ack = world.send(batch).get();
    if (ack.status.ok()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(ack.status.ok()) << ack.status;
  return ack;
}

// The write reached the cache, the sync failed: nobody may be told yes, and yet the record may be on the
// disk. It is found when the log is opened again, applied once, and the client's repeat is one.
TEST(LogThread, AnEventWhoseSyncFailedIsAppliedOnce) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  ASSERT_TRUE(world.send(batch_of({{.message = 1}})).get().status.ok());
  files.plan({.operation = files.operations() + 1, .kind = os::FaultKind::kIoError});
  EXPECT_EQ(world.send(batch_of({{.message = 2}})).get().status.code(), absl::StatusCode::kUnavailable);
  const Ack again = insist(world, batch_of({{.message = 2}}));
  EXPECT_EQ(again.repeats, 1u);
  EXPECT_EQ(insist(world, batch_of({{.message = 3}})).events, 1u);
  EXPECT_TRUE(world.thread().health().ok());
  EXPECT_EQ(world.thread().counters().failures.load(), 1u);
  EXPECT_EQ(world.thread().counters().events.load(), 2u) << "what was not acknowledged does not count";
  ASSERT_TRUE(world.stop().ok());
  EXPECT_EQ(world.state().applied(), Sequence(4)) << "a tick goes first";
  EXPECT_EQ(world.state().digest(), replayed_digest(files, LogWorld::kDirectory));
}

// An import by an earlier version named the same rows otherwise: the same content under that name is a
// repeat, another content says nothing about this event.
TEST(LogThread, AnEventThatIsKnownUnderItsFormerIdIsARepeat) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  const RecordBatch earlier = batch_of({{.message = 1}});
  ASSERT_TRUE(world.send(earlier).get().status.ok());
  RecordBatch again = batch_of({{.message = 2}});
  again.entries[0].former_keys[1] = earlier.entries[0].message_key;
  EXPECT_EQ(world.send(again).get().repeats, 1u);
  RecordBatch other = batch_of({{.message = 3, .properties = "{\"total\":7}"}});
  other.entries[0].former_keys[0] = earlier.entries[0].message_key;
  EXPECT_EQ(world.send(other).get().events, 1u);
  EXPECT_EQ(world.send(other).get().repeats, 1u);
  ASSERT_TRUE(world.stop().ok());
  EXPECT_EQ(records_in(files, RecordKind::kEvent), 2u);
}

TEST(LogThread, AnEventWhoseWriteFailedIsTakenTheNextTime) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  files.plan({.operation = files.operations(), .kind = os::FaultKind::kHalfDone});
  const RecordBatch batch = batch_of({{.message = 1, .properties = cat("\"", std::string(2000, 'x'), "\"")}});
  EXPECT_EQ(world.send(batch).get().status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(insist(world, batch).events, 1u);
  ASSERT_TRUE(world.stop().ok());
  EXPECT_EQ(records_in(files, RecordKind::kEvent), 1u);
}

TEST(LogThread, AFullDiskIsSaidAndPassesByItself) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  files.set_capacity(LogWorld::kSegmentBytes);
  uint64_t message = 0;
  Ack ack;
  while (ack.status.ok() && message < 100) {
    ack =
        world.send(batch_of({{.message = ++message, .properties = cat("\"", std::string(5000, 'x'), "\"")}}))
            .get();
  }
  EXPECT_EQ(ack.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(world.thread().health().ok());
  EXPECT_FALSE(world.send(batch_of({{.message = message}})).get().status.ok());
  files.set_capacity(100 * LogWorld::kSegmentBytes);
  EXPECT_EQ(insist(world, batch_of({{.message = message}})).events, 1u);
  EXPECT_TRUE(world.thread().health().ok());
  ASSERT_TRUE(world.stop().ok());
  EXPECT_EQ(records_in(files, RecordKind::kEvent), message);
}

// A submission of conflicts takes more than one segment, and for the second one there is no space: nothing
// was acknowledged, so the filter must not believe that it is in the log.
TEST(LogThread, ConflictsThatDidNotAllFitAreQuarantinedOnceEach) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  RecordBatch first, second;
  constexpr uint64_t kEvents = 250;
  for (uint64_t n = 1; n <= kEvents; ++n) {
    add_event(first, {.message = n});
    add_event(second, {.message = n, .properties = R"({"a":1})"});
    add_event(second, {.message = 1000 + n});
  }
  ASSERT_TRUE(world.send(std::move(first)).get().status.ok());
  files.set_capacity(2 * LogWorld::kSegmentBytes);
  const Ack refused = world.send(second).get();
  ASSERT_EQ(refused.status.code(), absl::StatusCode::kUnavailable);
  files.set_capacity(100 * LogWorld::kSegmentBytes);
  const Ack ack = insist(world, second);
  EXPECT_EQ(ack.events + ack.repeats, kEvents);
  EXPECT_EQ(ack.conflicts, kEvents);
  ASSERT_TRUE(world.stop().ok());
  EXPECT_EQ(records_in(files, RecordKind::kEvent), 2 * kEvents);
  EXPECT_EQ(records_in(files, RecordKind::kRejection), kEvents);
  EXPECT_EQ(world.state().digest(), replayed_digest(files, LogWorld::kDirectory));
}

// However many ask meanwhile, the log is opened again as soon as the disk allows.
TEST(LogThread, ItComesBackUnderLoad) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  files.plan({.operation = files.operations() + 1, .kind = os::FaultKind::kIoError, .times = UINT64_MAX / 2});
  std::atomic<uint64_t> next{1};
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<bool> healed{false};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (acknowledged < 10 && std::chrono::steady_clock::now() < end) {
        const Ack ack = world.send(batch_of({{.message = next++}})).get();
        if (ack.status.ok()) {
          EXPECT_TRUE(healed);
          ++acknowledged;
        }
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(world.thread().health().ok());
  healed = true;
  files.clear_faults();
  for (std::thread& client : clients) client.join();
  EXPECT_GE(acknowledged, 10u);
  EXPECT_TRUE(world.thread().health().ok());
  EXPECT_TRUE(world.stop().ok());
}

TEST(LogThread, StopAnswersEverybodyWhileTheLogIsUnusable) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  files.plan({.operation = files.operations(), .kind = os::FaultKind::kIoError, .times = UINT64_MAX / 2});
  std::vector<std::future<Ack>> acks;
  for (uint64_t n = 1; n <= 200; ++n) acks.push_back(world.send(batch_of({{.message = n}})));
  EXPECT_FALSE(world.stop().ok());
  for (auto& ack : acks) EXPECT_EQ(ack.get().status.code(), absl::StatusCode::kUnavailable);
  Submission late;
  EXPECT_EQ(world.thread().submit(late).code(), absl::StatusCode::kUnavailable);
}

// A tick a second while something comes, and one a minute while nothing does. The thread looks at its clock
// each second of the real one.
TEST(LogThread, WhoIsIdleWritesNextToNothing) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  const auto commits = [&] { return world.thread().counters().commits.load(); };
  const auto stays_at = [&](uint64_t count) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));
    return commits() == count;
  };
  const auto reaches = [&](uint64_t count) {
    return eventually([&] { return commits() == count; }, std::chrono::seconds(60));
  };
  EXPECT_TRUE(reaches(1)) << "the first tick";
  world.pass(Duration::seconds(59));
  EXPECT_TRUE(stays_at(1));
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(reaches(2));
  world.pass(Duration::seconds(2));
  const Ack ack = world.send(batch_of({{.message = 1}})).get();
  EXPECT_EQ(ack.first, Sequence(4)) << "what comes behind a pause brings a tick";
  EXPECT_TRUE(reaches(3));
  world.pass(Duration::seconds(1));
  EXPECT_TRUE(reaches(4)) << "and has one behind it";
  world.pass(Duration::seconds(59));
  EXPECT_TRUE(stays_at(4));
  ASSERT_TRUE(world.stop().ok());
}

TEST(LogThread, OneGroupKeepsItsOrderAndEachAckItsRecords) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  const auto acks =
      world.send_together({batch_of({{.message = 1}, {.message = 2}}), batch_of({{.message = 2}}),
                           batch_of({{.message = 2}, {.message = 3}})});
  ASSERT_EQ(acks.size(), 3u);
  EXPECT_EQ(std::pair(acks[0].first, acks[0].last), std::pair(Sequence(2), Sequence(3)))
      << "a tick goes first";
  EXPECT_EQ(std::pair(acks[1].first, acks[1].last), std::pair(Sequence(0), Sequence(0)));
  EXPECT_EQ(std::pair(acks[2].first, acks[2].last), std::pair(Sequence(4), Sequence(4)));
  EXPECT_EQ(acks[2].repeats, 1u);
  EXPECT_LE(world.thread().counters().commits.load(), 3u) << "the first tick's, the gate's, and theirs";
}

// What became of each entry is told to whoever asks, and the sequences are those of the records.
TEST(LogThread, TheFatesOfABatch) {
  os::MemoryFileSystem files;
  LogWorld world(files);
  ASSERT_TRUE(world.start().ok());
  EXPECT_TRUE(world.send(batch_of({{.message = 1}, {.message = 2}})).get().fates.empty());
  Submission submission;
  submission.batch = batch_of({{.message = 3},
                               {.message = 1},
                               {.message = 2, .properties = R"({"n":2})"},
                               {.message = 2, .properties = R"({"n":2})"},
                               {.message = 4}});
  submission.tell_fates = true;
  const Ack ack = world.send_submission(std::move(submission)).get();
  ASSERT_TRUE(ack.status.ok()) << ack.status;
  using Kind = RecordFate::Kind;
  const uint64_t first = ack.first.value();
  const std::vector<std::pair<Kind, uint64_t>> want = {{Kind::kWritten, first},
                                                       {Kind::kRepeat, 0},
                                                       {Kind::kConflict, first + 1},
                                                       {Kind::kConflict, 0},
                                                       {Kind::kWritten, first + 2}};
  std::vector<std::pair<Kind, uint64_t>> got;
  for (const RecordFate& fate : ack.fates) got.emplace_back(fate.kind, fate.sequence.value());
  EXPECT_EQ(got, want);
  EXPECT_EQ(ack.last.value(), first + 2);
  EXPECT_TRUE(world.stop().ok());
}

}  // namespace
}  // namespace kehu::engine
