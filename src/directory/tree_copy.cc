#include "directory/tree_copy.h"

#include <algorithm>

#include "base/text.h"
#include "os/whole_file.h"

// A copy grows under another name and gets its own by one rename behind the last sync, so a folder of that
// name is always a whole copy. The files are synced one by one as they are written, the folders before the
// rename.
namespace kehu::directory {
namespace {

constexpr size_t kPieceBytes = 1 << 20;
// This file lies in a copy that is not finished: whoever finds a folder of that name knows that it is ours
// to remove.
constexpr char kUnfinishedMark[] = "UNFINISHED";

absl::Status list_tree(os::FileSystem& files, const std::string& directory, const std::string& below,
                       absl::FunctionRef<bool(const std::string& path)> wanted,
                       std::vector<TreeFile>& found) {
  const auto names = files.list(below.empty() ? directory : cat(directory, "/", below));
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = below.empty() ? name : cat(below, "/", name);
    if (!wanted(path)) continue;
    if (files.list(cat(directory, "/", path)).ok()) {
      if (absl::Status status = list_tree(files, directory, path, wanted, found); !status.ok()) return status;
      continue;
    }
    const auto size = files.file_size(cat(directory, "/", path));
    if (!size.ok()) return size.status();
    found.push_back({path, *size});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status copy_file(os::FileSystem& files, const FileCopy& copy, Copied copied) {
  const auto from = files.open(copy.from, os::OpenMode::kRead);
  if (!from.ok()) return from.status();
  const auto to = files.open(copy.to, os::OpenMode::kCreateOrTruncate);
  if (!to.ok()) return to.status();
  std::string piece(std::min<uint64_t>(kPieceBytes, copy.bytes.value_or(kPieceBytes)), '\0');
  for (uint64_t at = 0; !copy.bytes || at < *copy.bytes;) {
    const size_t wanted = copy.bytes ? std::min<uint64_t>(piece.size(), *copy.bytes - at) : piece.size();
    const auto got = (*from)->read_at(at, wanted, piece.data());
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    if (absl::Status status = (*to)->append(std::string_view(piece).substr(0, *got)); !status.ok())
      return status;
    if (absl::Status status = copied(*got); !status.ok()) return status;
    at += *got;
  }
  return (*to)->sync();
}

absl::StatusOr<std::vector<TreeFile>> files_of_tree(os::FileSystem& files, const std::string& directory,
                                                    absl::FunctionRef<bool(const std::string& path)> wanted) {
  std::vector<TreeFile> found;
  if (absl::Status status = list_tree(files, directory, "", wanted, found); !status.ok()) return status;
  return found;
}

absl::Status make_folders(os::FileSystem& files, const std::string& directory, const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos ? absl::OkStatus()
                            : files.create_directories(cat(directory, "/", path.substr(0, slash)));
}

absl::Status sync_tree(os::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = cat(directory, "/", name);
    if (!files.list(path).ok()) continue;
    if (absl::Status status = sync_tree(files, path); !status.ok()) return status;
  }
  return files.sync_directory(directory);
}

absl::Status remove_tree(os::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    const std::string path = cat(directory, "/", name);
    absl::Status status = files.list(path).ok() ? remove_tree(files, path) : files.remove(path);
    if (!status.ok()) return status;
  }
  return files.remove_directory(directory);
}

absl::StatusOr<std::string> begin_copy(os::FileSystem& files, const std::string& target) {
  const auto names = files.list(target);
  if (files.exists(target) && !names.ok()) {
    return failure(absl::StatusCode::kAlreadyExists, target, " is a file: name a new or empty directory");
  }
  if (names.ok() && !names->empty()) {
    return failure(absl::StatusCode::kAlreadyExists, target, " holds \"", names->front(),
                   "\": name a new or empty directory, nothing is written over");
  }
  const std::string unfinished = cat(target, ".unfinished");
  const std::string mark = cat(unfinished, "/", kUnfinishedMark);
  if (files.exists(unfinished)) {
    const auto left = files.list(unfinished);
    if (!files.exists(mark) && !(left.ok() && left->empty())) {
      return failure(absl::StatusCode::kAlreadyExists, unfinished,
                     " is in the way and not of an unfinished copy: move it aside");
    }
    if (absl::Status status = remove_tree(files, unfinished); !status.ok()) return status;
  }
  if (absl::Status status = files.create_directories(unfinished); !status.ok()) return status;
  const auto file = files.open(mark, os::OpenMode::kCreateOrTruncate);
  if (!file.ok()) return file.status();
  return unfinished;
}

absl::Status finish_copy(os::FileSystem& files, const std::string& unfinished, const std::string& target) {
  if (absl::Status status = sync_tree(files, unfinished); !status.ok()) return status;
  if (absl::Status status = files.rename({.from = unfinished, .to = target}); !status.ok()) return status;
  // Behind the name, so that whatever is cut off before it can be told for an unfinished copy.
  if (absl::Status status = files.remove(cat(target, "/", kUnfinishedMark)); !status.ok()) return status;
  return files.sync_directory(os::directory_of(target));
}

}  // namespace kehu::directory
