#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "engine/engine.h"
#include "engine/test_engine.h"
#include "lake/lake_test_support.h"
#include "os/test_forwarding_files.h"

namespace kehu::engine {
namespace {

// The real files, but nothing new can be named in the lake while it is full.
class FullLake final : public os::ForwardingFiles {
 public:
  void set_full(bool full) { full_ = full; }

  absl::StatusOr<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    const bool creates = mode == os::OpenMode::kCreateNew || mode == os::OpenMode::kCreateOrTruncate;
    if (creates && refuses(path)) return no_space(path);
    return real_.open(path, mode);
  }
  absl::Status rename(const os::RenamePaths& paths) override {
    return refuses(paths.to) ? no_space(paths.to) : real_.rename(paths);
  }
  absl::Status rename_if_absent(const os::RenamePaths& paths) override {
    return refuses(paths.to) ? no_space(paths.to) : real_.rename_if_absent(paths);
  }

 private:
  bool refuses(const std::string& path) const { return full_ && path.find("/lake/") != std::string::npos; }
  static absl::Status no_space(const std::string& path) {
    return failure(absl::StatusCode::kResourceExhausted, "cannot write ", path, ": No space left on device");
  }

  std::atomic<bool> full_{false};
};

std::vector<std::string> counts(const lake::Lake& lake) {
  lake::SnapshotReader reader;
  const auto snapshot = lake.snapshot();
  return {reader.query(*snapshot, "SELECT count(*) FROM rows").at(0),
          reader.query(*snapshot, "SELECT count(DISTINCT sequence) FROM rows").at(0)};
}

// While the lake cannot be written everything else goes on, nothing is checkpointed past it, and once there
// is space again it catches up by itself.
TEST(LakeFailure, ServingGoesOnAndTheLakeCatchesUp) {
  TestDirectory directory;
  FullLake files;
  Options options = restless_options(directory.path());
  options.files = &files;
  const auto engine = open_engine(options);
  ASSERT_TRUE(engine->submit_and_wait(batch_of({{.message = 1}})).ok());
  files.set_full(true);
  std::mt19937_64 random(1);
  for (uint64_t n = 0; n < 20; ++n) {
    ASSERT_TRUE(engine->submit_and_wait(batch_of(random_events(random, 10 + n * 50, 50))).ok());
  }
  ASSERT_TRUE(eventually([&] { return !engine->health().lake.ok(); }));
  EXPECT_EQ(engine->health().lake.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(engine->health().log.ok());
  EXPECT_TRUE(engine->health().apply.ok());
  EXPECT_TRUE(engine->submit_and_wait(batch_of({{.message = 2}})).ok());
  EXPECT_EQ(events_of(*engine, "user_id", "u1"), 2u);
  EXPECT_TRUE(engine->wait_archived(Duration::seconds(5))) << "rows can be read from memory";
  EXPECT_EQ(counts(engine->lake()), (std::vector<std::string>{"1002", "1002"}));

  files.set_full(false);
  EXPECT_TRUE(eventually([&] { return engine->health().lake.ok(); }));
  const Sequence durable = engine->durable();
  EXPECT_TRUE(eventually([&] { return engine->lake().committed() >= durable; }));
  EXPECT_TRUE(eventually([&] { return engine->health().checkpoint.ok(); }));
  EXPECT_TRUE(engine->stop().ok());
}

// Not even the least retention lets go of what the lake lacks.
TEST(LakeFailure, NothingIsCheckpointedOrRecycledPastTheLake) {
  TestDirectory directory;
  FullLake files;
  Options options = restless_options(directory.path());
  options.first_settings = least_retention();
  options.files = &files;
  uint64_t digest = 0;
  Sequence committed;
  {
    const auto engine = open_engine(options);
    std::mt19937_64 random(2);
    ASSERT_TRUE(engine->submit_and_wait(batch_of(random_events(random, 0, 500))).ok());
    const Sequence begun = engine->durable();  // ticks come behind it
    ASSERT_TRUE(eventually([&] { return engine->lake().committed() >= begun; }));
    files.set_full(true);
    committed = engine->lake().committed();
    for (uint64_t n = 0; n < 50; ++n) {
      ASSERT_TRUE(engine->submit_and_wait(batch_of(large_events(random, 1000 + n * 100, 100))).ok());
    }
    ASSERT_TRUE(eventually([&] { return !engine->health().lake.ok(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // several checkpoint periods
    digest = digest_of(*engine);
    EXPECT_EQ(engine->lake().committed(), committed);
    EXPECT_FALSE(engine->stop().ok());
  }
  {
    const auto database = state::Database::open(directory.path() + "/state", 1 << 20);
    ASSERT_TRUE(database.ok());
    EXPECT_LE((*database)->position(), committed);
  }
  files.set_full(false);
  const auto engine = open_engine(options);
  EXPECT_EQ(digest_of(*engine), digest);
  EXPECT_TRUE(engine->wait_archived(Duration::seconds(20)));
  EXPECT_EQ(counts(engine->lake()), (std::vector<std::string>{"5500", "5500"}));
}

}  // namespace
}  // namespace kehu::engine
