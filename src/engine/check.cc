#include "engine/check.h"

#include <algorithm>

#include "base/text.h"
#include "directory/data_directory.h"
#include "engine/archive_repair.h"
#include "engine/words.h"
#include "profile/folder.h"
#include "replica/fit.h"
#include "shard/customer_parts.h"
#include "state/database.h"

// Log, state and lake are checked apart and each as far as it goes, so that one run names all damage.
// Whether they fit together is asked only when each is sound, and by the same rules as at a start
// (replica/fit.h).
namespace kehu::engine {
namespace {

constexpr size_t kStateCacheBytes = 64 << 20;

void check_log(os::FileSystem& files, const DataDirectory& directory, CheckReport& report) {
  auto checked = log::check(files, directory.log());
  if (!checked.ok()) return report.add("log", checked.status());
  report.log = *std::move(checked);
  for (const log::Problem& problem : report.log.problems) {
    std::string what = problem.what;
    if (problem.lost_end > problem.lost_first) {
      what +=
          cat("; records ", problem.lost_first.value(), " to ", problem.lost_end.value() - 1, " are lost");
    }
    report.findings.push_back({"log", what});
  }
}

// Every blob must decode, and every customer's parts must be canonical.
void check_customers(const state::Database& database, CheckReport& report) {
  const auto visit = [&](const Hash128& key, std::string_view blob) {
    shard::CustomerParts parts;
    absl::Status status = parts.decode(blob);
    for (const shard::Part& part : parts.parts()) status.Update(profile::validate(part.bytes));
    report.add(cat("state, customer ", key.hex()), status);
    ++report.customers;
    return report.findings.size() < kFindingsMax;
  };
  report.add("state", database.scan(state::Space::kCustomers, visit));
}

void check_state(os::FileSystem& files, const DataDirectory& directory, CheckReport& report) {
  const auto names = files.list(directory.state());
  if (!names.ok()) return report.add("state", names.status());
  if (names->empty()) return;
  const auto database = state::Database::open_read_only(directory.state(), kStateCacheBytes);
  if (!database.ok()) return report.add("state", database.status());
  report.state_position = (*database)->position();
  const auto needs = archive_needs(**database);
  report.add("state", needs.status());
  if (needs.ok()) report.archive_needs = *needs;
  report.add("state", (*database)->verify());
  check_customers(**database, report);
}

void check_lake(os::FileSystem& files, const DataDirectory& directory, CheckReport& report) {
  auto checked =
      lake::check({.directory = directory.lake(), .temp_directory = directory.temporary(), .files = &files});
  if (!checked.ok()) return report.add("lake", checked.status());
  report.lake = *std::move(checked);
  for (const std::string& problem : report.lake.problems) report.findings.push_back({"lake", problem});
}

// Judges the positions as a start would, and says what it would put back or refuse.
void check_positions(os::FileSystem& files, const DataDirectory& directory, CheckReport& report) {
  Positions at{.directory = directory.path(),
               .log_first = std::max(report.log.first, Sequence(1)),
               .log_end = report.log.end,
               .state = report.state_position,
               .needs = {},
               .archive_rows = report.lake.positions[lake::TableId::kEvents],
               .archive_moves = report.lake.positions[lake::TableId::kIdentityLog],
               .archive_memberships = report.lake.positions[lake::TableId::kSegmentLog]};
  const auto needs = report.archive_needs ? absl::StatusOr<ArchiveNeeds>(*report.archive_needs)
                                          : needs_by_log(files, directory.log(), at);
  if (!needs.ok()) return report.add("log", needs.status());
  at.needs = *needs;
  const Fit fit = fit_of(at);
  report.add("positions", fit.status);
  if (!fit.status.ok()) return;
  if (fit.rows_missing) {
    report.findings.push_back(
        {"lake", cat("the archive is at record ", at.archive_rows.value(),
                     " but the state had archived up to ", at.needs.rows.value(),
                     "; the log holds what is missing, and the next start archives it again")});
  }
  if (fit.moves_missing) {
    report.findings.push_back(
        {"lake", cat("identity_log is at record ", at.archive_moves.value(), " but parts moved at record ",
                     at.needs.moves.value(), "; the next start writes the present owners")});
  }
  if (fit.memberships_missing) {
    report.findings.push_back(
        {"lake", cat("segment_log is at record ", at.archive_memberships.value(),
                     " but segments or tags changed at record ", at.needs.memberships.value(),
                     "; the next start writes what is missing")});
  }
}

}  // namespace

void CheckReport::add(std::string_view where, const absl::Status& status) {
  if (!status.ok()) findings.push_back({std::string(where), message_of(status)});
}

absl::StatusOr<CheckReport> check(os::FileSystem& files, const std::string& path) {
  const auto directory = DataDirectory::open(files, path, DataDirectory::Purpose::kReading);
  if (!directory.ok()) return directory.status();
  CheckReport report;
  check_log(files, *directory, report);
  check_state(files, *directory, report);
  check_lake(files, *directory, report);
  // Damage says more than the positions that are read around it.
  const bool readable = report.log.end.value() > 0 && report.findings.empty();
  if (readable) check_positions(files, *directory, report);
  return report;
}

}  // namespace kehu::engine
