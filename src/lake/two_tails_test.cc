#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "base/test_rounds.h"
#include "lake/lake_test_support.h"

// Appending beside a commit, over all tables: whatever is frozen, written, late or refused, a snapshot shows
// each row once.
namespace kehu::lake {
namespace {

using Texts = std::vector<std::string>;

class TwoTailsTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.files = &files_;
    reopen();
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void reopen() {
    lake_.reset();
    auto lake = Lake::open(options_);
    ASSERT_TRUE(lake.ok()) << lake.status();
    lake_ = *std::move(lake);
  }

  // Events [next_, next_ + count), and at each seventh record a definition.
  void append(uint64_t count) {
    std::vector<TableRow> definitions;
    for (uint64_t n = next_; n < next_ + count; ++n) {
      if (n % 7 == 0) definitions.push_back(sample_definition(n));
    }
    lake_->append(TableId::kDefinitions, definitions);
    lake_->append(events_.rows(next_, next_ + count));
    next_ += count;
  }
  Sequence last() const { return Sequence(next_ - 1); }

  // Every row up to `last` of every table once.
  static void expect_rows(SnapshotReader& reader, const Snapshot& snapshot, uint64_t last) {
    EXPECT_EQ(reader.query(snapshot, kCounts), Texts{cat(last, " ", last, " ", last)});
    const uint64_t definitions = last / 7;
    EXPECT_EQ(reader.query(snapshot,
                           "SELECT concat(count(*), ' ', count(DISTINCT version), ' ', "
                           "coalesce(max(version), 0)) FROM rows",
                           TableId::kDefinitions),
              Texts{cat(definitions, " ", definitions, " ", 7 * definitions)});
  }
  void expect_all() { expect_rows(reader_, *lake_->snapshot(), next_ - 1); }

  static constexpr char kCounts[] =
      "SELECT concat(count(*), ' ', count(DISTINCT sequence), ' ', coalesce(max(sequence), 0)) FROM rows";

  HeldFiles files_;
  std::string directory_ = fresh_directory("data");
  LakeOptions options_ = sample_options(directory_);
  std::unique_ptr<Lake> lake_;
  SampleEvents events_;
  SnapshotReader reader_;
  uint64_t next_ = 1;
};

TEST_F(TwoTailsTest, appending_goes_on_while_a_commit_hangs) {
  append(100);
  ASSERT_TRUE(lake_->freeze(last()));
  files_.hold();
  absl::Status written;
  std::thread writer([&] { written = lake_->write(); });
  files_.wait_until_somebody_waits();
  append(50);
  EXPECT_EQ(lake_->committed(), Sequence(0));
  EXPECT_EQ(lake_->tail_rows(), 150u);
  expect_all();
  const auto during = lake_->snapshot();
  files_.let_go();
  writer.join();
  EXPECT_TRUE(written.ok()) << written;
  EXPECT_EQ(lake_->committed(), Sequence(100));
  EXPECT_EQ(lake_->tail_rows(), 50u);
  expect_all();
  expect_rows(reader_, *during, 150);
  reopen();
  expect_rows(reader_, *lake_->snapshot(), 100);
}

TEST_F(TwoTailsTest, what_could_not_be_written_is_committed_with_what_came_behind) {
  append(100);
  files_.refuse(true);
  EXPECT_FALSE(lake_->commit(last()).ok());
  append(100);
  EXPECT_FALSE(lake_->commit(last()).ok());
  append(100);
  expect_all();
  files_.refuse(false);
  EXPECT_TRUE(lake_->commit(last()).ok());
  EXPECT_EQ(lake_->counters().failed_commits, 2u);
  EXPECT_EQ(lake_->committed(), last());
  EXPECT_EQ(lake_->tail_rows(), 0u);
  expect_all();
  reopen();
  expect_all();
}

TEST_F(TwoTailsTest, memory_is_bounded_while_nothing_can_be_written) {
  options_.tail_bytes = 200'000;
  reopen();
  files_.refuse(true);
  while (lake_->room().ok() && next_ < 10'000) {
    append(10);
    const bool refused = !lake_->full() || !lake_->commit(last()).ok();
    EXPECT_TRUE(refused);
  }
  EXPECT_EQ(lake_->room().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_LT(next_, 5000u);
  EXPECT_EQ(reader_.query(*lake_->snapshot(), kCounts),
            Texts{cat(last().value(), " ", last().value(), " ", last().value())});
  files_.refuse(false);
  EXPECT_TRUE(lake_->commit(last()).ok());
  EXPECT_TRUE(lake_->room().ok());
}

// Old data directories have no folder of it.
TEST_F(TwoTailsTest, a_table_that_is_new_begins_empty) {
  append(100);
  ASSERT_TRUE(lake_->commit(last()).ok());
  lake_.reset();
  std::filesystem::remove_all(options_.directory + "/definitions");
  reopen();
  EXPECT_EQ(lake_->committed(), Sequence(100));
  const auto count = [this] {
    return reader_.query(*lake_->snapshot(), "SELECT count(*) FROM rows", TableId::kDefinitions);
  };
  EXPECT_EQ(count(), Texts{"0"});
  append(7);
  EXPECT_EQ(count(), Texts{"1"});
  ASSERT_TRUE(lake_->commit(last()).ok());
  reopen();
  EXPECT_EQ(count(), Texts{"1"});
}

// Appends, freezes, writes and refuses as chance has it, with a reader beside.
TEST_F(TwoTailsTest, a_snapshot_shows_each_row_once_at_every_moment) {
  for (int round = 0; round < rounds(2, 50); ++round) {
    const uint64_t seed = std::random_device()();
    SCOPED_TRACE(cat("seed ", seed));
    std::mt19937_64 random(seed);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0;
    std::atomic<bool> writing = false;
    std::thread reader([&] {
      SnapshotReader own;
      while (!done) {
        const auto snapshot = lake_->snapshot();
        wrong +=
            own.query(*snapshot,
                      "SELECT count(*) = count(DISTINCT sequence) AND count(*) = coalesce(max(sequence), "
                      "0) FROM rows") != Texts{"true"};
        wrong += own.query(*snapshot,
                           "SELECT count(*) = count(DISTINCT version) AND count(*) * 7 = "
                           "coalesce(max(version), 0) FROM rows",
                           TableId::kDefinitions) != Texts{"true"};
      }
    });
    std::thread writer;
    for (int step = 0; step < 60; ++step) {
      append(1 + random() % 40);
      files_.refuse(random() % 4 == 0);
      if (!writing && random() % 3 == 0 && lake_->freeze(last())) {
        if (writer.joinable()) writer.join();
        writing = true;
        writer = std::thread([&] {
          lake_->write().IgnoreError();
          writing = false;
        });
      }
    }
    if (writer.joinable()) writer.join();
    files_.refuse(false);
    done = true;
    reader.join();
    EXPECT_EQ(wrong, 0);
    expect_all();
    EXPECT_TRUE(lake_->commit(last()).ok());
    expect_all();
    reopen();
    expect_all();
    EXPECT_EQ(lake_->committed(), last());
  }
}

// The rows are of two months, so of two files.
TEST_F(TwoTailsTest, another_thread_helps_to_write) {
  for (const bool refused : {false, true}) {
    SCOPED_TRACE(refused);
    std::filesystem::remove_all(directory_);
    MeetingFiles files;
    files.refuse(refused);
    options_.files = &files;
    reopen();
    next_ = 1;
    append(100);
    ASSERT_TRUE(lake_->freeze(last()));
    std::atomic<bool> done = false;
    std::thread helper([&] {
      while (!done) lake_->help();
    });
    EXPECT_EQ(lake_->write().ok(), !refused);
    done = true;
    helper.join();
    EXPECT_TRUE(files.met()) << "one waited for the other, so two wrote";
    expect_all();
    files.refuse(false);
    append(20);
    EXPECT_TRUE(lake_->commit(last()).ok());
    EXPECT_EQ(lake_->committed(), last());
    reopen();
    expect_all();
    lake_->help();  // of nothing
  }
  lake_.reset();
}

}  // namespace
}  // namespace kehu::lake
