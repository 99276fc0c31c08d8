#include "engine/check.h"

#include "engine/test_engine.h"
#include "os/clock.h"
#include "os/test_files.h"
#include "os/whole_file.h"

namespace kehu::engine {
namespace {

using os::flip_bit;

// A small directory after three runs: log segments, key sidecars, several tables and manifests of the state,
// dozens of versions, checkpoints and compacted files of the lake.
class CheckTest : public testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(7);
    for (uint64_t run = 0; run < 3; ++run) {
      Options options = restless_options(directory_.path());
      options.log_segment_bytes = 1u << 20;
      options.lake_commit_period = Duration::millis(5);
      auto engine = open_engine(options);
      ASSERT_NE(engine, nullptr);
      for (uint64_t i = 0; i < 12; ++i) {
        const auto events = random_events(random, (run * 12 + i) * 200, 200);
        ASSERT_TRUE(submit(*engine, batch_of(events)).get().status.ok());
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      ASSERT_TRUE(engine->stop().ok());
    }
  }

  absl::StatusOr<CheckReport> check_all() { return check(os::posix_file_system(), directory_.path()); }
  bool sound() {
    const auto report = check_all();
    return report.ok() && report->findings.empty();
  }
  std::vector<std::filesystem::path> all_files() { return os::files_below(directory_.path()); }
  std::string read(const std::filesystem::path& path) {
    return *os::read_whole_file(os::posix_file_system(), path.string());
  }
  // Behind the last batch of a segment that was never recycled lie zeros, which nothing depends on.
  uint64_t used_bytes(const std::filesystem::path& path) {
    const std::string bytes = read(path);
    if (path.extension() != ".log" || path.parent_path().filename() != "log") return bytes.size();
    return (bytes.find_last_not_of('\0') + 1 + 511) / 512 * 512;
  }

  TestDirectory directory_;
};

TEST_F(CheckTest, every_flipped_bit_is_found) {
  const auto files = all_files();
  const auto at_start = check_all();
  ASSERT_TRUE(at_start.ok()) << at_start.status();
  for (const auto& finding : at_start->findings) ADD_FAILURE() << finding.where << ": " << finding.what;
  EXPECT_EQ(at_start->lake.unmarked, 0u);
  std::vector<std::pair<std::filesystem::path, uint64_t>> places;
  for (const auto& path : files) places.emplace_back(path, used_bytes(path) * 8);
  std::erase_if(places, [](const auto& place) { return place.second == 0; });
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(cat("seed ", seed));
  std::mt19937_64 random(seed);
  const int flips = rounds(300, 10'000);
  std::map<std::string, int> missed;
  for (int i = 0; i < flips; ++i) {
    const auto& [path, bits] = places[static_cast<size_t>(i) % places.size()];
    const uint64_t bit = random() % bits;
    flip_bit(path, bit);
    if (sound()) {
      ++missed[path.filename().string()];
      ADD_FAILURE() << path << " byte " << bit / 8 << " bit " << bit % 8 << " was not found";
    }
    flip_bit(path, bit);
  }
  EXPECT_TRUE(sound());
  EXPECT_EQ(all_files(), files) << "a check changes nothing";
}

TEST_F(CheckTest, rubbish_behind_the_last_batch_of_a_segment_harms_nobody) {
  const auto before = check_all();
  for (const auto& path : all_files()) {
    if (path.extension() != ".log" || path.parent_path().filename() != "log") continue;
    const uint64_t used = used_bytes(path);
    if (used == std::filesystem::file_size(path)) continue;
    flip_bit(path.string(), used * 8 + 4099);
  }
  const auto after = check_all();
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_TRUE(after->findings.empty());
  EXPECT_EQ(after->log.records, before->log.records);
}

TEST_F(CheckTest, another_key_is_refused) {
  const std::string path = directory_.path() + "/keys/project.key";
  std::string key = read(path);
  key[10] = key[10] == '0' ? '1' : '0';
  ASSERT_TRUE(os::replace_whole_file(os::posix_file_system(), path, key).ok());
  EXPECT_EQ(check_all().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Engine::open(engine_options(directory_.path())).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace kehu::engine
