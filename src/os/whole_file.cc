#include "os/whole_file.h"

namespace kehu::os {
namespace {

absl::Status write_scratch(FileSystem& files, const std::string& path, std::string_view bytes) {
  auto file = files.open(path, OpenMode::kCreateOrTruncate);
  if (!file.ok()) return file.status();
  if (absl::Status status = (*file)->append(bytes); !status.ok()) return status;
  return (*file)->sync();
}

}  // namespace

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::StatusOr<std::string> read_whole_file(FileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->size();
  if (!size.ok()) return size.status();
  std::string bytes(*size, '\0');
  const auto read = (*file)->read_at(0, bytes.size(), bytes.data());
  if (!read.ok()) return read.status();
  bytes.resize(*read);
  return bytes;
}

// Readers and crashes meet the old file or the new one, never a mixture: the bytes are synced before the
// name is theirs, and the directory behind it, so that the name stays.
absl::Status replace_whole_file(FileSystem& files, const std::string& path, std::string_view bytes) {
  const std::string scratch = path + ".tmp";
  if (absl::Status status = write_scratch(files, scratch, bytes); !status.ok()) return status;
  if (absl::Status status = files.rename({.from = scratch, .to = path}); !status.ok()) return status;
  return files.sync_directory(directory_of(path));
}

absl::Status create_whole_file(FileSystem& files, const NewFilePaths& paths, std::string_view bytes) {
  if (absl::Status status = write_scratch(files, paths.scratch, bytes); !status.ok()) return status;
  const absl::Status renamed = files.rename_if_absent({.from = paths.scratch, .to = paths.path});
  if (!renamed.ok()) {
    // The name belongs to somebody else now; what is left of ours is only litter.
    files.remove(paths.scratch).IgnoreError();
    return renamed;
  }
  return files.sync_directory(directory_of(paths.path));
}

}  // namespace kehu::os
