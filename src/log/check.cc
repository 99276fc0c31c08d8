#include "log/check.h"

#include <utility>

#include "log/segment.h"
#include "log/sidecar.h"
#include "log/walk.h"

namespace kehu::log {
namespace {

void count(const WholeBatch& whole, CheckReport& report) {
  if (report.batches == 0) report.first = whole.batch.first_sequence();
  ++report.batches;
  report.records += whole.batch.record_count();
  report.bytes += whole.size;
}

void note(CheckReport& report, Problem problem) {
  if (report.problems.size() < kProblemsMax) report.problems.push_back(std::move(problem));
}

absl::Status check_sidecars(os::FileSystem& files, const std::string& directory, CheckReport& report) {
  const auto sidecars = list_sidecars(files, directory);
  if (!sidecars.ok()) return sidecars.status();
  for (const SegmentNumber number : *sidecars) {
    const auto keys = read_sidecar(files, directory, number);
    if (keys.ok()) continue;
    note(report, {.at = {.segment = number},
                  .what = std::string(keys.status().message()),
                  .lost_first = Sequence(),
                  .lost_end = Sequence()});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CheckReport> check(os::FileSystem& files, const std::string& directory) {
  auto segments = list_segments(files, directory);
  if (!segments.ok()) return segments.status();
  CheckReport report;
  Walk walk(files, directory, *std::move(segments));
  while (true) {
    const auto step = walk.next();
    if (!step.ok()) return step.status();
    if (*step == Walk::Step::kEnd) break;
    if (*step == Walk::Step::kBatch) {
      count(walk.batch(), report);
    } else {
      const Damage& damage = walk.damage();
      note(report, {.at = damage.at,
                    .what = damage.what,
                    .lost_first = damage.lost_first,
                    .lost_end = damage.lost_end});
    }
  }
  report.end = walk.next_sequence();
  report.torn_bytes = walk.torn_bytes();
  report.orderly = walk.orderly();
  if (absl::Status status = check_sidecars(files, directory, report); !status.ok()) return status;
  return report;
}

}  // namespace kehu::log
