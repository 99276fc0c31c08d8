#include "delta/file_check.h"

#include <fstream>

#include "lake/lake_test_support.h"
#include "os/test_files.h"

namespace kehu::delta {
namespace {

using lake::fresh_directory;
using lake::Lake;
using lake::LakeOptions;
using lake::sample_options;
using lake::SampleEvents;

class FileCheckTest : public testing::Test {
 protected:
  void SetUp() override {
    auto lake = *Lake::open(sample_options(directory_));
    SampleEvents events;
    lake->append(events.rows(1, 1001));
    ASSERT_TRUE(lake->commit(Sequence(1000)).ok());
    for (const auto& file : lake->snapshot()->events().files->files)
      EXPECT_TRUE(file->sound) << "written by us";
  }
  absl::Status read(Lake& lake) {
    for (const auto& file : lake.snapshot()->events().files->files) {
      absl::Status status = lake.file_check().before_reading(*file, [this](size_t bytes) {
        asked_ += bytes;
        return going_;
      });
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string directory_ = fresh_directory("data");
  size_t asked_ = 0;
  absl::Status going_;
};

TEST_F(FileCheckTest, each_file_is_read_once_before_its_first_use) {
  auto lake = *Lake::open(sample_options(directory_));
  EXPECT_TRUE(read(*lake).ok());
  EXPECT_GT(asked_, 1000u);
  EXPECT_EQ(lake->file_check().counters().files, lake->snapshot()->events().files->files.size());
  asked_ = 0;
  EXPECT_TRUE(read(*lake).ok());
  EXPECT_EQ(asked_, 0u);
}

TEST_F(FileCheckTest, damage_is_refused_until_the_file_is_whole_again) {
  struct Case {
    const char* name;
    std::function<void(const std::string&, const std::string&)> harm;
  };
  const auto write = [](const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  };
  for (const Case& given : {
           Case{"first bit", [](const std::string&path, const std::string&) { os::flip_bit(path, 0); }},
           Case{"a bit of a page",
                [](const std::string&path, const std::string&) { os::flip_bit(path, 2003); }},
           Case{"cut",
                [&](const std::string&path, const std::string&whole) { write(path, whole.substr(1)); }},
           Case{"longer", [&](const std::string&path, const std::string&whole) { write(path, whole + "x"); }},
           Case{"empty", [&](const std::string&path, const std::string&) { write(path, ""); }},
           Case{"missing", [](const std::string&path, const std::string&) { std::filesystem::remove(path); }},
       }) {
    auto lake = *Lake::open(sample_options(directory_));
    const std::string path = lake->snapshot()->events().files->files.front()->path;
    std::ifstream in(path, std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), {});
    given.harm(path, whole);
    for (int time = 0; time < 2; ++time) {
      const absl::Status status = read(*lake);
      EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << given.name << ": " << status;
      EXPECT_NE(status.message().find(path), std::string_view::npos) << given.name;
    }
    EXPECT_FALSE(lake->file_check().damage().ok()) << given.name;
    EXPECT_EQ(lake->file_check().counters().damaged, 1u) << given.name;
    write(path, whole);
    EXPECT_TRUE(read(*lake).ok()) << given.name;
    EXPECT_TRUE(lake->file_check().damage().ok()) << given.name;
  }
}

TEST_F(FileCheckTest, a_comparison_that_is_broken_off_decides_nothing) {
  auto lake = *Lake::open(sample_options(directory_));
  going_ = absl::UnavailableError("later");
  EXPECT_TRUE(absl::IsUnavailable(read(*lake)));
  EXPECT_TRUE(lake->file_check().damage().ok());
  going_ = absl::OkStatus();
  EXPECT_TRUE(read(*lake).ok());
}

TEST_F(FileCheckTest, reading_again_sees_what_changed_since) {
  auto lake = *Lake::open(sample_options(directory_));
  ASSERT_TRUE(read(*lake).ok());
  const auto file = lake->snapshot()->events().files->files.front();
  os::flip_bit(file->path, 2003);
  EXPECT_TRUE(read(*lake).ok()) << "it was compared before";
  const auto again = [&] { return lake->file_check().again(*file, [](size_t) { return absl::OkStatus(); }); };
  EXPECT_TRUE(absl::IsDataLoss(again()));
  EXPECT_TRUE(absl::IsDataLoss(read(*lake)));
  os::flip_bit(file->path, 2003);
  EXPECT_TRUE(again().ok());
  EXPECT_TRUE(read(*lake).ok());
}

// Merged, the damage would get a checksum of its own.
TEST_F(FileCheckTest, damaged_files_are_not_compacted) {
  LakeOptions options = sample_options(directory_);
  options.small_files = 2;
  auto lake = *Lake::open(options);
  SampleEvents events;
  lake->append(events.rows(1001, 2001));
  ASSERT_TRUE(lake->commit(Sequence(2000)).ok());
  const auto snapshot = lake->snapshot();
  ASSERT_EQ(snapshot->events().files->files.size(), 4u);
  for (const auto& file : snapshot->events().files->files) os::flip_bit(file->path, 2003);
  EXPECT_TRUE(absl::IsDataLoss(lake->maintain().status()));
  EXPECT_EQ(lake->snapshot()->events().files->files.size(), 4u);
}

}  // namespace
}  // namespace kehu::delta
