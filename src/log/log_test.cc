#include <gtest/gtest.h>

#include <random>

#include "absl/strings/escaping.h"
#include "log/check.h"
#include "log/segment.h"
#include "log/test_log.h"
#include "os/whole_file.h"

namespace kehu::log {
namespace {

TEST(Log, RecordsComeBackInOrderAcrossSegments) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (uint32_t i = 0; i < 50; ++i) ASSERT_TRUE(append_records(**writer, i % 4).ok());
  EXPECT_EQ((*writer)->next_sequence(), Sequence(74));
  EXPECT_GT((*writer)->current_segment(), SegmentNumber(5));
  std::vector<uint64_t> sequences;
  EXPECT_EQ(*read_all(files, &sequences), Sequence(74));
  ASSERT_EQ(sequences.size(), 73u);
  for (size_t i = 0; i < sequences.size(); ++i) EXPECT_EQ(sequences[i], i + 1);
}

TEST(Log, ABuilderGivesTheBatchAsAReaderSeesIt) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  ASSERT_TRUE(writer.ok());
  BatchBuilder builder;
  builder.add(RecordKind::kEvent, "first");
  builder.add(RecordKind::kDefinition, "second");
  ASSERT_TRUE((*writer)->commit(builder, Instant(42)).ok());
  builder.clear();
  builder.add(RecordKind::kReveal, "");
  ASSERT_TRUE((*writer)->commit(builder, Instant(43)).ok());
  EXPECT_EQ(builder.batch().first_sequence(), Sequence(3));
  EXPECT_EQ(builder.batch().tick(), Instant(43));
  auto reader = Reader::open(files, "log", Sequence(1));
  Batch batch;
  ASSERT_TRUE(*reader->next(batch));
  EXPECT_EQ(batch.tick(), Instant(42));
  std::vector<std::pair<RecordKind, std::string>> got;
  for (const RecordView record : batch) got.emplace_back(record.kind, record.payload);
  EXPECT_EQ(got, (std::vector<std::pair<RecordKind, std::string>>{{RecordKind::kEvent, "first"},
                                                                  {RecordKind::kDefinition, "second"}}));
  ASSERT_TRUE(*reader->next(batch));
  EXPECT_EQ((*batch.begin()).kind, RecordKind::kReveal);
  EXPECT_EQ((*batch.begin()).sequence, Sequence(3));
  EXPECT_FALSE(*reader->next(batch));
}

// 1 MiB that packs to a little more than half.
std::vector<std::string> half_random_payloads() {
  std::mt19937_64 random(1);
  std::vector<std::string> payloads(1024);
  for (std::string& payload : payloads) {
    payload.assign(512, 'a');
    for (int i = 0; i < 64; ++i) {
      const uint64_t word = random();
      payload.append(reinterpret_cast<const char*>(&word), sizeof(word));
    }
  }
  return payloads;
}

// What is packed depends on the disk; what is read does not.
TEST(Log, PackedAndPlainBatchesReadTheSame) {
  os::MemoryFileSystem files;
  std::vector<uint64_t> bytes;
  for (const double slow_disk : {0.0, 1e18, 0.0}) {
    Options options = small_log();
    options.segment_bytes = 8u << 20;
    options.packed_min = 1;
    options.slow_disk = slow_disk;
    auto writer = Writer::open(files, options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    for (int i = 0; i < 4; ++i) {
      BatchBuilder builder;
      for (const std::string& payload : half_random_payloads()) builder.add(RecordKind::kEvent, payload);
      ASSERT_TRUE((*writer)->commit(builder, Instant(1)).ok());
    }
    bytes.push_back(check(files, "log")->bytes);
  }
  EXPECT_TRUE(check(files, "log")->sound());
  EXPECT_LT(bytes[1] - bytes[0], bytes[0] * 3 / 4) << "on the slow disk all are packed";
  EXPECT_GT(bytes[2] - bytes[1], bytes[1] - bytes[0]) << "on the fast one only the first";
  auto reader = Reader::open(files, "log", Sequence(1));
  Batch batch;
  for (int i = 0; i < 12; ++i) {
    ASSERT_TRUE(*reader->next(batch));
    std::vector<std::string> got;
    for (const RecordView record : batch) got.emplace_back(record.payload);
    EXPECT_EQ(got, half_random_payloads()) << i;
  }
  EXPECT_FALSE(*reader->next(batch));
}

TEST(Log, AReaderStartsAtTheBatchThatHoldsTheSequence) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  for (uint32_t i = 0; i < 60; ++i) ASSERT_TRUE(append_records(**writer, 3).ok());
  for (uint64_t from = 1; from <= 182; ++from) {
    auto reader = Reader::open(files, "log", Sequence(from));
    ASSERT_TRUE(reader.ok()) << reader.status();
    Batch batch;
    const auto more = reader->next(batch);
    ASSERT_TRUE(more.ok()) << more.status();
    ASSERT_EQ(*more, from <= 180);
    if (*more) {
      EXPECT_EQ(batch.first_sequence().value(), (from - 1) / 3 * 3 + 1);
    }
  }
}

TEST(Log, AnEmptyOrMissingDirectoryIsAnEmptyLog) {
  os::MemoryFileSystem files;
  auto reader = Reader::open(files, "log", Sequence(1));
  ASSERT_TRUE(reader.ok()) << reader.status();
  Batch batch;
  EXPECT_FALSE(*reader->next(batch));
  auto writer = Writer::open(files, small_log());
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ((*writer)->next_sequence(), Sequence(1));
  EXPECT_EQ((*writer)->recovery().last_tick, std::nullopt);
  EXPECT_EQ(*read_all(files), Sequence(1));
  EXPECT_TRUE(check(files, "log")->sound());
}

TEST(Log, ReopeningGoesOnWhereItEnded) {
  for (const bool orderly : {true, false}) {
    os::MemoryFileSystem files;
    for (int life = 0; life < 10; ++life) {
      auto writer = Writer::open(files, small_log());
      ASSERT_TRUE(writer.ok()) << writer.status();
      EXPECT_EQ((*writer)->recovery().orderly, orderly && life > 0);
      EXPECT_EQ((*writer)->next_sequence(), Sequence(static_cast<uint64_t>(life) * 8 + 1));
      for (int i = 0; i < 4; ++i) ASSERT_TRUE(append_records(**writer, 2).ok());
      EXPECT_EQ((*writer)->status(), absl::OkStatus());
      if (!orderly) continue;
      ASSERT_TRUE((*writer)->close().ok());
      EXPECT_FALSE(append_records(**writer, 1).ok());
      EXPECT_TRUE(check(files, "log")->orderly);
    }
    EXPECT_EQ(*read_all(files), Sequence(81));
    EXPECT_TRUE(check(files, "log")->sound());
  }
}

TEST(Log, TicksWithoutRecordsAreBatchesToo) {
  os::MemoryFileSystem files;
  {
    auto writer = Writer::open(files, small_log());
    for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(append_records(**writer, 0).ok());
    BatchBuilder builder;
    ASSERT_TRUE((*writer)->commit(builder, Instant(77)).ok());
  }
  auto writer = Writer::open(files, small_log());
  EXPECT_EQ((*writer)->recovery().last_tick, Instant(77));
  EXPECT_EQ(check(files, "log")->batches, 21u);
}

TEST(Log, OnlyUnprotectedSegmentsBeyondTheRetentionAreRecycled) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log(3));
  for (uint32_t i = 0; i < 100; ++i) ASSERT_TRUE(append_records(**writer, 3).ok());
  EXPECT_EQ((*writer)->first_sequence(), Sequence(1)) << "nothing was released yet";
  (*writer)->protect(Sequence(150));
  for (uint32_t i = 0; i < 20; ++i) ASSERT_TRUE(append_records(**writer, 3).ok());
  EXPECT_GT((*writer)->first_sequence(), Sequence(1));
  EXPECT_LE((*writer)->first_sequence(), Sequence(150));
  (*writer)->protect(Sequence(100));  // never goes back
  for (uint32_t i = 0; i < 20; ++i) {
    (*writer)->protect((*writer)->next_sequence());
    ASSERT_TRUE(append_records(**writer, 3).ok());
  }
  EXPECT_LE((*writer)->retained_bytes(), 4u * 4096);
  EXPECT_EQ(Reader::open(files, "log", Sequence(2)).status().code(), absl::StatusCode::kOutOfRange);
  std::vector<uint64_t> sequences;
  EXPECT_EQ(*read_all(files, &sequences), (*writer)->next_sequence());
  // The file of a retired segment stays until the next one is needed.
  EXPECT_LE(Sequence(sequences.front()), (*writer)->first_sequence());
  const auto report = check(files, "log");
  EXPECT_TRUE(report->sound());
  EXPECT_EQ(report->first, Sequence(sequences.front()));
}

TEST(Log, BytesOfAnEarlierLifeAreNeverRead) {
  os::MemoryFileSystem files;
  Sequence end;
  for (int life = 0; life < 60; ++life) {
    auto writer = Writer::open(files, small_log(2));
    ASSERT_TRUE(writer.ok()) << writer.status();
    ASSERT_EQ((*writer)->next_sequence().value(), std::max<uint64_t>(end.value(), 1));
    for (uint32_t i = 0; i < 25; ++i) {
      (*writer)->protect((*writer)->next_sequence());
      ASSERT_TRUE(append_records(**writer, 1 + (i * 7 + static_cast<uint32_t>(life)) % 3).ok());
      const auto read = read_all(files);
      ASSERT_TRUE(read.ok()) << read.status();
      ASSERT_EQ(*read, (*writer)->next_sequence());
    }
    end = (*writer)->next_sequence();
    ASSERT_LE(list_segments(files, "log")->size(), 4u) << "segments are recycled";
  }
}

TEST(Log, ABatchLargerThanASegmentIsRefused) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  BatchBuilder builder;
  builder.add(RecordKind::kEvent, std::string(4096, 'x'));
  EXPECT_EQ((*writer)->commit(builder, Instant(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(append_records(**writer, 1).ok());
}

TEST(Log, ReserveNamesTheSegmentOfTheBatch) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  for (int i = 0; i < 40; ++i) {
    const auto segment = (*writer)->reserve(1500);
    ASSERT_TRUE(segment.ok());
    BatchBuilder builder;
    builder.add(RecordKind::kEvent, payload_of((*writer)->next_sequence().value()));
    ASSERT_TRUE((*writer)->commit(builder, Instant(1)).ok());
    EXPECT_EQ(builder.batch().position().segment, *segment);
  }
}

TEST(Log, AnotherSegmentSizeTakesOverAnOldLog) {
  os::MemoryFileSystem files;
  for (const uint32_t segment_bytes : {4096u, 8192u, 2048u, 4096u}) {
    Options options = small_log(2);
    options.segment_bytes = segment_bytes;
    auto writer = Writer::open(files, options);
    ASSERT_TRUE(writer.ok()) << writer.status();
    (*writer)->protect((*writer)->next_sequence());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(append_records(**writer, 1).ok());
  }
  EXPECT_EQ(*read_all(files), Sequence(81));
  EXPECT_TRUE(check(files, "log")->sound());
}

// Format version 1, byte for byte. This test changes only together with the version.
TEST(Log, GoldenFileOfVersion1) {
  os::MemoryFileSystem files;
  auto writer = Writer::open(files, small_log());
  BatchBuilder builder;
  builder.add(RecordKind::kEvent, "one");
  builder.add(RecordKind::kDefinition, "");
  ASSERT_TRUE((*writer)->commit(builder, Instant(0x0102030405060708)).ok());
  builder.clear();
  ASSERT_TRUE((*writer)->commit(builder, Instant(-1)).ok());
  ASSERT_TRUE((*writer)->close().ok());
  const std::string segment = *os::read_whole_file(files, "log/0000000001.log");
  EXPECT_EQ(absl::BytesToHexString(segment.substr(0, 80)),
            "4b4855420100000088776655443322110100000000000000080706050403020101000000000000004d00000002000000"
            "00000000"
            "000000000000000002f482f303000000016f6e650000000004000000");
  EXPECT_EQ(segment.substr(80, 432), std::string(432, '\0'));
  EXPECT_EQ(absl::BytesToHexString(segment.substr(512, 64)),
            "4b4855420100000088776655443322110300000000000000ffffffffffffffff01000000000200004000000000000000"
            "02f482f3"
            "00000000000000007aa20587");
  EXPECT_EQ(segment.substr(576), std::string(4096 - 576, '\0'));
  EXPECT_EQ(absl::BytesToHexString(*os::read_whole_file(files, "log/closed")),
            "4b485543010000008877665544332211030000000000000001000000000400007aa20587c2e83ffd");
}

}  // namespace
}  // namespace kehu::log
