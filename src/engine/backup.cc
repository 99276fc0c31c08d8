#include "engine/backup.h"

#include <algorithm>
#include <string_view>

#include "absl/cleanup/cleanup.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "directory/tree_copy.h"
#include "engine/archive_repair.h"
#include "engine/check.h"
#include "engine/words.h"
#include "log/segment.h"
#include "os/thread_name.h"
#include "os/thread_priority.h"
#include "os/whole_file.h"
#include "state/closed_mark.h"

// A crash leaves the log ahead of the archive and the archive ahead of the state, and a start knows how to
// go on from there (docs/formats/data-directory.md, "Order of durability"). So a running server is copied
// in the order state, archive, log: each is ahead of what was copied before it, and the copy is one that a
// crash could have left. Nobody waits meanwhile. Only two promises hold: no segment is recycled, and no
// file of the lake or the state is deleted. Hard links were not taken: they share their bits with what they
// should protect against, and end at the file system's edge (docs/decisions/fit.md).
namespace kehu::engine {
namespace {

constexpr std::string_view kMarkTitle = "kehu backup, format 1\n";

// True for what neither belongs to the running process nor is copied by a step of its own.
bool is_rest(const std::string& path) {
  constexpr std::string_view kElsewhere[] = {"LOCK", "log",       "state",     "lake",
                                             "tmp",  "kehu.sock", kBackupMark, kRepairFolder};
  return std::find(std::begin(kElsewhere), std::end(kElsewhere), path) == std::end(kElsewhere) &&
         !path.ends_with(".tmp");
}

std::string with_end(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Backup::~Backup() { stop(); }

void Backup::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

absl::Status Backup::start(const std::string& given) {
  const std::string target = with_end(given);
  if (!target.starts_with('/') || target == "/") {
    return failure(absl::StatusCode::kInvalidArgument, "the target \"", given, "\" is not an absolute path");
  }
  if (cat(target, "/").starts_with(cat(sources_.directory.path(), "/"))) {
    return failure(absl::StatusCode::kInvalidArgument, target,
                   " lies in the data directory: name another place");
  }
  const std::lock_guard lock(mutex_);
  if (progress_.stage == CopyProgress::Stage::kRunning) {
    return failure(absl::StatusCode::kFailedPrecondition, "a backup to ", progress_.target,
                   " is running: wait for its end");
  }
  if (thread_.joinable()) thread_.join();
  progress_ = {.stage = CopyProgress::Stage::kRunning, .target = target};
  thread_ = std::thread([this, target] { run(target); });
  return absl::OkStatus();
}

CopyProgress Backup::progress() const {
  const std::lock_guard lock(mutex_);
  return progress_;
}

void Backup::run(const std::string& target) {
  os::name_this_thread("kehu-backup");
  os::lower_this_thread_priority();
  const auto unfinished = begin_copy(sources_.files, target);
  absl::Status status = unfinished.status();
  if (status.ok()) status = copy_all(*unfinished);
  if (status.ok()) status = finish_copy(sources_.files, *unfinished, target);
  const std::lock_guard lock(mutex_);
  progress_.stage = status.ok() ? CopyProgress::Stage::kDone : CopyProgress::Stage::kFailed;
  progress_.status = status;
}

absl::Status Backup::copied(uint64_t bytes) {
  if (stopping_) return absl::CancelledError("the server is stopping, so the backup was broken off");
  const std::lock_guard lock(mutex_);
  progress_.bytes += bytes;
  return absl::OkStatus();
}

// The log is held first and copied last, so that it still holds what the state lacks when its turn comes.
// The mark is written behind everything: a copy without it is not restored.
absl::Status Backup::copy_all(const std::string& target) {
  sources_.log.hold();
  const absl::Cleanup release = [this] { sources_.log.release(); };
  for (const char* folder : {"/state", "/lake", "/log", "/keys"}) {
    if (absl::Status status = sources_.files.create_directories(target + folder); !status.ok()) return status;
  }
  for (const auto step :
       {&Backup::copy_state, &Backup::copy_archive, &Backup::copy_rest, &Backup::copy_log}) {
    if (absl::Status status = (this->*step)(target); !status.ok()) return status;
  }
  return os::replace_whole_file(sources_.files, cat(target, "/", kBackupMark),
                                cat(kMarkTitle, "made ", format_utc(sources_.clock.now()), "\n"));
}

// RocksDB appends to its manifest while it is copied, so only the bytes that belong to the held files are
// taken. The copy gets a mark of orderly close at once, so that damage to it is found.
absl::Status Backup::copy_state(const std::string& target) {
  const auto held = sources_.database.hold();
  if (!held.ok()) return held.status();
  const absl::Cleanup release = [this] { sources_.database.release(); };
  for (const std::string& name : held->names) {
    const FileCopy copy{.from = cat(sources_.directory.state(), "/", name),
                        .to = cat(target, "/state/", name),
                        .bytes = name == held->manifest ? std::optional(held->manifest_bytes) : std::nullopt};
    // RocksDB changes the manifest's name by writing CURRENT anew, perhaps just now.
    absl::Status status =
        name == "CURRENT" ? os::replace_whole_file(sources_.files, copy.to, cat(held->manifest, "\n"))
                          : copy_file(sources_.files, copy, [this](uint64_t bytes) { return copied(bytes); });
    if (!status.ok()) return status;
  }
  return state::write_closed_mark(sources_.files, cat(target, "/state"));
}

absl::Status Backup::copy_archive(const std::string& target) {
  const auto held = sources_.lake.hold();
  if (!held.ok()) return held.status();
  const absl::Cleanup release = [this] { sources_.lake.release(); };
  const std::string lake = cat(target, "/lake");
  {
    uint64_t bytes = 0;
    for (const std::string& path : held->files) {
      bytes += sources_.files.file_size(cat(sources_.directory.lake(), "/", path)).value_or(0);
    }
    const std::lock_guard lock(mutex_);
    progress_.bytes_total = progress_.bytes + bytes;
  }
  for (const std::string& path : held->files) {
    absl::Status status = make_folders(sources_.files, lake, path);
    if (status.ok()) {
      status = copy_file(sources_.files,
                         {.from = cat(sources_.directory.lake(), "/", path), .to = cat(lake, "/", path)},
                         [this](uint64_t bytes) { return copied(bytes); });
    }
    if (!status.ok()) return status;
  }
  for (const auto& [path, text] : held->contents) {
    absl::Status status = os::replace_whole_file(sources_.files, cat(lake, "/", path), text);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Backup::copy_rest(const std::string& target) {
  const auto rest = files_of_tree(sources_.files, sources_.directory.path(), is_rest);
  if (!rest.ok()) return rest.status();
  for (const TreeFile& file : *rest) {
    absl::Status status = make_folders(sources_.files, target, file.path);
    if (status.ok()) {
      status = copy_file(
          sources_.files,
          {.from = cat(sources_.directory.path(), "/", file.path), .to = cat(target, "/", file.path)},
          [this](uint64_t bytes) { return copied(bytes); });
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Takes of the last segment only what is durable, since behind it a batch may be half written. A segment
// that ends early is full for the writer that opens it.
absl::Status Backup::copy_log(const std::string& target) {
  const log::Extent::Held held = sources_.log.now();
  const std::string from = sources_.directory.log();
  const std::string to = cat(target, "/log");
  {
    const std::lock_guard lock(mutex_);
    progress_.bytes_total = progress_.bytes + held.end.offset;
    for (log::SegmentNumber number = held.first; number < held.end.segment; number = number.next()) {
      progress_.bytes_total += sources_.files.file_size(log::segment_path(from, number)).value_or(0);
    }
  }
  for (log::SegmentNumber number = held.first; number <= held.end.segment; number = number.next()) {
    const bool last = number == held.end.segment;
    if (last && held.end.offset == 0) break;
    absl::Status status = copy_file(sources_.files,
                                    {.from = log::segment_path(from, number),
                                     .to = log::segment_path(to, number),
                                     .bytes = last ? std::optional<uint64_t>(held.end.offset) : std::nullopt},
                                    [this](uint64_t bytes) { return copied(bytes); });
    const std::string sidecar = log::sidecar_path(from, number);
    if (status.ok() && !last && sources_.files.exists(sidecar)) {
      status = copy_file(sources_.files, {.from = sidecar, .to = log::sidecar_path(to, number)},
                         [this](uint64_t bytes) { return copied(bytes); });
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

namespace {

absl::Status copy_backup(os::FileSystem& files, const RestorePaths& paths, const std::string& unfinished,
                         const std::function<void(const CopyProgress&)>& report) {
  const auto tree = files_of_tree(
      files, paths.from, [](const std::string& path) { return path != kBackupMark && path != "LOCK"; });
  if (!tree.ok()) return tree.status();
  CopyProgress progress{.stage = CopyProgress::Stage::kRunning, .target = paths.to};
  for (const TreeFile& file : *tree) progress.bytes_total += file.size;
  for (const TreeFile& file : *tree) {
    if (absl::Status status = make_folders(files, unfinished, file.path); !status.ok()) return status;
    absl::Status status =
        copy_file(files, {.from = cat(paths.from, "/", file.path), .to = cat(unfinished, "/", file.path)},
                  [&](uint64_t bytes) {
                    progress.bytes += bytes;
                    if (report) report(progress);
                    return absl::OkStatus();
                  });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status check_copy(os::FileSystem& files, const std::string& unfinished, const std::string& from) {
  const auto checked = check(files, unfinished);
  if (!checked.ok()) return checked.status();
  if (checked->findings.empty()) return absl::OkStatus();
  return failure(absl::StatusCode::kDataLoss, "the backup in ", from, " is damaged (",
                 checked->findings.front().what, "): `kehu check --data ", from,
                 "` names all of it. Use another backup");
}

}  // namespace

absl::Status restore(os::FileSystem& files, const RestorePaths& given,
                     const std::function<void(const CopyProgress&)>& report) {
  const RestorePaths paths{.from = with_end(given.from), .to = with_end(given.to)};
  const auto mark = os::read_whole_file(files, cat(paths.from, "/", kBackupMark));
  if (!mark.ok() || !mark->starts_with(kMarkTitle)) {
    return failure(absl::StatusCode::kNotFound, paths.from, " is no finished backup: it has no file ",
                   kBackupMark, " that `kehu backup` wrote");
  }
  const auto unfinished = begin_copy(files, paths.to);
  if (!unfinished.ok()) return unfinished.status();
  absl::Status status = copy_backup(files, paths, *unfinished, report);
  if (status.ok()) status = check_copy(files, *unfinished, paths.from);
  return status.ok() ? finish_copy(files, *unfinished, paths.to) : status;
}

}  // namespace kehu::engine
