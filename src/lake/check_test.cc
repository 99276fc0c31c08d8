#include "lake/check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "base/test_rounds.h"
#include "delta/checksum.h"
#include "delta/log_file.h"
#include "lake/lake_test_support.h"
#include "os/test_files.h"
#include "os/whole_file.h"

namespace kehu::lake {
namespace {

using os::flip_bit;

class CheckTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.small_files = 3;
    options_.checkpoint_every = 4;
    auto lake = Lake::open(options_);
    ASSERT_TRUE(lake.ok()) << lake.status();
    for (uint64_t next = 1; next < 50; next += 5) {
      const std::vector<Move> moves = {{Sequence(next), Instant::from_seconds(SampleEvents::kStart),
                                        SampleEvents::part(next), SampleEvents::customer(next + 1)}};
      (*lake)->move(moves);
      const TableRow definition = sample_definition(next);
      (*lake)->append(TableId::kDefinitions, {&definition, 1});
      (*lake)->append(sample_changes(next));
      (*lake)->append(events_.rows(next, next + 5));
      ASSERT_EQ((*lake)->commit(Sequence(next + 4)), absl::OkStatus());
      ASSERT_TRUE((*lake)->maintain().ok());
    }
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  CheckReport check_all() {
    auto report = check(
        {.directory = options_.directory, .temp_directory = directory_ + "/tmp", .files = options_.files});
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : CheckReport{};
  }
  std::vector<std::string> all_files() {
    std::vector<std::string> paths;
    for (const auto& path : os::files_below(options_.directory)) paths.push_back(path.string());
    return paths;
  }
  std::string log_of_events(const std::string& name) {
    return cat(options_.directory, "/events/_delta_log/", name);
  }

  std::string directory_ = fresh_directory("data");
  LakeOptions options_ = sample_options(directory_);
  SampleEvents events_;
};

TEST_F(CheckTest, a_sound_lake_has_a_checksum_for_every_file) {
  const CheckReport report = check_all();
  EXPECT_EQ(report.problems, std::vector<std::string>{});
  EXPECT_EQ(report.unmarked, 0u);
  EXPECT_EQ(report.positions[TableId::kEvents], Sequence(50));
  EXPECT_GT(report.files, 20u) << "files that left the table count";
}

// A few bits of every file; all of them are within reach of a seed.
TEST_F(CheckTest, a_flipped_bit_of_any_file_is_found_and_its_file_named) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(cat("seed ", seed));
  std::mt19937_64 random(seed);
  const int each = rounds(3, 100);
  for (const std::string& path : all_files()) {
    for (int i = 0; i < each; ++i) {
      const uint64_t bit = random() % (std::filesystem::file_size(path) * 8);
      flip_bit(path, bit);
      const CheckReport report = check_all();
      ASSERT_FALSE(report.problems.empty()) << path << " bit " << bit;
      EXPECT_NE(report.problems.front().find(path), std::string::npos) << report.problems.front();
      flip_bit(path, bit);
    }
  }
  EXPECT_TRUE(check_all().problems.empty());
}

TEST_F(CheckTest, every_bit_of_the_smallest_files_is_found) {
  for (const char* name : {"00000000000000000000.json", "00000000000000000009.json", "_last_checkpoint"}) {
    const std::string path = log_of_events(name);
    const std::string text = *os::read_whole_file(*options_.files, path);
    for (size_t bit = 0; bit < text.size() * 8; ++bit) {
      std::string damaged = text;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(delta::read_marks(damaged).ok()) << path << " bit " << bit;
    }
  }
}

// What opening reads: the newest checkpoint, the pointer to it, and the versions behind it.
TEST_F(CheckTest, a_damaged_log_is_refused_at_open) {
  const auto names = options_.files->list(log_of_events(""));
  ASSERT_TRUE(names.ok());
  int64_t checkpoint = 0;
  for (const std::string& name : *names) {
    const auto parsed = delta::parse_log_name(name);
    if (parsed && parsed->checkpoint) checkpoint = std::max(checkpoint, parsed->version);
  }
  std::vector<std::string> read = {delta::checkpoint_name(checkpoint), delta::kPointerName};
  for (const std::string& name : *names) {
    const auto parsed = delta::parse_log_name(name);
    if (parsed && !parsed->checkpoint && parsed->version > checkpoint) read.push_back(name);
  }
  ASSERT_GT(read.size(), 2u);
  for (const std::string& name : read) {
    flip_bit(log_of_events(name), 900);
    const auto lake = Lake::open(options_);
    EXPECT_EQ(lake.status().code(), absl::StatusCode::kDataLoss) << name << ": " << lake.status();
    EXPECT_NE(message_of(lake.status()).find(name), std::string::npos) << lake.status();
    flip_bit(log_of_events(name), 900);
  }
  EXPECT_TRUE(Lake::open(options_).ok());
}

TEST_F(CheckTest, versions_and_files_that_are_gone_are_missed) {
  std::filesystem::remove(log_of_events("00000000000000000003.json"));
  EXPECT_NE(cat(check_all().problems.at(0)).find("00000000000000000003.json is missing"), std::string::npos);
}

// As an older Kehu or another writer leaves them: no marks anywhere.
TEST_F(CheckTest, files_without_checksums_are_read_and_counted) {
  const std::string log = log_of_events("");
  std::filesystem::remove(log_of_events("_last_checkpoint"));
  for (const std::string& path : all_files()) {
    if (path.starts_with(log) && path.ends_with(".parquet")) std::filesystem::remove(path);
    if (!path.starts_with(log) || !path.ends_with(".json")) continue;
    std::string text = *os::read_whole_file(*options_.files, path);
    text.erase(0, text.find('\n') + 1);
    for (size_t at = 0; (at = text.find(",\"tags\":{", at)) != text.npos;)
      text.erase(at, text.find('}', at) + 1 - at);
    ASSERT_TRUE(os::replace_whole_file(*options_.files, path, text).ok());
  }
  const CheckReport report = check_all();
  EXPECT_EQ(report.problems, std::vector<std::string>{});
  EXPECT_GT(report.unmarked, 20u);
  EXPECT_TRUE(Lake::open(options_).ok());
}

}  // namespace
}  // namespace kehu::lake
