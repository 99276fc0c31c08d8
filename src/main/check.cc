#include "log/check.h"

#include <cstdio>

#include "base/text.h"
#include "engine/data_directory.h"
#include "engine/replica.h"
#include "json/writer.h"
#include "lake/lake.h"
#include "main/answers.h"
#include "main/commands.h"
#include "os/clock.h"
#include "os/posix_file_system.h"
#include "os/random.h"
#include "query/session.h"
#include "seal/key_ring.h"
#include "state/database.h"

namespace kehu {
namespace {

struct Finding {
  std::string where;
  std::string what;
};

struct Report {
  std::vector<Finding> findings;
  log::CheckReport log;
  Sequence state_position;
  Sequence lake_position;
  uint64_t customers = 0;

  void add(std::string_view where, const absl::Status& status) {
    if (!status.ok()) findings.push_back({std::string(where), message_of(status)});
  }
};

void check_log(const engine::DataDirectory& directory, Report& report) {
  auto checked = log::check(os::posix_file_system(), directory.log());
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
void check_state(const engine::DataDirectory& directory, Report& report) {
  auto database = state::Database::open(directory.state(), 64 << 20);
  if (!database.ok()) return report.add("state", database.status());
  report.state_position = (*database)->position();
  report.add("state", (*database)->verify());
  report.add("state",
             (*database)->scan(state::Space::kCustomers, [&](const Hash128& key, std::string_view blob) {
               shard::CustomerParts parts;
               absl::Status status = parts.decode(blob);
               for (const shard::Part& part : parts.parts()) status.Update(profile::validate(part.bytes));
               if (!status.ok())
                 report.findings.push_back({cat("state, customer ", key.hex()), message_of(status)});
               ++report.customers;
               return report.findings.size() < 1000;
             }));
}

void check_lake(const engine::DataDirectory& directory, Report& report) {
  auto settings = std::make_shared<const Settings>(Settings::defaults());
  auto lake = lake::Lake::open({.directory = directory.lake(),
                                .temp_directory = directory.temporary(),
                                .settings = settings,
                                .files = &os::posix_file_system(),
                                .clock = &os::system_clock()});
  if (!lake.ok()) return report.add("lake", lake.status());
  report.lake_position = (*lake)->committed();
  auto reader = query::Reader::open(**lake, {.temp_directory = directory.temporary()});
  if (!reader.ok()) return report.add("lake", reader.status());
  auto session = (*reader)->connect();
  if (!session.ok()) return report.add("lake", session.status());
  // Reads every byte of every column, and sees rows that are there twice.
  const auto read = (*session)->run(
      "SELECT count(*) - count(DISTINCT sequence) AS doubled, sum(hash(events)) IS NULL AS empty FROM events",
      query::Format::kCsv, [&report](std::string_view text) {
        const size_t line = text.find('\n');
        if (line != std::string_view::npos && line + 1 < text.size() && text[line + 1] != '0') {
          report.findings.push_back({"lake", "rows stand in the table more than once"});
        }
        return absl::OkStatus();
      });
  report.add("lake", read.status());
}

void check_positions(Report& report) {
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

std::string to_json(const Report& report) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("sound", report.findings.empty());
  writer.field("log_records", report.log.records).field("log_bytes", report.log.bytes);
  writer.field("log_end", report.log.end.value()).field("torn_bytes", report.log.torn_bytes);
  writer.field("state_position", report.state_position.value())
      .field("lake_position", report.lake_position.value());
  writer.field("customers", report.customers).key("problems").begin_array();
  for (const Finding& finding : report.findings) {
    writer.begin_object().field("where", finding.where).field("what", finding.what).end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string to_text(const Report& report) {
  std::string out = cat("log: ", report.log.records, " records in ", report.log.batches, " batches, ",
                        report.log.bytes, " bytes, ends before record ", report.log.end.value(), "\n",
                        "state: at record ", report.state_position.value(), ", ", report.customers,
                        " customers\n", "lake: at record ", report.lake_position.value(), "\n");
  for (const Finding& finding : report.findings)
    out += cat("PROBLEM ", finding.where, ": ", finding.what, "\n");
  out += report.findings.empty() ? "sound\n" : "";
  return out;
}

}  // namespace

absl::Status run_check(const CheckCommand& command) {
  if (!engine::DataDirectory::exists(os::posix_file_system(), command.data)) {
    return failure(absl::StatusCode::kNotFound, command.data, " is no data directory");
  }
  auto directory = engine::DataDirectory::open(os::posix_file_system(), command.data);
  if (!directory.ok()) return directory.status();
  Report report;
  check_log(*directory, report);
  check_state(*directory, report);
  check_lake(*directory, report);
  check_positions(report);
  const absl::Status printed = print(command.json ? to_json(report) : to_text(report));
  if (report.findings.empty()) return printed;
  return failure(absl::StatusCode::kDataLoss, report.findings.size(),
                 " problems: restore from a backup, or see ", "docs/operations.md for what can be saved");
}

}  // namespace kehu
