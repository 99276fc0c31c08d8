#include "engine/lake_thread.h"

#include <gtest/gtest.h>

#include "engine/test_engine.h"
#include "lake/lake_test_support.h"
#include "lake/owners.h"

namespace kehu::engine {
namespace {

class LakeWorld {
 public:
  explicit LakeWorld(const std::string& directory, uint64_t tail_bytes, os::FileSystem* files = nullptr) {
    lake::LakeOptions options = lake::sample_options(directory);
    options.tail_bytes = tail_bytes;
    options.files = files == nullptr ? &files_ : files;
    auto opened = lake::Lake::open(options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    lake_ = *std::move(opened);
  }

  // Commits only when asked to, or when the tail is full.
  std::unique_ptr<LakeThread> start(Sequence from = Sequence(0)) {
    return std::make_unique<LakeThread>(*lake_, LakeThread::Options{.commit_period = Duration::seconds(1000),
                                                                    .project = [this] { return project_; },
                                                                    .start = from});
  }

  // Events at the sequences [first, last], and the move of the last one's part to another customer.
  ArchiveBatch batch(uint64_t first, uint64_t last) {
    auto bytes = std::make_shared<std::string>();
    std::vector<size_t> offsets;
    for (uint64_t n = first; n <= last; ++n) {
      offsets.push_back(bytes->size());
      codec::append_event(events_.event(n), *bytes);
    }
    offsets.push_back(bytes->size());
    ArchiveBatch out{
        .last = Sequence(last), .events = {}, .moves = {}, .rows = {}, .bytes = bytes, .size = bytes->size()};
    for (uint64_t n = first; n <= last; ++n) {
      const size_t i = n - first;
      const std::string_view record(bytes->data() + offsets[i], offsets[i + 1] - offsets[i]);
      out.events.push_back({Sequence(n), events_.customer(n), events_.part(n), record});
    }
    out.moves.push_back({Sequence(last), Instant(1), events_.part(last), owner(last)});
    return out;
  }
  ArchiveBatch batch(uint64_t sequence) { return batch(sequence, sequence); }
  static CustomerId owner(uint64_t sequence) { return CustomerId{Hash128{0xffff, sequence}}; }
  lake::Lake& lake() { return *lake_; }
  lake::HeldFiles& files() { return files_; }

 private:
  lake::HeldFiles files_;
  lake::SampleEvents events_;
  std::shared_ptr<const Project> project_ =
      std::make_shared<const Project>(std::make_shared<const Settings>(Settings::defaults()));
  std::unique_ptr<lake::Lake> lake_;
};

// A full tail is committed in the middle of a batch; the batch's moves must not be lost by it.
TEST(LakeThread, AFullTailKeepsTheMovesOfItsBatch) {
  constexpr uint64_t kTailBytes = 100'000;
  TestDirectory directory;
  {
    LakeWorld world(directory.path(), kTailBytes);
    const auto thread = world.start();
    ASSERT_TRUE(thread->archive(world.batch(1, 1001)));
    ASSERT_TRUE(thread->archive(world.batch(1002, 2002)));
    ASSERT_TRUE(thread->stop().ok());
    EXPECT_EQ(world.lake().counters().commits, 4u) << "rows and moves of each batch";
  }
  LakeWorld world(directory.path(), kTailBytes);
  EXPECT_EQ(world.lake().committed(), Sequence(2002));
  const auto snapshot = world.lake().snapshot();
  for (const uint64_t n : {1001, 2002}) {
    EXPECT_EQ(snapshot->owners->find(lake::SampleEvents::part(n), snapshot->moved), LakeWorld::owner(n)) << n;
  }
}

// What one table takes of the room must not keep the rest of its batch out: the batch is one stretch of the
// log.
TEST(LakeThread, ABatchThatFillsTheRoomGoesInWhole) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 20'000);
  const auto thread = world.start();
  ArchiveBatch batch = world.batch(1, 10);
  const lake::Move moved = batch.moves[0];
  batch.moves.assign(2'000, moved);
  ASSERT_TRUE(thread->archive(std::move(batch)));
  ASSERT_TRUE(thread->archive(world.batch(11, 20)));
  ASSERT_TRUE(thread->stop().ok());
  EXPECT_EQ(world.lake().counters().rows_committed, 20u);
  EXPECT_EQ(world.lake().committed(), Sequence(20));
}

TEST(LakeThread, CommitUpToWaitsForTheCommit) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  const auto thread = world.start();
  ASSERT_TRUE(thread->archive(world.batch(1)));
  ASSERT_TRUE(thread->commit_up_to(Sequence(1)).ok());
  EXPECT_EQ(world.lake().committed(), Sequence(1));
  std::future<absl::Status> late =
      std::async(std::launch::async, [&] { return thread->commit_up_to(Sequence(3)); });
  ASSERT_TRUE(thread->archive(world.batch(2)));
  ASSERT_TRUE(thread->stop().ok());
  EXPECT_EQ(late.get().code(), absl::StatusCode::kCancelled);
}

TEST(LakeThread, AppendingDoesNotWaitForACommit) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  const auto thread = world.start();
  ASSERT_TRUE(thread->archive(world.batch(1, 10)));
  world.files().hold();
  std::future<absl::Status> committed =
      std::async(std::launch::async, [&] { return thread->commit_up_to(Sequence(10)); });
  world.files().wait_until_somebody_waits();
  ASSERT_TRUE(thread->archive(world.batch(11, 20)));
  EXPECT_TRUE(eventually([&] { return thread->appended() == Sequence(20); }, std::chrono::seconds(60)));
  EXPECT_EQ(world.lake().committed(), Sequence(0));
  EXPECT_EQ(world.lake().tail_rows(), 20u);
  world.files().let_go();
  EXPECT_TRUE(committed.get().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(10));
  EXPECT_TRUE(thread->stop().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(20));
}

// Only a disk that fails lets rows be left out.
TEST(LakeThread, ASlowDiskIsWaitedForWhenMemoryIsFull) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 100'000);
  const auto thread = world.start();
  world.files().hold();
  ASSERT_TRUE(thread->archive(world.batch(1, 1001)));
  world.files().wait_until_somebody_waits();
  ASSERT_TRUE(thread->archive(world.batch(1002, 2002)));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(thread->appended(), Sequence(1001));
  world.files().let_go();
  EXPECT_TRUE(eventually([&] { return thread->appended() == Sequence(2002); }, std::chrono::seconds(60)));
  EXPECT_TRUE(thread->stop().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(2002));
}

// At the end nobody else needs the appending thread, which does not give way to others.
TEST(LakeThread, TheLastCommitIsWrittenByTwo) {
  TestDirectory directory;
  lake::MeetingFiles files;
  LakeWorld world(directory.path(), 1 << 20, &files);
  const auto thread = world.start();
  ASSERT_TRUE(thread->archive(world.batch(1, 10)));
  EXPECT_TRUE(thread->stop().ok());
  EXPECT_TRUE(files.met());
  EXPECT_EQ(world.lake().committed(), Sequence(10));
}

TEST(LakeThread, ACommitThatFailedIsTriedAgain) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  const auto thread = world.start();
  world.files().refuse(true);
  ASSERT_TRUE(thread->archive(world.batch(1, 10)));
  EXPECT_EQ(thread->commit_up_to(Sequence(10)).code(), absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(thread->archive(world.batch(11, 20)));
  EXPECT_TRUE(eventually([&] { return thread->appended() == Sequence(20); }, std::chrono::seconds(60)));
  EXPECT_FALSE(thread->health().ok());
  world.files().refuse(false);
  EXPECT_TRUE(thread->stop().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(20));
}

// A lake whose last commit is older than the state lacks nothing: there were no rows between.
TEST(LakeThread, ItStartsWhereTheStateIs) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  const auto thread = world.start(Sequence(7));
  EXPECT_EQ(thread->appended(), Sequence(7));
  EXPECT_TRUE(thread->stop().ok());
}

// After a crash the log is replayed from the state's last checkpoint, and commits go on meanwhile.
TEST(LakeThread, WhatTheLakeHasAlreadyMayComeAgain) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  {
    const auto thread = world.start();
    ASSERT_TRUE(thread->archive(world.batch(1, 3)));
    ASSERT_TRUE(thread->stop().ok());
  }
  const auto thread = world.start();
  ASSERT_TRUE(thread->archive(world.batch(1)));
  EXPECT_TRUE(thread->commit_up_to(Sequence(1)).ok());
  ASSERT_TRUE(thread->archive(world.batch(2, 5)));
  EXPECT_TRUE(thread->stop().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(5));
  EXPECT_EQ(world.lake().counters().rows_appended, 5u);
}

TEST(LakeThread, ADamagedRecordIsAGapThatNothingIsCommittedBehind) {
  TestDirectory directory;
  LakeWorld world(directory.path(), 1 << 20);
  const auto thread = world.start();
  ASSERT_TRUE(thread->archive(world.batch(1)));
  ArchiveBatch damaged = world.batch(2);
  damaged.events[0].record = "not an event";
  ASSERT_TRUE(thread->archive(std::move(damaged)));
  ASSERT_TRUE(thread->archive(world.batch(3)));
  EXPECT_FALSE(thread->commit_up_to(Sequence(3)).ok());
  EXPECT_FALSE(thread->stop().ok());
  EXPECT_EQ(world.lake().committed(), Sequence(1));
  EXPECT_EQ(thread->appended(), Sequence(1));
}

}  // namespace
}  // namespace kehu::engine
