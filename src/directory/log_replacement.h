#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "log/batch.h"
#include "os/file_system.h"

// Writes the log of a directory anew, record for record. State is a function of the log and cannot be
// subtracted from: what is changed in the past is changed in the log, and state and lake are computed from it
// by whoever opens the directory next. The directory is open, and nothing else of it: no engine.
namespace kehu::directory {

class DataDirectory;

// All records in order. FailedPrecondition when the log does not reach back to its first record any more.
absl::Status for_each_record(os::FileSystem& files, const DataDirectory& directory,
                             absl::FunctionRef<absl::Status(const log::RecordView&)> visit);

// What stands in the new log where `record` stands; its payload is valid until the next call.
struct Rewritten {
  RecordKind kind;
  std::string_view payload;
};
using Rewrite = absl::FunctionRef<absl::StatusOr<Rewritten>(const log::RecordView& record)>;

// Numbers of records do not move. State and lake are removed. An error changes nothing. A crash in the middle
// leaves all as it was or, from a certain moment on, the new log: finish_log_replacement does the rest.
absl::Status replace_log(os::FileSystem& files, const DataDirectory& directory, Rewrite rewrite);

// At every opening of a directory, under its lock.
absl::Status finish_log_replacement(os::FileSystem& files, const std::string& directory);

}  // namespace kehu::directory
