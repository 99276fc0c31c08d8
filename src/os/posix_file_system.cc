#include "os/posix_file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace kehu::os {
namespace {

// Writes back a megabyte each 5 ms, which is 200 MB a second: a commit of the log meets one piece at most.
constexpr uint64_t kWriteBackPiece = 1u << 20;
constexpr std::chrono::milliseconds kWriteBackPause{4};

// The codes are those on which callers decide: a full disk may be tried again, a lost write may not, and a
// missing file is often no failure at all. Everything else is only told to the operator.
absl::StatusCode code_of(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EEXIST:
      return absl::StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
      return absl::StatusCode::kResourceExhausted;
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::StatusCode::kPermissionDenied;
    case EIO:
      return absl::StatusCode::kDataLoss;
    case EWOULDBLOCK:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kUnknown;
  }
}

absl::Status failed(const char* action, const std::string& path, int error) {
  return absl::Status(code_of(error), absl::StrCat("cannot ", action, " ", path, ": ", std::strerror(error)));
}

class PosixFile : public File {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  ~PosixFile() override { ::close(fd_); }

  absl::Status write_at(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return failed("write", path_, errno);
      offset += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status append(std::string_view bytes) override {
    const auto end = size();
    if (!end.ok()) return end.status();
    return write_at(*end, bytes);
  }

  absl::StatusOr<size_t> read_at(uint64_t offset, size_t size, char* out) const override {
    size_t done = 0;
    while (done < size) {
      const ssize_t got = ::pread(fd_, out + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failed("read", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  absl::StatusOr<uint64_t> size() const override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return failed("stat", path_, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  // Allocates now, so that a full disk is told here and not by a later write into the file.
  absl::Status preallocate(uint64_t size) override {
    const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
    if (error != 0) return failed("allocate space for", path_, error);
    return absl::OkStatus();
  }

  absl::Status truncate(uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) return failed("truncate", path_, errno);
    return absl::OkStatus();
  }

  // This is a hint, so errors are passed over: the sync that follows reports them. It keeps that sync
  // short, and leaves the disk to others between its pieces.
  void write_back() override {
    const absl::StatusOr<uint64_t> bytes = size();
    for (uint64_t at = 0; bytes.ok() && at < *bytes; at += kWriteBackPiece) {
      constexpr unsigned kAndWait = SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
      (void)::sync_file_range(fd_, static_cast<off_t>(at), static_cast<off_t>(kWriteBackPiece), kAndWait);
      std::this_thread::sleep_for(kWriteBackPause);
    }
  }

  // fdatasync also writes the size where it changed. It leaves out the times of a file, which nobody needs
  // after a crash.
  absl::Status sync() override {
    if (::fdatasync(fd_) != 0) return failed("sync", path_, errno);
    return absl::OkStatus();
  }

 private:
  const std::string path_;
  const int fd_;
};

// flock belongs to the open file, so the lock ends with the process, however it ends, and the file may
// stay.
class PosixLock : public FileLock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}
  ~PosixLock() override { ::close(fd_); }

 private:
  const int fd_;
};

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreateNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kCreateOrTruncate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  return O_RDONLY;
}

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    const int fd = ::open(path.c_str(), flags_of(mode) | O_CLOEXEC, 0640);
    if (fd < 0) return failed("open", path, errno);
    return std::make_unique<PosixFile>(path, fd);
  }

  absl::Status rename(const RenamePaths& paths) override {
    if (::rename(paths.from.c_str(), paths.to.c_str()) != 0) return rename_failed(paths, errno);
    return absl::OkStatus();
  }

  absl::Status rename_if_absent(const RenamePaths& paths) override {
    const char* from = paths.from.c_str();
    const char* to = paths.to.c_str();
    if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return absl::OkStatus();
    if (errno != EINVAL && errno != ENOSYS) return rename_failed(paths, errno);
    // Some file systems (NFS, FUSE) have no such rename, but a hard link never replaces either.
    if (::link(from, to) != 0) return rename_failed(paths, errno);
    return remove(paths.from);
  }

  absl::Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return failed("remove", path, errno);
    return absl::OkStatus();
  }

  absl::Status create_directories(const std::string& path) override {
    for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
      const std::string part = path.substr(0, at);
      if (!part.empty() && ::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
        return failed("create directory", part, errno);
      }
      if (at == std::string::npos) break;
    }
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failed("create directory", path, errno);
    if (!S_ISDIR(info.st_mode)) return failed("create directory", path, ENOTDIR);
    return absl::OkStatus();
  }

  absl::Status remove_directory(const std::string& path) override {
    if (::rmdir(path.c_str()) != 0) return failed("remove directory", path, errno);
    return absl::OkStatus();
  }

  absl::Status sync_directory(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return failed("open directory", path, errno);
    const int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return error == 0 ? absl::OkStatus() : failed("sync directory", path, error);
  }

  absl::StatusOr<std::vector<std::string>> list(const std::string& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return failed("list", directory, error.value());
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::StatusOr<uint64_t> file_size(const std::string& path) override {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return failed("stat", path, errno);
    return static_cast<uint64_t>(info.st_size);
  }

  bool exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  absl::StatusOr<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) return failed("open", path, errno);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      ::close(fd);
      if (error == EWOULDBLOCK) {
        return absl::UnavailableError(absl::StrCat("another process holds the lock ", path));
      }
      return failed("lock", path, error);
    }
    return std::make_unique<PosixLock>(fd);
  }

  absl::StatusOr<uint64_t> free_bytes(const std::string& path) override {
    struct statvfs info {};
    if (::statvfs(path.c_str(), &info) != 0) return failed("stat", path, errno);
    return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  }

 private:
  static absl::Status rename_failed(const RenamePaths& paths, int error) {
    return failed("rename", absl::StrCat(paths.from, " to ", paths.to), error);
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem files;
  return files;
}

}  // namespace kehu::os
