#include "os/memory_file_system.h"

#include <gtest/gtest.h>

#include <set>

#include "os/whole_file.h"

namespace kehu::os {
namespace {

constexpr size_t kSector = MemoryFileSystem::kSectorBytes;

std::unique_ptr<File> create(MemoryFileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::kCreateNew);
  EXPECT_TRUE(file.ok()) << file.status();
  return *std::move(file);
}

std::string content(MemoryFileSystem& files, const std::string& path) {
  const auto bytes = read_whole_file(files, path);
  return bytes.ok() ? *bytes : "(missing)";
}

TEST(PowerCut, SyncedBytesUnderSyncedNamesSurvive) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    MemoryFileSystem files;
    auto file = create(files, "a");
    ASSERT_TRUE(file->append("kept").ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(files.sync_directory(".").ok());
    files.reboot(seed);
    EXPECT_EQ(content(files, "a"), "kept") << "seed " << seed;
  }
}

TEST(PowerCut, AnySubsetOfUnsyncedSectorsIsLost) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    MemoryFileSystem files;
    auto file = create(files, "a");
    ASSERT_TRUE(file->append(std::string(2 * kSector, 'o')).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(files.sync_directory(".").ok());
    ASSERT_TRUE(file->write_at(0, std::string(2 * kSector, 'n')).ok());
    files.reboot(seed);
    const std::string after = content(files, "a");
    ASSERT_EQ(after.size(), 2 * kSector);
    seen.insert({after[0], after[kSector]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"oo", "on", "no", "nn"}));
}

TEST(PowerCut, ANameWithoutDirectorySyncMayBeUndone) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    MemoryFileSystem files;
    ASSERT_TRUE(replace_whole_file(files, "a", "old").ok());
    ASSERT_TRUE(replace_whole_file(files, "b", "new").ok());
    ASSERT_TRUE(files.rename({.from = "b", .to = "a"}).ok());
    files.reboot(seed);
    seen.insert(content(files, "a") + "/" + content(files, "b"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old/new", "new/(missing)"}));
}

TEST(PowerCut, ReplaceWholeFileIsAtomicAtEveryCrashPoint) {
  for (const FaultKind kind : {FaultKind::kCrashBefore, FaultKind::kCrashHalf, FaultKind::kCrashAfter}) {
    for (uint64_t operation = 0; operation < 6; ++operation) {
      for (uint64_t seed = 0; seed < 10; ++seed) {
        MemoryFileSystem files;
        ASSERT_TRUE(replace_whole_file(files, "a", std::string(3000, 'o')).ok());
        files.plan({.operation = files.operations() + operation, .kind = kind});
        const bool done = replace_whole_file(files, "a", std::string(3000, 'n')).ok();
        files.reboot(seed);
        const std::string after = content(files, "a");
        if (done) {
          EXPECT_EQ(after, std::string(3000, 'n'));
        } else {
          EXPECT_TRUE(after == std::string(3000, 'n') || after == std::string(3000, 'o'));
        }
      }
    }
  }
}

TEST(Fault, AFailedSyncForgetsTheBytesAndASecondOneLies) {
  MemoryFileSystem files;
  auto file = create(files, "a");
  ASSERT_TRUE(file->append("x").ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory(".").ok());
  ASSERT_TRUE(file->write_at(0, "y").ok());
  files.plan({.operation = files.operations(), .kind = FaultKind::kIoError});
  EXPECT_EQ(file->sync().code(), absl::StatusCode::kDataLoss);
  EXPECT_TRUE(file->sync().ok());
  EXPECT_EQ(content(files, "a"), "y");
  files.reboot(1);
  EXPECT_EQ(content(files, "a"), "x");
}

TEST(Fault, KindsAndTimes) {
  MemoryFileSystem files;
  auto file = create(files, "a");
  files.plan({.operation = files.operations(), .kind = FaultKind::kDiskFull, .times = 2});
  EXPECT_EQ(file->append("ab").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(file->append("ab").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(file->append("ab").ok());
  files.plan({.operation = files.operations(), .kind = FaultKind::kHalfDone});
  EXPECT_EQ(file->append("cd").code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(content(files, "a"), "abc");
  files.set_capacity(4);
  EXPECT_TRUE(file->append("d").ok());
  EXPECT_EQ(file->append("e").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(file->write_at(0, "A").ok());
}

TEST(Fault, AfterACrashNothingWorksUntilReboot) {
  MemoryFileSystem files;
  auto file = create(files, "a");
  auto lock = files.lock("lock");
  ASSERT_TRUE(lock.ok());
  files.plan({.operation = files.operations(), .kind = FaultKind::kCrashAfter});
  EXPECT_EQ(file->append("x").code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(files.crashed());
  EXPECT_FALSE(files.list(".").ok());
  EXPECT_FALSE(files.open("b", OpenMode::kCreateNew).ok());
  files.reboot(3);
  EXPECT_FALSE(file->append("x").ok()) << "a handle from before the crash";
  EXPECT_TRUE(files.lock("lock").ok());
  EXPECT_TRUE(files.open("b", OpenMode::kCreateNew).ok());
}

}  // namespace
}  // namespace kehu::os
