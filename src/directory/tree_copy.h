#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "os/file_system.h"

// Copies files, durable on return.
namespace kehu::directory {

// Called behind each piece with its size; an error ends the copy.
using Copied = absl::FunctionRef<absl::Status(uint64_t bytes)>;

struct FileCopy {
  std::string from;
  std::string to;
  std::optional<uint64_t> bytes = {};  // only the first so many
};
// Synced; its name is not.
absl::Status copy_file(os::FileSystem& files, const FileCopy& copy, Copied copied);

struct TreeFile {
  std::string path;  // below the directory
  uint64_t size = 0;
};
// All files below a directory whose path `wanted` accepts; of a folder that it refuses, none.
absl::StatusOr<std::vector<TreeFile>> files_of_tree(os::FileSystem& files, const std::string& directory,
                                                    absl::FunctionRef<bool(const std::string& path)> wanted);

// Makes the folders that a path below a directory needs.
absl::Status make_folders(os::FileSystem& files, const std::string& directory, const std::string& path);
// Syncs the directory and every folder in it.
absl::Status sync_tree(os::FileSystem& files, const std::string& directory);
absl::Status remove_tree(os::FileSystem& files, const std::string& directory);

// The name that a copy has while it grows. Refuses a target that is there and not empty, with its code
// AlreadyExists; what an unfinished copy left is removed.
absl::StatusOr<std::string> begin_copy(os::FileSystem& files, const std::string& target);
// Syncs everything and gives the copy its name.
absl::Status finish_copy(os::FileSystem& files, const std::string& unfinished, const std::string& target);

}  // namespace kehu::directory
