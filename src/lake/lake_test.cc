#include "lake/lake.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "lake/lake_test_support.h"
#include "lake/owners.h"
#include "os/whole_file.h"

namespace kehu::lake {
namespace {

std::unique_ptr<Lake> open(const LakeOptions& options) {
  auto lake = Lake::open(options);
  EXPECT_TRUE(lake.ok()) << lake.status();
  return *std::move(lake);
}

using Texts = std::vector<std::string>;

class LakeTest : public testing::Test {
 protected:
  std::string directory_ = fresh_directory("data");
  LakeOptions options_ = sample_options(directory_);
  SampleEvents events_;
  SnapshotReader reader_;

  Texts query(const Lake& lake, const std::string& sql) { return reader_.query(*lake.snapshot(), sql); }
  // Every sequence of [1, below) exactly once.
  void expect_complete(const Lake& lake, uint64_t below) {
    EXPECT_EQ(query(lake,
                    "SELECT count(*) || ' ' || count(DISTINCT sequence) || ' ' || min(sequence) || ' ' || "
                    "max(sequence) FROM rows"),
              Texts{cat(below - 1, " ", below - 1, " 1 ", below - 1)});
  }
};

TEST_F(LakeTest, rows_are_visible_from_append_on_and_the_same_after_commit) {
  auto lake = open(options_);
  const std::string all =
      "SELECT md5(string_agg(concat_ws('|', event, type, customer_id, part, time, received_at, "
      "original_time, source, "
      "channel, message_id, properties, traits, context, identifiers, sequence, project, dt), '~' ORDER BY "
      "sequence)) "
      "FROM rows";
  lake->append(events_.rows(1, 5001));
  expect_complete(*lake, 5001);
  const Texts before = query(*lake, all);
  EXPECT_EQ(lake->committed(), Sequence(0));
  ASSERT_TRUE(lake->commit(Sequence(5000)).ok());
  EXPECT_EQ(lake->committed(), Sequence(5000));
  EXPECT_EQ(lake->tail_rows(), 0u);
  expect_complete(*lake, 5001);
  EXPECT_EQ(query(*lake, all), before);
  lake = open(options_);
  EXPECT_EQ(lake->committed(), Sequence(5000));
  EXPECT_EQ(query(*lake, all), before);
}

TEST_F(LakeTest, columns_hold_what_the_event_says) {
  auto lake = open(options_);
  lake->append(events_.rows(1, 8));
  ASSERT_TRUE(lake->commit(Sequence(7)).ok());
  lake->append(events_.rows(8, 9));
  struct Case {
    const char* column;
    const char* of_seven;
    const char* of_eight;
  };
  const Case cases[] = {
      {"event", "Product Viewed", "Order Completed"},
      {"type", "track", "track"},
      {"customer_id", "000000000000abcd0000000000000066", "000000000000abcd0000000000000067"},
      {"part", "000000000000abcd000000000000006b", "000000000000abcd000000000000006c"},
      {"time", "2026-02-01 00:00:07+00", "2026-01-01 00:00:08+00"},
      {"received_at", "2026-02-01 00:00:07.017+00", "2026-01-01 00:00:08.017+00"},
      {"source", "shop", "shop"},
      {"channel", "web", "web"},
      {"message_id", "message-with-a-long-id-7", "message-with-a-long-id-8"},
      {"properties->>'名称'", "it's \"number\" 7", "it's \"number\" 8"},
      {"traits", "{}", "{}"},
      {"identifiers->>'$[0].value'", "user \"2\"", "user \"3\""},
      {"identifiers->>'$[1].left_out'", "blocked", "blocked"},
      {"identifiers->>'$[1].sealed'", "sealed:v1:x", "sealed:v1:x"},
      {"sequence", "7", "8"},
      {"project", "1", "1"},
      {"dt", "2026-02-01", "2026-01-01"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(query(*lake, cat("SELECT ", c.column, " FROM rows WHERE sequence = 7")), Texts{c.of_seven})
        << c.column;
    EXPECT_EQ(query(*lake, cat("SELECT ", c.column, " FROM rows WHERE sequence = 8")), Texts{c.of_eight})
        << c.column;
  }
}

TEST_F(LakeTest, replayed_rows_and_moves_are_dropped) {
  auto lake = open(options_);
  const std::vector<Move> moves = {
      {Sequence(40), Instant(), SampleEvents::part(1), SampleEvents::customer(2)},
      {Sequence(90), Instant(), SampleEvents::part(1), SampleEvents::customer(3)}};
  for (int round = 0; round < 3; ++round) {
    lake->move(moves);
    lake->append(events_.rows(1, 101));
    ASSERT_TRUE(lake->commit(Sequence(100)).ok());
    expect_complete(*lake, 101);
    lake = open(options_);
  }
  const auto snapshot = lake->snapshot();
  EXPECT_EQ(snapshot->owners->size(), 1u);
  EXPECT_EQ(snapshot->owners->find(SampleEvents::part(1), snapshot->moved), SampleEvents::customer(3));
  ASSERT_EQ(snapshot->tables[TableId::kIdentityLog].files->files.size(), 1u);
  EXPECT_EQ(snapshot->tables[TableId::kIdentityLog].files->files[0]->rows, 2u);
}

TEST_F(LakeTest, a_snapshot_stays_as_it_was) {
  auto lake = open(options_);
  lake->append(events_.rows(1, 1001));
  const auto early = lake->snapshot();
  lake->append(events_.rows(1001, 1501));
  ASSERT_TRUE(lake->commit(Sequence(1500)).ok());
  lake->append(events_.rows(1501, 2001));
  EXPECT_EQ(reader_.query(*early, "SELECT max(sequence) FROM rows"), Texts{"1000"});
  EXPECT_EQ(reader_.query(*early, "SELECT count(*) FROM rows"), Texts{"1000"});
  expect_complete(*lake, 2001);
}

TEST_F(LakeTest, readers_beside_commits_and_compaction_see_each_row_once) {
  options_.small_files = 3;
  auto lake = open(options_);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> reads = 0;
  std::thread reader([&] {
    SnapshotReader own;
    while (!done) {
      const Texts counts = own.query(*lake->snapshot(),
                                     "SELECT count(*) = count(DISTINCT sequence) AND count(*) = "
                                     "coalesce(max(sequence), 0) FROM rows");
      wrong += counts != Texts{"true"};
      ++reads;
    }
  });
  std::thread maintenance([&] {
    while (!done) {
      auto busy = lake->maintain();
      wrong += !busy.ok();
      if (!busy.ok() || !*busy) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  uint64_t next = 1;
  for (int round = 0; round < 40; ++round) {
    for (int i = 0; i < 5; ++i, next += 37) lake->append(events_.rows(next, next + 37));
    ASSERT_TRUE(lake->commit(Sequence(next - 1)).ok());
  }
  done = true;
  reader.join();
  maintenance.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(reads, 5);
  EXPECT_GT(lake->counters().compactions, 3u);
  expect_complete(*lake, next);
  lake = open(options_);
  expect_complete(*lake, next);
  EXPECT_EQ(lake->committed(), Sequence(next - 1));
}

TEST_F(LakeTest, a_tail_says_when_it_is_full) {
  options_.tail_bytes = 1 << 20;
  auto lake = open(options_);
  lake->append(events_.rows(1, 10'001));
  EXPECT_TRUE(lake->full());
  ASSERT_TRUE(lake->commit(Sequence(10'000)).ok());
  EXPECT_FALSE(lake->full());
  expect_complete(*lake, 10'001);
}

// What is in the way here is a file where a directory should be.
TEST_F(LakeTest, a_full_tail_that_cannot_be_written_is_not_tried_with_every_batch) {
  options_.tail_bytes = 4'000'000;
  auto lake = open(options_);
  const std::string blocked = options_.directory + "/events/month=2026-01";
  std::ofstream(blocked) << "in the way";
  uint64_t failed = 0;
  uint64_t next = 1;
  for (int batches_behind = 0; batches_behind < 50 && next < 100'000; next += 10) {
    lake->append(events_.rows(next, next + 10));
    if (lake->full()) failed += lake->commit(Sequence(next + 9)).ok() ? 0 : 1;
    batches_behind += failed > 0 ? 1 : 0;
  }
  EXPECT_EQ(failed, 1u);
  EXPECT_EQ(lake->counters().failed_commits, 1u);
  expect_complete(*lake, next);
  std::filesystem::remove(blocked);
  EXPECT_TRUE(lake->commit(Sequence(next - 1)).ok());
  EXPECT_EQ(lake->committed(), Sequence(next - 1));
}

TEST_F(LakeTest, an_empty_stretch_is_committed_only_when_it_is_long) {
  auto lake = open(options_);
  ASSERT_TRUE(lake->commit(Sequence(5000)).ok());
  EXPECT_EQ(lake->committed(), Sequence(0));
  ASSERT_TRUE(lake->commit(Sequence(200'000)).ok());
  EXPECT_EQ(lake->committed(), Sequence(200'000));
  EXPECT_EQ(open(options_)->committed(), Sequence(200'000));
}

TEST_F(LakeTest, vacuum_deletes_compacted_files_after_the_retention) {
  os::ManualClock clock(Instant::from_seconds(SampleEvents::kStart));
  options_.clock = &clock;
  options_.small_files = 2;
  auto lake = open(options_);
  for (uint64_t n = 1; n < 50; n += 7) {
    lake->append(events_.rows(n, n + 7));
    ASSERT_TRUE(lake->commit(Sequence(n + 6)).ok());
  }
  while (*lake->maintain()) {
  }
  const auto data_files = [&] {
    size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + "/lake/events")) {
      count +=
          entry.path().string().find("month=") != std::string::npos && entry.path().extension() == ".parquet";
    }
    return count;
  };
  EXPECT_EQ(lake->snapshot()->events().files->files.size(), 2u);
  EXPECT_GT(data_files(), 14u);
  clock.advance(Duration::hours(23));
  EXPECT_FALSE(*lake->maintain());
  clock.advance(Duration::hours(2));
  EXPECT_TRUE(*lake->maintain());
  EXPECT_EQ(data_files(), 2u);
  expect_complete(*lake, 50);
  lake = open(options_);
  expect_complete(*lake, 50);
}

TEST_F(LakeTest, a_reader_may_start_from_a_checkpoint) {
  options_.checkpoint_every = 10;
  auto lake = open(options_);
  for (uint64_t n = 1; n < 100; n += 3) {
    lake->append(events_.rows(n, n + 3));
    ASSERT_TRUE(lake->commit(Sequence(n + 2)).ok());
  }
  lake.reset();
  const std::string log = options_.directory + "/events/_delta_log/";
  EXPECT_TRUE(options_.files->exists(log + "_last_checkpoint"));
  for (int version = 0; version < 30; ++version) {
    char name[32];
    std::snprintf(name, sizeof(name), "%020d.json", version);
    ASSERT_TRUE(options_.files->remove(log + name).ok());
  }
  lake = open(options_);
  EXPECT_EQ(lake->committed(), Sequence(99));
  expect_complete(*lake, 100);
}

TEST_F(LakeTest, what_kehu_cannot_write_is_refused_by_name) {
  struct Case {
    const char* name;
    std::string line;
    const char* want;
  };
  const Case cases[] = {
      {"reader",
       R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"]}})",
       "reader version 3"},
      {"schema",
       R"({"metaData":{"id":"x","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}})",
       "column"},
      {"damage", R"({"add":{"path")", "damaged"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::filesystem::remove_all(directory_);
    open(options_);
    auto file = options_.files->open(options_.directory + "/events/_delta_log/00000000000000000001.json",
                                     os::OpenMode::kCreateNew);
    ASSERT_TRUE((*file)->append(c.line).ok());
    const auto lake = Lake::open(options_);
    ASSERT_FALSE(lake.ok());
    EXPECT_NE(message_of(lake.status()).find(c.want), std::string::npos) << lake.status();
  }
}

TEST_F(LakeTest, another_kehu_that_appends_is_noticed) {
  auto first = open(options_);
  auto second = open(options_);
  first->append(events_.rows(1, 11));
  second->append(events_.rows(1, 21));
  ASSERT_TRUE(first->commit(Sequence(10)).ok());
  EXPECT_EQ(second->commit(Sequence(20)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(second->commit(Sequence(20)).code(), absl::StatusCode::kFailedPrecondition);
  expect_complete(*open(options_), 11);
}

TEST(Identifiers, are_escaped_and_named) {
  const Settings settings = Settings::defaults();
  const Identifier identifiers[] = {
      {.type = IdentifierTypeId(0), .token = {}, .value = "a\"b"},
      {.type = IdentifierTypeId(200), .left_out = LeftOut::kWeak, .sealed = true, .token = {}, .value = "s"}};
  std::string out;
  append_identifiers(identifiers, settings, out);
  EXPECT_EQ(out,
            cat("[{\"type\":\"", settings.identifier_types[0].name,
                "\",\"value\":\"a\\\"b\"},{\"type\":\"unknown\",\"sealed\":\"s\",\"left_out\":\"weak\"}]"));
}

}  // namespace
}  // namespace kehu::lake
