#include "engine/check.h"

#include "base/text.h"
#include "engine/data_directory.h"
#include "profile/folder.h"
#include "shard/customer_parts.h"
#include "state/database.h"

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

void check_positions(CheckReport& report) {
  const Sequence end = report.log.end;
  if (end.value() > 0 && report.state_position >= end) {
    report.findings.push_back({"state", cat("the state is at record ", report.state_position.value(),
                                            ", but the log ends before record ", end.value())});
  }
  if (report.log.first > report.state_position.next() && report.log.records > 0) {
    report.findings.push_back(
        {"log", cat("the log begins at record ", report.log.first.value(), ", but the state needs it from ",
                    report.state_position.value() + 1)});
  }
}

}  // namespace

void CheckReport::add(std::string_view where, const absl::Status& status) {
  if (!status.ok()) findings.push_back({std::string(where), message_of(status)});
}

absl::StatusOr<CheckReport> check(os::FileSystem& files, const std::string& path) {
  const auto directory = DataDirectory::open(files, path);
  if (!directory.ok()) return directory.status();
  CheckReport report;
  check_log(files, *directory, report);
  check_state(files, *directory, report);
  check_lake(files, *directory, report);
  check_positions(report);
  return report;
}

}  // namespace kehu::engine
