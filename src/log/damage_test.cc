#include <gtest/gtest.h>

#include <cstring>

#include "base/crc32c.h"
#include "log/batch_format.h"
#include "log/check.h"
#include "log/closed_mark.h"
#include "log/segment.h"
#include "log/sidecar.h"
#include "log/test_log.h"
#include "os/whole_file.h"

namespace kehu::log {
namespace {

constexpr uint32_t kBatches = 12;
constexpr uint32_t kRecords = 3;
constexpr uint64_t kEnd = 1 + kRecords * kBatches;

// Seven batches of three records over three segments.
void make_log(os::MemoryFileSystem& files, bool close) {
  auto writer = Writer::open(files, small_log());
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (uint32_t i = 0; i < kBatches; ++i) ASSERT_TRUE(append_records(**writer, kRecords).ok());
  if (close) {
    ASSERT_TRUE((*writer)->close().ok());
  }
}

std::vector<std::string> log_files(os::MemoryFileSystem& files) { return *files.list("log"); }

TEST(Damage, EveryFlippedBitOfAClosedLogIsFoundOrHarmless) {
  os::MemoryFileSystem files;
  make_log(files, true);
  uint64_t found = 0;
  for (const std::string& name : log_files(files)) {
    const std::string path = "log/" + name;
    const uint64_t bits = *files.file_size(path) * 8;
    for (uint64_t bit = 0; bit < bits; ++bit) {
      files.flip_bit(path, bit);
      std::vector<uint64_t> sequences;
      const auto end = read_all(files, &sequences);  // checks the bytes of every record it gets
      const bool complete = end.ok() && *end == Sequence(kEnd) && sequences.size() == kEnd - 1;
      if (!complete) {
        ++found;
        ASSERT_FALSE(end.ok()) << path << " bit " << bit << ": records vanished silently";
      }
      files.flip_bit(path, bit);
    }
  }
  EXPECT_GT(found, 8 * kBatches * kBatchHeaderBytes) << "every header bit matters";
}

TEST(Damage, AfterACrashOnlyTheLastBatchMayBeMistakenForATornOne) {
  os::MemoryFileSystem files;
  make_log(files, false);
  for (const std::string& name : log_files(files)) {
    const std::string path = "log/" + name;
    const uint64_t bits = *files.file_size(path) * 8;
    for (uint64_t bit = 0; bit < bits; bit += 3) {
      files.flip_bit(path, bit);
      const auto end = read_all(files);
      if (end.ok()) {
        ASSERT_GE(*end, Sequence(kEnd - kRecords)) << path << " bit " << bit;
      }
      files.flip_bit(path, bit);
    }
  }
}

TEST(Damage, AReportNamesThePlaceAndTheLostRecords) {
  os::MemoryFileSystem files;
  make_log(files, false);
  Batch batch;
  auto reader = Reader::open(files, "log", Sequence(4));
  ASSERT_TRUE(*reader->next(batch));
  const Position at = batch.position();
  files.flip_bit(segment_path("log", at.segment), (at.offset + 70) * 8);

  const auto report = check(files, "log");
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->problems.size(), 1u);
  EXPECT_EQ(report->problems[0].at, at);
  EXPECT_EQ(report->problems[0].lost_first, Sequence(4));
  EXPECT_EQ(report->problems[0].lost_end, Sequence(7));
  EXPECT_EQ(report->records, kEnd - 1 - kRecords);
  EXPECT_EQ(report->end, Sequence(kEnd));

  const auto read = read_all(files);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(std::string(read.status().message()).find("lost are the records 4 to 6"), std::string::npos)
      << read.status();
}

TEST(Damage, SeveralPlacesAreAllListed) {
  os::MemoryFileSystem files;
  make_log(files, true);
  std::vector<Position> places;
  auto reader = Reader::open(files, "log", Sequence(1));
  Batch batch;
  while (*reader->next(batch)) places.push_back(batch.position());
  for (const size_t i : {0u, 2u, 3u, 6u}) {
    files.flip_bit(segment_path("log", places[i].segment), places[i].offset * 8);
  }
  const auto report = check(files, "log");
  std::vector<std::pair<uint64_t, uint64_t>> lost;
  for (const Problem& problem : report->problems) {
    lost.emplace_back(problem.lost_first.value(), problem.lost_end.value());
  }
  EXPECT_EQ(lost, (std::vector<std::pair<uint64_t, uint64_t>>{{1, 4}, {7, 13}, {19, 22}}));
}

struct MissingCase {
  const char* name;
  uint32_t segment;
};

TEST(Damage, AMissingSegmentIsNoticed) {
  os::MemoryFileSystem probe;
  make_log(probe, true);
  const auto started = Writer::open(probe, small_log());
  const uint32_t last = (*started)->current_segment().value();
  ASSERT_GE(last, 3u);
  const MissingCase cases[] = {{"first", 1}, {"middle", 2}, {"last", last}};
  for (const MissingCase& c : cases) {
    os::MemoryFileSystem files;
    make_log(files, true);
    ASSERT_TRUE(files.remove(segment_path("log", SegmentNumber(c.segment))).ok());
    const auto report = check(files, "log");
    ASSERT_TRUE(report.ok());
    // A log may begin anywhere, so a missing first segment looks like a recycled one; whoever needs its
    // records asks the reader for them and is told.
    EXPECT_EQ(report->sound(), c.segment == 1) << c.name;
    EXPECT_FALSE(Reader::open(files, "log", Sequence(1)).ok() && report->sound()) << c.name;
    if (c.segment != 1) {
      EXPECT_FALSE(Writer::open(files, small_log()).ok()) << c.name;
    }
  }
}

TEST(Damage, AWriterRefusesADamagedLastSegment) {
  os::MemoryFileSystem files;
  make_log(files, true);
  auto writer = Writer::open(files, small_log());
  const SegmentNumber last = (*writer)->current_segment();
  ASSERT_TRUE((*writer)->close().ok());
  files.flip_bit(segment_path("log", last), 70 * 8);
  const auto again = Writer::open(files, small_log());
  EXPECT_EQ(again.status().code(), absl::StatusCode::kDataLoss) << again.status();
}

TEST(Damage, ANewerFormatIsRefusedByName) {
  os::MemoryFileSystem files;
  make_log(files, false);
  std::string bytes = *os::read_whole_file(files, "log/0000000001.log");
  BatchHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  header.version = 2;
  std::memcpy(bytes.data(), &header, sizeof(header));
  const std::string_view all(bytes);
  header.crc = crc32c(all.substr(64, header.size - 64), crc32c(all.substr(0, 60)));
  std::memcpy(bytes.data(), &header, sizeof(header));
  ASSERT_TRUE(os::replace_whole_file(files, "log/0000000001.log", bytes).ok());
  EXPECT_EQ(read_all(files).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Writer::open(files, small_log()).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(Damage, ABatchOfAnotherLogIsNotOurs) {
  os::MemoryFileSystem ours, theirs;
  make_log(ours, false);
  Options options = small_log();
  options.log_id = 99;
  {
    auto writer = Writer::open(theirs, options);
    for (uint32_t i = 0; i < kBatches; ++i) ASSERT_TRUE(append_records(**writer, kRecords).ok());
  }
  const std::string stranger = *os::read_whole_file(theirs, "log/0000000002.log");
  ASSERT_TRUE(os::replace_whole_file(ours, "log/0000000002.log", stranger).ok());
  EXPECT_EQ(read_all(ours).status().code(), absl::StatusCode::kDataLoss);
}

TEST(Damage, SidecarsAreChecked) {
  os::MemoryFileSystem files;
  make_log(files, false);
  const std::vector<MessageKey> keys{{1, 2, 3}, {4, 5, 6}};
  ASSERT_TRUE(write_sidecar(files, "log", SegmentNumber(1), keys).ok());
  EXPECT_EQ(read_sidecar(files, "log", SegmentNumber(1))->size(), 2u);
  EXPECT_TRUE(check(files, "log")->sound());
  const uint64_t bits = *files.file_size("log/0000000001.keys") * 8;
  for (uint64_t bit = 0; bit < bits; ++bit) {
    files.flip_bit("log/0000000001.keys", bit);
    ASSERT_EQ(read_sidecar(files, "log", SegmentNumber(1)).status().code(), absl::StatusCode::kDataLoss)
        << bit;
    files.flip_bit("log/0000000001.keys", bit);
  }
  files.flip_bit("log/0000000001.keys", 8);
  EXPECT_FALSE(check(files, "log")->sound());
}

}  // namespace
}  // namespace kehu::log
