#pragma once

#include <memory>
#include <string>
#include <vector>

#include "os/posix_file_system.h"

namespace kehu::os {

// The real files: a base for those of tests, which say only where they differ.
class ForwardingFiles : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    return real_.open(path, mode);
  }
  absl::Status rename(const RenamePaths& paths) override { return real_.rename(paths); }
  absl::Status rename_if_absent(const RenamePaths& paths) override { return real_.rename_if_absent(paths); }
  absl::Status remove(const std::string& path) override { return real_.remove(path); }
  absl::Status create_directories(const std::string& path) override { return real_.create_directories(path); }
  absl::Status remove_directory(const std::string& path) override { return real_.remove_directory(path); }
  absl::Status sync_directory(const std::string& path) override { return real_.sync_directory(path); }
  absl::StatusOr<std::vector<std::string>> list(const std::string& directory) override {
    return real_.list(directory);
  }
  absl::StatusOr<uint64_t> file_size(const std::string& path) override { return real_.file_size(path); }
  bool exists(const std::string& path) override { return real_.exists(path); }
  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return real_.lock(path);
  }
  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override { return real_.free_bytes(path); }

 protected:
  FileSystem& real_ = posix_file_system();
};

}  // namespace kehu::os
