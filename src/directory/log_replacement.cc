#include "directory/log_replacement.h"

#include "base/text.h"
#include "directory/data_directory.h"
#include "directory/tree_copy.h"
#include "log/reader.h"
#include "log/writer.h"
#include "os/whole_file.h"

// What was wrong in the past is mended by writing the log anew and computing everything else from it. State
// stays a function of the log; subtracting events from what was computed is not possible, because medians,
// first values and links between identifiers cannot be subtracted (docs/decisions/withdrawn-imports.md).
//
// The steps, each of which may be the last before a crash:
// 1. log.next/ is written and closed: until its mark is there it counts for nothing, and is removed
// 2. the mark log.next/WHOLE is written: from here on the new log counts
// 3. state/, lake/ and log/ are removed, the mark is removed, log.next/ becomes log/
// Without log/ there is nothing to open but log.next/, so the order within the third does not matter.
namespace kehu::directory {
namespace {

constexpr std::string_view kMark = "/WHOLE";

absl::Status remove_if_there(os::FileSystem& files, const std::string& directory) {
  return files.exists(directory) ? remove_tree(files, directory) : absl::OkStatus();
}

absl::Status for_each_batch(os::FileSystem& files, const std::string& directory,
                            absl::FunctionRef<absl::Status(const log::Batch&)> visit) {
  auto reader = log::Reader::open(files, directory, Sequence(1));
  if (reader.status().code() == absl::StatusCode::kOutOfRange) {
    return failure(absl::StatusCode::kFailedPrecondition,
                   "the log does not reach back to the first event any more, so customers cannot be computed "
                   "anew; `log_retention_bytes` of the settings says how much of it is kept");
  }
  return reader.ok() ? reader->for_each(visit) : reader.status();
}

// Batches stay batches, with their ticks and in their order. Those without records are left out, and one
// that has grown too large is split. Records keep their numbers because each is replaced by exactly one:
// merges, repairs and publications refer to them.
absl::Status write_next(os::FileSystem& files, const DataDirectory& directory, Rewrite rewrite) {
  if (auto status = remove_if_there(files, directory.next_log()); !status.ok()) return status;
  auto writer = log::Writer::open(files, {.directory = directory.next_log(),
                                          .preparation = log::Options::Preparation::kWhenNeeded,
                                          .log_id = {}});
  if (!writer.ok()) return writer.status();
  log::BatchBuilder builder;
  const absl::Status copied = for_each_batch(files, directory.log(), [&](const log::Batch& batch) {
    if (batch.empty()) return absl::OkStatus();  // a tick of a quiet second
    builder.clear();
    for (const log::RecordView record : batch) {
      const auto rewritten = rewrite(record);
      if (!rewritten.ok()) return rewritten.status();
      if (!builder.fits(rewritten->payload.size())) {  // it has grown
        if (auto status = (*writer)->commit(builder, batch.tick()); !status.ok()) return status;
        builder.clear();
      }
      builder.add(rewritten->kind, rewritten->payload);
    }
    return (*writer)->commit(builder, batch.tick());
  });
  return copied.ok() ? (*writer)->close() : copied;
}

}  // namespace

absl::Status for_each_record(os::FileSystem& files, const DataDirectory& directory,
                             absl::FunctionRef<absl::Status(const log::RecordView&)> visit) {
  return for_each_batch(files, directory.log(), [&](const log::Batch& batch) {
    for (const log::RecordView record : batch) {
      if (auto status = visit(record); !status.ok()) return status;
    }
    return absl::OkStatus();
  });
}

absl::Status replace_log(os::FileSystem& files, const DataDirectory& directory, Rewrite rewrite) {
  if (auto status = write_next(files, directory, rewrite); !status.ok()) {
    (void)remove_if_there(files, directory.next_log());
    return status;
  }
  if (auto status = os::replace_whole_file(files, cat(directory.next_log(), kMark), "whole\n"); !status.ok())
    return status;
  return finish_log_replacement(files, directory.path());
}

absl::Status finish_log_replacement(os::FileSystem& files, const std::string& directory) {
  const std::string next = cat(directory, "/log.next"), current = cat(directory, "/log");
  if (!files.exists(next)) return absl::OkStatus();
  // The mark goes last, just before the rename. Where log/ is gone already, the new one counts without it,
  // too.
  if (!files.exists(cat(next, kMark)) && files.exists(current)) return remove_tree(files, next);
  for (const char* child : {"/state", "/lake", "/log"}) {
    if (auto status = remove_if_there(files, cat(directory, child)); !status.ok()) return status;
  }
  if (auto status = files.sync_directory(directory); !status.ok()) return status;
  if (files.exists(cat(next, kMark))) {
    if (auto status = files.remove(cat(next, kMark)); !status.ok()) return status;
    if (auto status = files.sync_directory(next); !status.ok()) return status;
  }
  if (auto status = files.rename({.from = next, .to = current}); !status.ok()) return status;
  return files.sync_directory(directory);
}

}  // namespace kehu::directory
