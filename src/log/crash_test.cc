#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "log/check.h"
#include "log/segment.h"
#include "log/test_log.h"

namespace kehu::log {
namespace {

// Whether the environment asks for a longer run (make test-long).
int seeds() {
  const char* wanted = std::getenv("KEHU_TEST_SEEDS");
  return wanted ? std::atoi(wanted) : 2;
}

struct Acknowledged {
  Sequence end{1};
  Sequence protected_from{1};
};

// Opens the log, appends a few batches so that it crosses segments and recycles some, closes it. Stops at the
// first error, as a server does.
absl::Status work(os::FileSystem& files, Acknowledged& acknowledged) {
  auto writer = Writer::open(files, small_log(2));
  if (!writer.ok()) return writer.status();
  EXPECT_GE((*writer)->next_sequence(), acknowledged.end) << "an acknowledged record is gone";
  for (uint32_t i = 0; i < 16; ++i) {
    if (absl::Status status = append_records(**writer, i % 5); !status.ok()) return status;
    acknowledged.end = (*writer)->next_sequence();
    if (i % 3 == 2) {
      acknowledged.protected_from = acknowledged.end;
      (*writer)->protect(acknowledged.end);
    }
  }
  return (*writer)->close();
}

// Every acknowledged record is there, batches are whole, and a second look sees the same.
void expect_sound(os::FileSystem& files, const Acknowledged& acknowledged, const std::string& where) {
  const auto end = read_all(files);
  ASSERT_TRUE(end.ok()) << where << ": " << end.status();
  ASSERT_GE(*end, acknowledged.end) << where;
  const auto report = check(files, "log");
  ASSERT_TRUE(report.ok() && report->sound()) << where << ": " << report->problems[0].what;
  if (acknowledged.protected_from > Sequence(1)) {
    ASSERT_TRUE(Reader::open(files, "log", acknowledged.protected_from).ok()) << where;
  }
  auto writer = Writer::open(files, small_log(2));
  ASSERT_TRUE(writer.ok()) << where << ": " << writer.status();
  ASSERT_EQ((*writer)->next_sequence(), *end) << where;
}

uint64_t operations_of_work(int rounds) {
  os::MemoryFileSystem files;
  Acknowledged acknowledged;
  for (int i = 0; i < rounds; ++i) EXPECT_TRUE(work(files, acknowledged).ok());
  return files.operations();
}

const auto kErrors =
    testing::Values(os::FaultKind::kIoError, os::FaultKind::kDiskFull, os::FaultKind::kHalfDone);
const auto kCrashes =
    testing::Values(os::FaultKind::kCrashBefore, os::FaultKind::kCrashHalf, os::FaultKind::kCrashAfter);

class AtEveryOperation : public testing::TestWithParam<os::FaultKind> {};
INSTANTIATE_TEST_SUITE_P(Crash, AtEveryOperation, kCrashes);
INSTANTIATE_TEST_SUITE_P(Error, AtEveryOperation, kErrors);

class OnTheSameKernel : public testing::TestWithParam<os::FaultKind> {};
INSTANTIATE_TEST_SUITE_P(Error, OnTheSameKernel, kErrors);

// Twice the same work, so that the second time also crosses recovery and recycled segments; the fault hits
// the n-th operation, for every n; then the power goes and everything acknowledged must be there. Then it
// works again.
TEST_P(AtEveryOperation, NothingAcknowledgedIsLost) {
  constexpr int kRounds = 4;
  const uint64_t operations = operations_of_work(kRounds);
  ASSERT_GT(operations, 100u);
  for (uint64_t n = 0; n < operations; ++n) {
    for (int seed = 0; seed < seeds(); ++seed) {
      const std::string where = "operation " + std::to_string(n) + " seed " + std::to_string(seed);
      os::MemoryFileSystem files;
      files.plan({.operation = n, .kind = GetParam()});
      Acknowledged acknowledged;
      for (int round = 0; round < kRounds && work(files, acknowledged).ok(); ++round) {
      }
      files.reboot(static_cast<uint64_t>(seed) * 1000 + n);
      expect_sound(files, acknowledged, where);
      if (HasFatalFailure()) return;
      ASSERT_TRUE(work(files, acknowledged).ok()) << where;
      files.reboot(static_cast<uint64_t>(seed) + n);
      expect_sound(files, acknowledged, where + ", later");
      if (HasFatalFailure()) return;
    }
  }
}

// As above, but the process alone dies: the cache of the kernel survives, with what a failed sync left in it.
TEST_P(OnTheSameKernel, AProcessThatDiesAndStartsAgainLosesNothing) {
  constexpr int kRounds = 4;
  const uint64_t operations = operations_of_work(kRounds);
  for (uint64_t n = 0; n < operations; ++n) {
    const std::string where = "operation " + std::to_string(n);
    os::MemoryFileSystem files;
    files.plan({.operation = n, .kind = GetParam()});
    Acknowledged acknowledged;
    for (int round = 0; round < kRounds && work(files, acknowledged).ok(); ++round) {
    }
    ASSERT_TRUE(work(files, acknowledged).ok()) << where;
    files.reboot(n);
    expect_sound(files, acknowledged, where);
    if (HasFatalFailure()) return;
  }
}

TEST(Crash, RandomCrashesInARow) {
  const uint64_t runs = static_cast<uint64_t>(seeds()) * 20;
  for (uint64_t seed = 0; seed < runs; ++seed) {
    std::mt19937_64 random(seed);
    os::MemoryFileSystem files;
    Acknowledged acknowledged;
    for (int crash = 0; crash < 12; ++crash) {
      const os::FaultKind kinds[] = {os::FaultKind::kCrashBefore, os::FaultKind::kCrashHalf,
                                     os::FaultKind::kCrashAfter};
      files.plan({.operation = files.operations() + random() % 80, .kind = kinds[random() % 3]});
      while (work(files, acknowledged).ok()) {
      }
      files.reboot(random());
    }
    expect_sound(files, acknowledged, "seed " + std::to_string(seed));
    if (HasFatalFailure()) return;
  }
}

TEST(Poison, AWriteOrSyncErrorIsFinal) {
  for (const uint64_t operation : {0u, 1u}) {
    os::MemoryFileSystem files;
    auto writer = Writer::open(files, small_log());
    ASSERT_TRUE(append_records(**writer, 1).ok());
    files.plan({.operation = files.operations() + operation, .kind = os::FaultKind::kIoError});
    EXPECT_EQ(append_records(**writer, 1).code(), absl::StatusCode::kDataLoss);
    const uint64_t before = files.operations();
    EXPECT_FALSE(append_records(**writer, 1).ok());
    EXPECT_FALSE((*writer)->reserve(100).ok());
    EXPECT_FALSE((*writer)->close().ok());
    EXPECT_FALSE((*writer)->status().ok());
    EXPECT_EQ(files.operations(), before) << "a poisoned writer touches nothing";
  }
}

TEST(DiskFull, AppendingGoesOnWhenThereIsRoomAgain) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  ASSERT_TRUE(writer.ok());
  files.set_capacity(3 * 4096);
  absl::Status status;
  while (status.ok()) status = append_records(**writer, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE((*writer)->status().ok());
  const Sequence end = (*writer)->next_sequence();
  EXPECT_EQ(append_records(**writer, 1).code(), absl::StatusCode::kResourceExhausted);
  files.set_capacity(100 * 4096);
  ASSERT_TRUE(append_records(**writer, 1).ok());
  EXPECT_EQ(*read_all(files), end.next());
}

// Some file systems need room to rename and to remove, too. Whichever operations fail for want of it, the
// writer goes on when they are tried again, and the log that it leaves can be opened and is not too large.
TEST(DiskFull, AtAnyOperationItLeavesNoGapAndNoRetiredSegment) {
  const auto append = [](os::MemoryFileSystem& files, uint64_t times, uint64_t operation) {
    auto writer = Writer::open(files, small_log(2));
    for (uint32_t i = 0; i < 12; ++i) EXPECT_TRUE(append_records(**writer, 3).ok());
    (*writer)->protect((*writer)->next_sequence());  // several go at once
    if (times > 0) {
      files.plan(
          {.operation = files.operations() + operation, .kind = os::FaultKind::kDiskFull, .times = times});
    }
    const uint64_t before = files.operations();
    for (uint32_t i = 0; i < 16; ++i) {
      absl::Status status = append_records(**writer, 3);
      for (int again = 0; again < 5 && absl::IsResourceExhausted(status) && (*writer)->status().ok(); ++again)
        status = append_records(**writer, 3);
      if (!status.ok()) return files.operations() - before;  // the write of a batch failed
      (*writer)->protect((*writer)->next_sequence());
    }
    EXPECT_LE(list_segments(files, "log")->size(), 4u) << "operation " << operation;
    return files.operations() - before;
  };
  os::MemoryFileSystem sound;
  const uint64_t operations = append(sound, 0, 0);
  ASSERT_GT(operations, 40u);
  for (uint64_t n = 0; n < operations; ++n) {
    for (const uint64_t times : {1u, 2u, 3u}) {
      os::MemoryFileSystem files;
      append(files, times, n);
      files.clear_faults();
      const auto writer = Writer::open(files, small_log(2));
      ASSERT_TRUE(writer.ok()) << "operation " << n << ", " << times << " times: " << writer.status();
      ASSERT_TRUE(check(files, "log")->sound()) << "operation " << n;
    }
  }
}

TEST(TornTail, AnyPartOfTheLastBatchIsDropped) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    os::MemoryFileSystem files;
    auto writer = Writer::open(files, small_log());
    for (uint32_t i = 0; i < seed % 5; ++i) ASSERT_TRUE(append_records(**writer, 2).ok());
    const Sequence acknowledged = (*writer)->next_sequence();
    files.plan({.operation = files.operations() + seed % 2, .kind = os::FaultKind::kCrashHalf});
    ASSERT_FALSE(append_records(**writer, 3).ok());
    files.reboot(seed);
    auto again = Writer::open(files, small_log());
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.status();
    const Sequence next = (*again)->next_sequence();
    ASSERT_TRUE(next == acknowledged || next == Sequence(acknowledged.value() + 3)) << "seed " << seed;
    ASSERT_TRUE(append_records(**again, 1).ok());
    ASSERT_EQ(*read_all(files), next.next()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace kehu::log
