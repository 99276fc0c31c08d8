#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "os/file_system.h"

// Small files that are read and written as one piece.
namespace kehu::os {

absl::StatusOr<std::string> read_whole_file(FileSystem& files, const std::string& path);

// After OK the file is durable under its name; after a crash there is the old content or the new one, never a
// mix. Writes `path`.tmp, syncs it, renames it over `path` and syncs the directory: two syncs.
absl::Status replace_whole_file(FileSystem& files, const std::string& path, std::string_view bytes);

// The same, but AlreadyExists when there is a file at `path`, which stays as it was. `scratch` is a path in
// the same directory that no other writer uses.
struct NewFilePaths {
  std::string path;
  std::string scratch;
};
absl::Status create_whole_file(FileSystem& files, const NewFilePaths& paths, std::string_view bytes);

// The directory part of a path: "a/b" of "a/b/c", "." of "c".
std::string directory_of(const std::string& path);

}  // namespace kehu::os
