#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "log/position.h"
#include "model/ids.h"
#include "os/file_system.h"

namespace kehu::log {

// Something wrong with a log.
struct Problem {
  Position at;
  std::string what;  // for the operator; names the file
  // Records that are lost: [lost_first, lost_end). Equal when none are, or when nobody can say.
  Sequence lost_first;
  Sequence lost_end;
};

struct CheckReport {
  std::vector<Problem> problems;  // in log order, sidecars last; at most kProblemsMax
  Sequence first;                 // of the first whole batch
  Sequence end;                   // behind the last record
  uint64_t batches = 0;
  uint64_t records = 0;
  uint64_t bytes = 0;       // of whole batches
  uint64_t torn_bytes = 0;  // of a batch that was never acknowledged; not a problem
  bool orderly = false;     // the log was closed, not left by a crash
  bool sound() const { return problems.empty(); }
};
inline constexpr size_t kProblemsMax = 1000;

// Reads the whole log and lists everything that is wrong with it, going on behind each damage at the next
// batch that is whole; flipped bits of padding included. Changes nothing. An error only when the directory
// cannot be read at all.
absl::StatusOr<CheckReport> check(os::FileSystem& files, const std::string& directory);

}  // namespace kehu::log
