#include "os/memory_file_system.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "os/whole_file.h"

// The disk is as bad as a real one may be. A program sees its writes at once; the disk has them when they
// were synced. When power is lost, any subset of the sectors that were not synced is there, and of the
// changes of names in each directory the oldest few, as a journal keeps them. A file's size is one such
// change of its own. Syncing a file does nothing for its name: without sync_directory() a synced file may
// have none. A failed sync leaves its pages visible and clean: the next sync says OK and writes nothing, as
// Linux does after an error.
//
// Each operation that changes something has a number, and a fault is planned for one of them. A test that
// counts the operations of a run can so break it at the N-th for all N.
namespace kehu::os {
namespace {

constexpr size_t kSector = MemoryFileSystem::kSectorBytes;

// A file is what programs see, what is on the disk, and which sectors differ because nobody synced them
// yet.
struct Inode {
  std::string seen;
  std::string on_disk;
  std::set<uint64_t> unsynced;

  void write(uint64_t offset, std::string_view bytes) {
    if (bytes.empty()) return;
    if (seen.size() < offset + bytes.size()) seen.resize(offset + bytes.size());
    std::memcpy(seen.data() + offset, bytes.data(), bytes.size());
    for (uint64_t sector = offset / kSector; sector * kSector < offset + bytes.size(); ++sector) {
      unsynced.insert(sector);
    }
  }

  void truncate(uint64_t size) {
    seen.resize(size);
    if (size % kSector != 0) unsynced.insert(size / kSector);
  }

  void write_back(uint64_t sector) {
    const uint64_t start = sector * kSector;
    if (start >= seen.size()) return;
    const size_t length = std::min<size_t>(kSector, seen.size() - start);
    if (on_disk.size() < start + length) on_disk.resize(start + length);
    std::memcpy(on_disk.data() + start, seen.data() + start, length);
  }

  void sync() {
    for (const uint64_t sector : unsynced) write_back(sector);
    on_disk.resize(seen.size());
    unsynced.clear();
  }

  // Any subset of the unsynced sectors reaches the disk; the size is the old one, the new one or one
  // between.
  void lose_power(std::mt19937_64& random) {
    for (const uint64_t sector : unsynced) {
      if (random() % 2 == 0) write_back(sector);
    }
    if (random() % 2 == 0) on_disk.resize(seen.size());
    seen = on_disk;
    unsynced.clear();
  }
};

using Node = std::shared_ptr<Inode>;  // null: a directory
using Names = std::map<std::string, Node>;

// A change of names in one directory that the disk may not know yet.
struct NameChange {
  std::string directory;
  std::function<void(Names&)> apply;
};

absl::Status power_is_off() { return absl::UnavailableError("the machine has no power"); }

absl::Status not_found(const char* action, const std::string& path) {
  return absl::NotFoundError(absl::StrCat("cannot ", action, " ", path, ": No such file or directory"));
}

absl::Status io_error(const std::string& path) {
  return absl::DataLossError(absl::StrCat("cannot write ", path, ": Input/output error"));
}

absl::Status disk_full(const std::string& path) {
  return absl::ResourceExhaustedError(absl::StrCat("cannot write ", path, ": No space left on device"));
}

bool is_crash(FaultKind kind) {
  return kind == FaultKind::kCrashBefore || kind == FaultKind::kCrashHalf || kind == FaultKind::kCrashAfter;
}

}  // namespace

struct MemoryFileSystem::Disk {
  std::mutex mutex;
  Names seen{{".", nullptr}, {"/", nullptr}};
  Names on_disk = seen;
  std::vector<NameChange> pending;
  std::set<std::string> locks;
  std::optional<Fault> fault;
  std::optional<uint64_t> capacity;
  uint64_t operations = 0;
  uint64_t life = 0;  // counts reboots, so that handles from before are known
  bool off = false;

  // Says what an operation does, in whole or, where a torn version exists, by half.
  struct Action {
    std::string path;
    std::function<void()> whole;
    std::function<void()> half = [] {};
    std::function<void()> on_error = [] {};
    uint64_t grows_by = 0;
  };

  uint64_t used() const {
    uint64_t bytes = 0;
    for (const auto& [path, node] : seen) bytes += node ? node->seen.size() : 0;
    return bytes;
  }

  // A crash happens once. An error may be repeated, for a disk that stays broken or full for a while.
  std::optional<FaultKind> next_fault() {
    const uint64_t index = operations++;
    if (!fault || index < fault->operation) return std::nullopt;
    const uint64_t times = is_crash(fault->kind) ? 1 : fault->times;
    if (index - fault->operation >= times) return std::nullopt;
    return fault->kind;
  }

  // Counts the operation and does it, or what the fault plan says instead.
  absl::Status perform(const Action& action) {
    const auto kind = next_fault();
    if (!kind) {
      if (capacity && action.grows_by > 0 && used() + action.grows_by > *capacity)
        return disk_full(action.path);
      action.whole();
      return absl::OkStatus();
    }
    switch (*kind) {
      case FaultKind::kIoError:
        action.on_error();
        return io_error(action.path);
      case FaultKind::kDiskFull:
        action.on_error();
        return disk_full(action.path);
      case FaultKind::kHalfDone:
        action.half();
        action.on_error();
        return io_error(action.path);
      case FaultKind::kCrashBefore:
        break;
      case FaultKind::kCrashHalf:
        action.half();
        break;
      case FaultKind::kCrashAfter:
        action.whole();
        break;
    }
    off = true;
    return power_is_off();
  }

  // Changes of names are kept as functions, which the disk's names undergo later and in the same order:
  // what a rename replaced or removed is then decided by what the disk has, not by what the program saw.
  void change_names(const std::string& directory, std::function<void(Names&)> apply) {
    apply(seen);
    pending.push_back({.directory = directory, .apply = std::move(apply)});
  }

  void sync_names(const std::string& directory) {
    std::erase_if(pending, [&](const NameChange& change) {
      if (change.directory != directory) return false;
      change.apply(on_disk);
      return true;
    });
  }

  // Of the changes in each directory the oldest few reach the disk, as in a journal.
  void lose_power(std::mt19937_64& random) {
    std::map<std::string, bool> stopped;
    for (const NameChange& change : pending) {
      bool& stop = stopped[change.directory];
      stop = stop || random() % 2 == 0;
      if (!stop) change.apply(on_disk);
    }
    pending.clear();
    std::set<Inode*> torn;
    for (const auto& [path, node] : on_disk) {
      if (node && torn.insert(node.get()).second) node->lose_power(random);
    }
    seen = on_disk;
    locks.clear();
  }

  Node find(const std::string& path) const {
    const auto it = seen.find(path);
    return it == seen.end() ? nullptr : it->second;
  }
  bool has_directory(const std::string& path) const {
    const auto it = seen.find(path);
    return it != seen.end() && it->second == nullptr;
  }
  std::vector<std::string> names_in(const std::string& directory) const {
    std::vector<std::string> names;
    for (const auto& [path, node] : seen) {
      const bool root = path == "." || path == "/";
      if (!root && directory_of(path) == directory) names.push_back(path.substr(path.rfind('/') + 1));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status rename(const RenamePaths& paths) {
    if (off) return power_is_off();
    const Node node = find(paths.from);
    if (!node || !has_directory(directory_of(paths.to))) return not_found("rename", paths.from);
    return perform({.path = paths.from, .whole = [&] {
                      change_names(directory_of(paths.to), [paths, node](Names& names) {
                        names.erase(paths.from);
                        names[paths.to] = node;
                      });
                    }});
  }
};

class MemoryFileSystem::OpenFile : public File {
 public:
  OpenFile(std::shared_ptr<Disk> disk, std::string path, Node node)
      : disk_(std::move(disk)), path_(std::move(path)), node_(std::move(node)), life_(disk_->life) {}

  absl::Status write_at(uint64_t offset, std::string_view bytes) override {
    const std::lock_guard lock(disk_->mutex);
    return write_locked(offset, bytes);
  }

  absl::Status append(std::string_view bytes) override {
    const std::lock_guard lock(disk_->mutex);
    return write_locked(node_->seen.size(), bytes);
  }

  absl::StatusOr<size_t> read_at(uint64_t offset, size_t size, char* out) const override {
    const std::lock_guard lock(disk_->mutex);
    if (dead()) return power_is_off();
    if (offset >= node_->seen.size()) return size_t{0};
    const size_t length = std::min<size_t>(size, node_->seen.size() - offset);
    std::memcpy(out, node_->seen.data() + offset, length);
    return length;
  }

  absl::StatusOr<uint64_t> size() const override {
    const std::lock_guard lock(disk_->mutex);
    if (dead()) return power_is_off();
    return node_->seen.size();
  }

  absl::Status preallocate(uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    return write_locked(0, std::string(size, '\0'));
  }

  absl::Status truncate(uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    if (dead()) return power_is_off();
    return disk_->perform({.path = path_, .whole = [&] { node_->truncate(size); }});
  }

  absl::Status sync() override {
    const std::lock_guard lock(disk_->mutex);
    if (dead()) return power_is_off();
    // On an error the kernel marks the pages clean: they are still seen, but will never be written.
    return disk_->perform({.path = path_,
                           .whole = [&] { node_->sync(); },
                           .half = [&] { write_back_half(); },
                           .on_error = [&] { node_->unsynced.clear(); }});
  }

 private:
  bool dead() const { return disk_->off || life_ != disk_->life; }

  absl::Status write_locked(uint64_t offset, std::string_view bytes) {
    if (dead()) return power_is_off();
    const uint64_t end = offset + bytes.size();
    return disk_->perform({.path = path_,
                           .whole = [&] { node_->write(offset, bytes); },
                           .half = [&] { node_->write(offset, bytes.substr(0, bytes.size() / 2)); },
                           .grows_by = end - std::min<uint64_t>(end, node_->seen.size())});
  }

  void write_back_half() {
    size_t left = node_->unsynced.size() / 2;
    for (auto it = node_->unsynced.begin(); left > 0; --left) {
      node_->write_back(*it);
      it = node_->unsynced.erase(it);
    }
  }

  const std::shared_ptr<Disk> disk_;
  const std::string path_;
  const Node node_;
  const uint64_t life_;
};

class MemoryFileSystem::HeldLock : public FileLock {
 public:
  HeldLock(std::shared_ptr<Disk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)), life_(disk_->life) {}
  ~HeldLock() override {
    const std::lock_guard lock(disk_->mutex);
    if (life_ == disk_->life) disk_->locks.erase(path_);
  }

 private:
  const std::shared_ptr<Disk> disk_;
  const std::string path_;
  const uint64_t life_;
};

MemoryFileSystem::MemoryFileSystem() : disk_(std::make_shared<Disk>()) {}
MemoryFileSystem::~MemoryFileSystem() = default;

void MemoryFileSystem::plan(Fault fault) {
  const std::lock_guard lock(disk_->mutex);
  disk_->fault = fault;
}

void MemoryFileSystem::clear_faults() {
  const std::lock_guard lock(disk_->mutex);
  disk_->fault.reset();
}

uint64_t MemoryFileSystem::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

void MemoryFileSystem::set_capacity(uint64_t bytes) {
  const std::lock_guard lock(disk_->mutex);
  disk_->capacity = bytes;
}

bool MemoryFileSystem::crashed() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->off;
}

// A new life begins: handles and locks that were opened before are those of a dead process.
void MemoryFileSystem::reboot(uint64_t seed) {
  const std::lock_guard lock(disk_->mutex);
  std::mt19937_64 random(seed);
  disk_->lose_power(random);
  disk_->fault.reset();
  disk_->off = false;
  ++disk_->life;
}

// The bit flips where the program sees it and on the disk, where it has the byte: no sync mends it.
void MemoryFileSystem::flip_bit(const std::string& path, uint64_t bit) {
  const std::lock_guard lock(disk_->mutex);
  const Node node = disk_->find(path);
  KEHU_CHECK(node != nullptr && bit / 8 < node->seen.size());
  const char mask = static_cast<char>(1 << bit % 8);
  node->seen[bit / 8] ^= mask;
  if (bit / 8 < node->on_disk.size()) node->on_disk[bit / 8] ^= mask;
}

absl::StatusOr<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  Node node = disk_->find(path);
  const bool creates = mode == OpenMode::kCreateNew || mode == OpenMode::kCreateOrTruncate;
  if (!creates) {
    if (!node) return not_found("open", path);
    return std::make_unique<OpenFile>(disk_, path, node);
  }
  if (node && mode == OpenMode::kCreateNew) {
    return absl::AlreadyExistsError(absl::StrCat("cannot open ", path, ": File exists"));
  }
  if (!disk_->has_directory(directory_of(path))) return not_found("open", path);
  const absl::Status status = disk_->perform(
      {.path = path, .whole = [&] {
         if (node) return node->truncate(0);
         node = std::make_shared<Inode>();
         disk_->change_names(directory_of(path), [path, node](Names& names) { names[path] = node; });
       }});
  if (!status.ok()) return status;
  return std::make_unique<OpenFile>(disk_, path, node);
}

absl::Status MemoryFileSystem::rename(const RenamePaths& paths) {
  const std::lock_guard lock(disk_->mutex);
  return disk_->rename(paths);
}

absl::Status MemoryFileSystem::rename_if_absent(const RenamePaths& paths) {
  const std::lock_guard lock(disk_->mutex);
  if (!disk_->off && disk_->seen.contains(paths.to)) {
    return absl::AlreadyExistsError(
        absl::StrCat("cannot rename ", paths.from, " to ", paths.to, ": File exists"));
  }
  return disk_->rename(paths);
}

absl::Status MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  if (!disk_->find(path)) return not_found("remove", path);
  return disk_->perform({.path = path, .whole = [&] {
                           disk_->change_names(directory_of(path),
                                               [path](Names& names) { names.erase(path); });
                         }});
}

absl::Status MemoryFileSystem::create_directories(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  for (size_t at = path.find('/', 1);; at = path.find('/', at + 1)) {
    const std::string part = path.substr(0, at);
    if (!disk_->seen.contains(part)) {
      const absl::Status status = disk_->perform(
          {.path = part, .whole = [&] {
             disk_->change_names(directory_of(part), [part](Names& names) { names[part] = nullptr; });
           }});
      if (!status.ok()) return status;
    }
    if (at == std::string::npos) return absl::OkStatus();
  }
}

absl::Status MemoryFileSystem::remove_directory(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  if (!disk_->has_directory(path)) return not_found("remove directory", path);
  if (!disk_->names_in(path).empty()) {
    return absl::UnknownError(absl::StrCat("cannot remove directory ", path, ": Directory not empty"));
  }
  return disk_->perform({.path = path, .whole = [&] {
                           disk_->change_names(directory_of(path),
                                               [path](Names& names) { names.erase(path); });
                         }});
}

absl::Status MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  if (!disk_->has_directory(path)) return not_found("sync directory", path);
  return disk_->perform({.path = path, .whole = [&] { disk_->sync_names(path); }});
}

absl::StatusOr<std::vector<std::string>> MemoryFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  if (!disk_->has_directory(directory)) return not_found("list", directory);
  return disk_->names_in(directory);
}

absl::StatusOr<uint64_t> MemoryFileSystem::file_size(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  const Node node = disk_->find(path);
  if (!node) return not_found("stat", path);
  return node->seen.size();
}

bool MemoryFileSystem::exists(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  return !disk_->off && disk_->seen.contains(path);
}

absl::StatusOr<std::unique_ptr<FileLock>> MemoryFileSystem::lock(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  if (!disk_->locks.insert(path).second) {
    return absl::UnavailableError(absl::StrCat("another process holds the lock ", path));
  }
  return std::make_unique<HeldLock>(disk_, path);
}

absl::StatusOr<uint64_t> MemoryFileSystem::free_bytes(const std::string&) {
  const std::lock_guard lock(disk_->mutex);
  if (disk_->off) return power_is_off();
  const uint64_t used = disk_->used();
  const uint64_t capacity = disk_->capacity.value_or(uint64_t{1} << 40);
  return capacity - std::min(capacity, used);
}

}  // namespace kehu::os
