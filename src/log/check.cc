#include "log/check.h"

#include <bit>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "log/segment.h"
#include "log/sidecar.h"
#include "log/walk.h"

// A check goes on where a reader stops: behind each damage at the next whole batch, so that one pass names
// all that is lost. Only the first problems are kept, because a wrecked file may have one every 512 bytes.
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

constexpr int kFlippedBitsMax = 4;

int bits_set(std::string_view bytes) {
  int bits = 0;
  for (const char byte : bytes) bits += std::popcount(static_cast<unsigned char>(byte));
  return bits;
}

// Between a batch and the next multiple of 512 lie zeros. No reader looks at them, but a bit that flips there
// tells of a disk that flips bits. Many bits are the rest of a recycled segment, where a write was cut short
// in its padding.
absl::Status check_padding(os::FileSystem& files, const std::string& directory, const WholeBatch& whole,
                           CheckReport& report) {
  const Position at = whole.batch.position();
  const uint64_t begin = at.offset + whole.size;
  std::string padding(whole.end_offset() - begin, '\0');
  if (padding.empty()) return absl::OkStatus();
  const std::string path = segment_path(directory, at.segment);
  const auto file = files.open(path, os::OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto got = (*file)->read_at(begin, padding.size(), padding.data());
  if (!got.ok()) return got.status();
  const int bits = bits_set(padding);
  if (bits == 0 || bits > kFlippedBitsMax) return absl::OkStatus();
  note(report, {.at = {.segment = at.segment, .offset = static_cast<uint32_t>(begin)},
                .what = absl::StrCat("the padding at byte ", begin, " of ", path,
                                     " is damaged; no record is concerned"),
                .lost_first = Sequence(),
                .lost_end = Sequence()});
  return absl::OkStatus();
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
      if (absl::Status status = check_padding(files, directory, walk.batch(), report); !status.ok())
        return status;
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
