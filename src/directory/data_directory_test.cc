#include "directory/data_directory.h"

#include "gtest/gtest.h"
#include "os/memory_file_system.h"
#include "os/whole_file.h"

namespace kehu::directory {
namespace {

TEST(DataDirectory, IsMadeAndOpenedAgain) {
  os::MemoryFileSystem files;
  { ASSERT_TRUE(DataDirectory::open(files, "data").ok()); }
  EXPECT_TRUE(DataDirectory::exists(files, "data"));
  { EXPECT_TRUE(DataDirectory::open(files, "data").ok()); }
}

TEST(DataDirectory, OneOfFormatOneIsTakenOverByWhoeverWrites) {
  os::MemoryFileSystem files;
  { ASSERT_TRUE(DataDirectory::open(files, "data").ok()); }
  const std::string now = *os::read_whole_file(files, "data/FORMAT");
  const std::string former = "kehu data directory, format 1\n";
  ASSERT_TRUE(os::replace_whole_file(files, "data/FORMAT", former).ok());
  { ASSERT_TRUE(DataDirectory::open(files, "data", DataDirectory::Purpose::kReading).ok()); }
  EXPECT_EQ(*os::read_whole_file(files, "data/FORMAT"), former);
  // The key is another's: refused, and left as it was.
  const std::string key = *os::read_whole_file(files, "data/keys/project.key");
  ASSERT_TRUE(os::replace_whole_file(files, "data/keys/project.key", std::string(64, 'a') + "\n").ok());
  EXPECT_EQ(DataDirectory::open(files, "data").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(*os::read_whole_file(files, "data/FORMAT"), former);
  ASSERT_TRUE(os::replace_whole_file(files, "data/keys/project.key", key).ok());
  { ASSERT_TRUE(DataDirectory::open(files, "data").ok()); }
  EXPECT_EQ(*os::read_whole_file(files, "data/FORMAT"), now);
}

TEST(DataDirectory, OneWithRulesHasAFormatOfItsOwn) {
  os::MemoryFileSystem files;
  {
    auto directory = DataDirectory::open(files, "data");
    ASSERT_TRUE(directory.ok());
    ASSERT_TRUE(directory->raise_format().ok());
    ASSERT_TRUE(directory->raise_format().ok());
  }
  const std::string raised = "kehu data directory, format 3\n";
  EXPECT_EQ(*os::read_whole_file(files, "data/FORMAT"), raised);
  { ASSERT_TRUE(DataDirectory::open(files, "data").ok()); }
  EXPECT_EQ(*os::read_whole_file(files, "data/FORMAT"), raised) << "it is not taken back";
  // As a kehu sees it that is older than the directory.
  ASSERT_TRUE(os::replace_whole_file(files, "data/FORMAT", "kehu data directory, format 4\n").ok());
  const absl::Status refused = DataDirectory::open(files, "data").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.message().find("format 4"), std::string::npos) << refused;
}

TEST(DataDirectory, SomebodyElsesFilesAreLeftAlone) {
  os::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("photos").ok());
  ASSERT_TRUE(os::replace_whole_file(files, "photos/cat.jpg", "miaow").ok());
  const absl::Status status = DataDirectory::open(files, "photos").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(status.message().find("photos holds \"cat.jpg\""), std::string::npos) << status;
  EXPECT_EQ(*files.list("photos"), std::vector<std::string>{"cat.jpg"});
}

TEST(DataDirectory, AFirstStartThatWasCutOffIsDoneAgain) {
  os::MemoryFileSystem files;
  ASSERT_TRUE(files.create_directories("data/lost+found").ok());
  ASSERT_TRUE(os::replace_whole_file(files, "data/LOCK", "").ok());
  ASSERT_TRUE(os::replace_whole_file(files, "data/FORMAT.tmp", "kehu").ok());
  EXPECT_TRUE(DataDirectory::open(files, "data").ok());
}

TEST(DataDirectory, WithoutItsFormatItIsNotTouched) {
  os::MemoryFileSystem files;
  { ASSERT_TRUE(DataDirectory::open(files, "data").ok()); }
  ASSERT_TRUE(files.remove("data/FORMAT").ok());
  EXPECT_EQ(DataDirectory::open(files, "data").status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace kehu::directory
