#include "engine/check.h"

#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "directory/data_directory.h"
#include "directory/demo_file.h"
#include "json/writer.h"
#include "os/posix_file_system.h"
#include "publication/delivered_mark.h"

namespace kehu::command {
namespace {

std::string to_json(const engine::CheckReport& report) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("sound", report.findings.empty());
  writer.field("log_records", report.log.records).field("log_bytes", report.log.bytes);
  writer.field("log_end", report.log.end.value()).field("torn_bytes", report.log.torn_bytes);
  writer.field("state_position", report.state_position.value()).field("customers", report.customers);
  writer.field("lake_position", report.lake.positions[lake::TableId::kEvents].value())
      .field("lake_files", report.lake.files);
  writer.field("lake_bytes", report.lake.bytes).field("lake_files_without_checksum", report.lake.unmarked);
  writer.key("problems").begin_array();
  for (const auto& finding : report.findings) {
    writer.begin_object().field("where", finding.where).field("what", finding.what).end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string to_text(const engine::CheckReport& report) {
  std::string out =
      cat("log: ", report.log.records, " records in ", report.log.batches, " batches, ", report.log.bytes,
          " bytes, ends before record ", report.log.end.value(), "\n", "state: at record ",
          report.state_position.value(), ", ", report.customers, " customers\n", "lake: at record ",
          report.lake.positions[lake::TableId::kEvents].value(), ", ", report.lake.files, " data files of ",
          report.lake.bytes, " bytes\n");
  if (report.lake.unmarked > 0) {
    out += cat("lake: ", report.lake.unmarked, " files of other writers have no checksum to compare with\n");
  }
  for (const auto& finding : report.findings) out += cat("PROBLEM ", finding.where, ": ", finding.what, "\n");
  out += report.findings.empty() ? "sound\n" : "";
  return out;
}

}  // namespace

absl::Status run_check(const CheckCommand& command) {
  os::FileSystem& files = os::posix_file_system();
  if (!directory::DataDirectory::exists(files, command.data)) {
    return failure(absl::StatusCode::kNotFound, command.data, " is no data directory");
  }
  auto report = engine::check(files, command.data);
  if (!report.ok()) return report.status();
  report->add("publications", publication::check_marks(files, command.data, report->log.end));
  report->add("demo", directory::read_demo_file(files, command.data).status());
  const absl::Status printed = print(command.json ? to_json(*report) : to_text(*report));
  if (report->findings.empty()) return printed;
  return failure(absl::StatusCode::kDataLoss, report->findings.size(),
                 " problems: restore from a backup, or see ", "docs/operations.md for what can be saved");
}

}  // namespace kehu::command
