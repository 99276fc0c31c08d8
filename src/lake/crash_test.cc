#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <set>

#include "base/test_rounds.h"
#include "json/document.h"
#include "lake/lake_test_support.h"
#include "os/test_forwarding_files.h"

// The lake under a file system that dies at its n-th operation, for all n, and that keeps account of what was
// synced: a version of the table may name only files that would survive a power cut. DuckDB writes its files
// past this file system, but each of them lies between two counted operations.
namespace kehu::lake {
namespace {

class DyingFiles : public os::ForwardingFiles {
 public:
  enum class Death { kBefore, kAfter };
  void die_at(uint64_t operation, Death death) {
    dies_at_ = operation;
    death_ = death;
  }
  uint64_t operations() const { return count_; }
  bool dead() const { return dead_; }
  const std::vector<std::string>& violations() const { return violations_; }

  absl::StatusOr<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (mode == os::OpenMode::kRead) return real_.open(path, mode);
    absl::StatusOr<std::unique_ptr<os::File>> file = absl::UnavailableError("");
    absl::Status status = step([&] {
      file = real_.open(path, mode);
      return file.status();
    });
    if (!status.ok()) return status;
    return std::make_unique<DyingFile>(*this, path, *std::move(file));
  }
  absl::Status rename(const os::RenamePaths& paths) override {
    return step([&] { return renamed(paths, real_.rename(paths)); });
  }
  absl::Status rename_if_absent(const os::RenamePaths& paths) override {
    if (paths.to.ends_with(".json")) check_version(paths.from);
    return step([&] { return renamed(paths, real_.rename_if_absent(paths)); });
  }
  absl::Status remove(const std::string& path) override {
    return step([&] { return real_.remove(path); });
  }
  absl::Status create_directories(const std::string& path) override {
    return step([&] { return real_.create_directories(path); });
  }
  absl::Status remove_directory(const std::string& path) override {
    return step([&] { return real_.remove_directory(path); });
  }
  absl::Status sync_directory(const std::string& path) override {
    return step([&] {
      directories_.insert(path);
      return real_.sync_directory(path);
    });
  }

 private:
  class DyingFile : public os::File {
   public:
    DyingFile(DyingFiles& owner, std::string path, std::unique_ptr<os::File> real)
        : owner_(owner), path_(std::move(path)), real_(std::move(real)) {}
    absl::Status write_at(uint64_t offset, std::string_view bytes) override {
      return owner_.step([&] { return real_->write_at(offset, bytes); });
    }
    absl::Status append(std::string_view bytes) override {
      if (owner_.count_ == owner_.dies_at_ && owner_.death_ == Death::kAfter) {
        return owner_.step([&] { return real_->append(bytes.substr(0, bytes.size() / 2)); });
      }
      return owner_.step([&] { return real_->append(bytes); });
    }
    absl::StatusOr<size_t> read_at(uint64_t offset, size_t size, char* out) const override {
      return real_->read_at(offset, size, out);
    }
    absl::StatusOr<uint64_t> size() const override { return real_->size(); }
    absl::Status preallocate(uint64_t size) override {
      return owner_.step([&] { return real_->preallocate(size); });
    }
    absl::Status truncate(uint64_t size) override {
      return owner_.step([&] { return real_->truncate(size); });
    }
    absl::Status sync() override {
      return owner_.step([&] {
        owner_.synced_.insert(path_);
        return real_->sync();
      });
    }

   private:
    DyingFiles& owner_;
    std::string path_;
    std::unique_ptr<os::File> real_;
  };

  absl::Status step(const std::function<absl::Status()>& operation) {
    if (dead_) return absl::UnavailableError("the machine is off");
    const bool dies = count_++ == dies_at_;
    dead_ = dies;
    if (dies && death_ == Death::kBefore) return absl::UnavailableError("the power goes");
    const absl::Status status = operation();
    return dies ? absl::UnavailableError("the power goes") : status;
  }
  absl::Status renamed(const os::RenamePaths& paths, absl::Status status) {
    if (status.ok() && synced_.contains(paths.from)) synced_.insert(paths.to);
    return status;
  }
  // The version about to get its name, and every data file that it adds, must be on disk, names included.
  void check_version(const std::string& scratch) {
    if (dead_) return;
    if (!synced_.contains(scratch)) violations_.push_back(cat(scratch, " was not synced"));
    const std::string table = std::filesystem::path(scratch).parent_path().parent_path().string();
    std::ifstream lines(scratch);
    for (std::string line; std::getline(lines, line);) {
      const auto action = json::Document::parse(line);
      const auto path = action->root().find("add").find("path").as_string();
      if (!path) continue;
      const std::string full = table + "/" + *path;
      const std::string directory = std::filesystem::path(full).parent_path().string();
      if (!synced_.contains(full)) violations_.push_back(cat(full, " was not synced"));
      if (!directories_.contains(directory)) violations_.push_back(cat(directory, " was not synced"));
      if (!directories_.contains(table) && directory != table)
        violations_.push_back(cat(table, " was not synced"));
    }
  }

  uint64_t count_ = 0;
  uint64_t dies_at_ = UINT64_MAX;
  Death death_ = Death::kBefore;
  bool dead_ = false;
  std::set<std::string> synced_;
  std::set<std::string> directories_;
  std::vector<std::string> violations_;
};

constexpr uint64_t kLast = 24;

// The records [from, to): an event each, and at each fifth a move, a definition and three changes of
// segments.
void append(Lake& lake, SampleEvents& events, os::ManualClock& clock, uint64_t from, uint64_t to) {
  for (uint64_t n = from; n < to; ++n) {
    if (n % 5 != 1) continue;
    const Move move{Sequence(n), clock.now(), SampleEvents::part(n), SampleEvents::customer(n + 1)};
    const TableRow row = sample_definition(n);
    lake.move({&move, 1});
    lake.append(TableId::kDefinitions, {&row, 1});
    lake.append(sample_changes(n));
  }
  lake.append(events.rows(from, to));
}

// Appends, freezes, appends behind that, commits, compacts, checkpoints and vacuums; stops at the first
// error, as the engine would.
absl::Status work(const LakeOptions& options, SampleEvents& events, os::ManualClock& clock,
                  Sequence& acknowledged) {
  auto opened = Lake::open(options);
  if (!opened.ok()) return opened.status();
  Lake& lake = **opened;
  for (uint64_t next = lake.committed().value() + 1; next <= kLast; next += 5) {
    append(lake, events, clock, next, next + 3);
    lake.freeze(Sequence(next + 2));
    append(lake, events, clock, next + 3, next + 5);
    if (absl::Status status = lake.write(); !status.ok()) return status;
    acknowledged = Sequence(next + 2);
    if (absl::Status status = lake.commit(Sequence(next + 4)); !status.ok()) return status;
    acknowledged = Sequence(next + 4);
    clock.advance(Duration::hours(5));
    if (auto busy = lake.maintain(); !busy.ok()) return busy.status();
  }
  return absl::OkStatus();
}

class CrashTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(directory_); }
  LakeOptions options_for(os::FileSystem& files, os::ManualClock& clock) {
    LakeOptions options = sample_options(directory_);
    options.files = &files;
    options.clock = &clock;
    options.small_files = 3;
    options.checkpoint_every = 4;
    return options;
  }
  void expect_whole(const LakeOptions& options) {
    auto lake = Lake::open(options);
    ASSERT_TRUE(lake.ok()) << lake.status();
    EXPECT_GE((*lake)->committed().value(), kLast);
    const auto snapshot = (*lake)->snapshot();
    const auto counts =
        reader_.query(*snapshot, "SELECT count(*) || ' ' || count(DISTINCT sequence) FROM rows");
    const uint64_t last = (*lake)->committed().value();
    EXPECT_EQ(counts, std::vector<std::string>{cat(last, " ", last)});
    const std::string fifths = cat((last + 4) / 5);
    for (const TableId table : {TableId::kIdentityLog, TableId::kDefinitions}) {
      EXPECT_EQ(reader_.query(*snapshot, "SELECT count(*) FROM rows", table),
                std::vector<std::string>{fifths});
    }
    EXPECT_EQ(reader_.query(*snapshot,
                            "SELECT concat(count(*), ' ', count(DISTINCT (sequence, ordinal))) FROM rows",
                            TableId::kSegmentLog),
              std::vector<std::string>{cat(3 * ((last + 4) / 5), " ", 3 * ((last + 4) / 5))});
    EXPECT_TRUE(unknown_files(*snapshot).empty());
  }
  // Files of ours that no version names and that are younger than any retention could explain.
  std::vector<std::string> unknown_files(const Snapshot& snapshot) {
    std::set<std::string> known;
    for (const TableSnapshot& table : snapshot.tables) {
      for (const auto& file : table.files->files) known.insert(file->path);
    }
    std::vector<std::string> unknown;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + "/lake")) {
      const std::string path = entry.path().string();
      if (path.find(".kehu-") != path.npos || path.ends_with(".tmp")) unknown.push_back(path);
    }
    for (const auto& file : known) {
      if (!std::filesystem::exists(file)) unknown.push_back(cat("missing: ", file));
    }
    return unknown;
  }

  // The order of syncs is checked, not their effect, so memory will do where there is some.
  std::string directory_ = std::filesystem::exists("/dev/shm") ? cat("/dev/shm/kehu_crash_test_", getpid())
                                                               : fresh_directory("data");
  SampleEvents events_;
  SnapshotReader reader_;
};

TEST_F(CrashTest, versions_name_only_what_is_on_disk) {
  DyingFiles files;
  os::ManualClock clock(Instant::from_seconds(SampleEvents::kStart));
  Sequence acknowledged;
  ASSERT_TRUE(work(options_for(files, clock), events_, clock, acknowledged).ok());
  EXPECT_EQ(files.violations(), std::vector<std::string>{});
  EXPECT_GT(files.operations(), 150u);
  expect_whole(options_for(os::posix_file_system(), clock));
}

// Each operation is a second of work: a few of them, evenly spaced, or with KEHU_LONG=1 all.
TEST_F(CrashTest, nothing_is_lost_or_doubled_whenever_the_process_dies) {
  DyingFiles counting;
  os::ManualClock counted_clock(Instant::from_seconds(SampleEvents::kStart));
  Sequence ignored;
  ASSERT_TRUE(work(options_for(counting, counted_clock), events_, counted_clock, ignored).ok());
  const uint64_t stride =
      std::max<uint64_t>(1, counting.operations() / static_cast<uint64_t>(rounds(12, 1 << 20)));
  for (const auto death : {DyingFiles::Death::kBefore, DyingFiles::Death::kAfter}) {
    const bool before = death == DyingFiles::Death::kBefore;
    for (uint64_t operation = before ? 0 : stride / 2; operation < counting.operations();
         operation += stride) {
      SCOPED_TRACE(cat("dies at operation ", operation, before ? " before" : " after"));
      std::filesystem::remove_all(directory_);
      os::ManualClock clock(Instant::from_seconds(SampleEvents::kStart));
      DyingFiles files;
      files.die_at(operation, death);
      Sequence acknowledged;
      work(options_for(files, clock), events_, clock, acknowledged).IgnoreError();
      ASSERT_TRUE(files.dead());
      auto& real = os::posix_file_system();
      {
        auto lake = Lake::open(options_for(real, clock));
        ASSERT_TRUE(lake.ok()) << lake.status();
        ASSERT_GE((*lake)->committed(), acknowledged);
      }
      Sequence again;
      ASSERT_TRUE(work(options_for(real, clock), events_, clock, again).ok());
      expect_whole(options_for(real, clock));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace kehu::lake
