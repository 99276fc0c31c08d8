#include "os/file_system.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "os/memory_file_system.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

// What both file systems promise.
namespace kehu::os {
namespace {

class EveryFileSystem : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (GetParam()) {
      char name[] = "/tmp/kehu-os-XXXXXX";
      ASSERT_NE(::mkdtemp(name), nullptr);
      root_ = name;
      files_ = &posix_file_system();
    } else {
      root_ = "root";
      files_ = &memory_;
      ASSERT_TRUE(files_->create_directories(root_).ok());
    }
  }
  void TearDown() override {
    if (GetParam()) std::filesystem::remove_all(root_);
  }

  std::string path(const char* name) const { return root_ + "/" + name; }
  void put(const char* name, std::string_view bytes) {
    auto file = files_->open(path(name), OpenMode::kCreateOrTruncate);
    ASSERT_TRUE(file.ok()) << file.status();
    ASSERT_TRUE((*file)->append(bytes).ok());
  }
  std::string get(const char* name) {
    const auto bytes = read_whole_file(*files_, path(name));
    return bytes.ok() ? *bytes : std::string(bytes.status().message());
  }

  MemoryFileSystem memory_;
  FileSystem* files_ = nullptr;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Both, EveryFileSystem, testing::Bool(),
                         [](const auto& which) { return which.param ? "Posix" : "Memory"; });

TEST_P(EveryFileSystem, WritesAndReads) {
  auto file = files_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE((*file)->append("hello").ok());
  ASSERT_TRUE((*file)->write_at(8, "x").ok());
  ASSERT_TRUE((*file)->append("!").ok());
  ASSERT_TRUE((*file)->sync().ok());
  EXPECT_EQ(get("a"), std::string("hello\0\0\0x!", 10));
  char out[4];
  EXPECT_EQ(*(*file)->read_at(8, 4, out), 2u);
  EXPECT_EQ(*(*file)->read_at(100, 4, out), 0u);
  ASSERT_TRUE((*file)->truncate(3).ok());
  EXPECT_EQ(get("a"), "hel");
  EXPECT_EQ(*files_->file_size(path("a")), 3u);
}

TEST_P(EveryFileSystem, PreallocationIsZeros) {
  auto file = files_->open(path("a"), OpenMode::kCreateNew);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->preallocate(3 << 20).ok());
  EXPECT_EQ(get("a"), std::string(3 << 20, '\0'));
}

TEST_P(EveryFileSystem, ErrorsHaveCodesAndPaths) {
  put("a", "1");
  put("b", "2");
  const auto missing = files_->open(path("no"), OpenMode::kReadWrite).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(std::string(missing.message()).find(path("no")), std::string::npos) << missing;
  EXPECT_EQ(files_->open(path("a"), OpenMode::kCreateNew).status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(files_->remove(path("no")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_->list(path("no")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_->rename_if_absent({.from = path("a"), .to = path("b")}).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(get("b"), "2");
}

TEST_P(EveryFileSystem, RenamesAndLists) {
  put("b", "old");
  put("a", "new");
  ASSERT_TRUE(files_->create_directories(path("deep/er")).ok());
  ASSERT_TRUE(files_->create_directories(path("deep/er")).ok());
  EXPECT_EQ(*files_->list(root_), (std::vector<std::string>{"a", "b", "deep"}));
  EXPECT_FALSE(files_->remove_directory(path("deep")).ok());
  ASSERT_TRUE(files_->remove_directory(path("deep/er")).ok());
  ASSERT_TRUE(files_->rename({.from = path("a"), .to = path("b")}).ok());
  ASSERT_TRUE(files_->rename_if_absent({.from = path("b"), .to = path("c")}).ok());
  ASSERT_TRUE(files_->sync_directory(root_).ok());
  EXPECT_EQ(*files_->list(root_), (std::vector<std::string>{"c", "deep"}));
  EXPECT_EQ(get("c"), "new");
  EXPECT_TRUE(files_->exists(path("c")));
  EXPECT_FALSE(files_->exists(path("a")));
  EXPECT_GT(*files_->free_bytes(root_), 0u);
}

TEST_P(EveryFileSystem, ALockHasOneHolder) {
  auto first = files_->lock(path("lock"));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(files_->lock(path("lock")).status().code(), absl::StatusCode::kUnavailable);
  first->reset();
  EXPECT_TRUE(files_->lock(path("lock")).ok());
}

TEST_P(EveryFileSystem, WholeFiles) {
  ASSERT_TRUE(replace_whole_file(*files_, path("w"), "one").ok());
  ASSERT_TRUE(replace_whole_file(*files_, path("w"), "two").ok());
  EXPECT_EQ(get("w"), "two");
  EXPECT_EQ(create_whole_file(*files_, {.path = path("w"), .scratch = path("s")}, "three").code(),
            absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(create_whole_file(*files_, {.path = path("n"), .scratch = path("s")}, "four").ok());
  EXPECT_EQ(*files_->list(root_), (std::vector<std::string>{"n", "w"}));
  EXPECT_EQ(get("w"), "two");
  EXPECT_EQ(get("n"), "four");
}

}  // namespace
}  // namespace kehu::os
