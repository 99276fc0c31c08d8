#include "upload/import_report.h"

#include "base/text.h"
#include "json/writer.h"
#include "model/event.h"
#include "model/rejection.h"

namespace kehu::upload {
namespace {

struct Totals {
  mapping::Report rows;
  UploadTotals sent;

  uint64_t of_reason(int reason) const {
    return rows.rejected_by_reason[static_cast<size_t>(reason)] +
           sent.refused_by_reason[static_cast<size_t>(reason)];
  }
};

Totals sum_of(const std::vector<ImportOutcome>& files) {
  Totals out;
  for (const ImportOutcome& each : files) {
    out.rows.add(each.rows);
    out.sent.add(each.sent);
  }
  return out;
}

// {"unmappable_by_column": {"placed": {"invalid_time": 2}}, "digits_lost_by_column": {"customer": 3}}
void write_columns(json::Writer& writer, const mapping::Report& rows) {
  writer.key("unmappable_by_column").begin_object();
  for (const auto& [column, counts] : rows.rejected_by_column) {
    writer.key(column).begin_object();
    for (int i = 1; i < kReasonCount; ++i) {
      const uint64_t count = counts[static_cast<size_t>(i)];
      if (count > 0) writer.field(to_string(static_cast<Reason>(i)), count);
    }
    writer.end_object();
  }
  writer.end_object().key("digits_lost_by_column").begin_object();
  for (const auto& [column, count] : rows.digits_lost_by_column) writer.field(column, count);
  writer.end_object();
}

void write_figures(json::Writer& writer, const Totals& totals) {
  const mapping::Report& rows = totals.rows;
  writer.field("rows", rows.rows).field("mapped_events", rows.events).field("filtered_rows", rows.filtered);
  writer.field("unmappable", rows.rejected).field("exact_duplicate_rows", rows.exact_duplicates);
  writer.key("unmappable_by_reason").begin_object();
  for (int i = 1; i < kReasonCount; ++i) {
    const uint64_t count = rows.rejected_by_reason[static_cast<size_t>(i)];
    if (count > 0) writer.field(to_string(static_cast<Reason>(i)), count);
  }
  writer.end_object();
  write_columns(writer, rows);
  writer.field("accepted", totals.sent.accepted)
      .field("repeats", totals.sent.repeats)
      .field("conflicts", totals.sent.conflicts);
  writer.field("rejected", totals.sent.rejected).key("rejected_by_reason").begin_object();
  for (int i = 1; i < kReasonCount; ++i) {
    if (totals.of_reason(i) > 0) writer.field(to_string(static_cast<Reason>(i)), totals.of_reason(i));
  }
  writer.end_object().key("identifiers_left_out").begin_object();
  for (size_t i = 1; i < kLeftOutCount; ++i) {
    const uint64_t count = totals.sent.identifiers_left_out[i];
    if (count > 0) writer.field(to_string(static_cast<LeftOut>(i)), count);
  }
  writer.end_object();
}

void write_file(json::Writer& writer, const ImportOutcome& file) {
  writer.begin_object().field("file", file.file).field("complete", file.status.ok());
  write_figures(writer, {file.rows, file.sent});
  if (!file.notes.empty()) {
    writer.key("notes").begin_array();
    for (const std::string& note : file.notes) writer.value(note);
    writer.end_array();
  }
  if (!file.status.ok()) writer.field("error", message_of(file.status));
  writer.end_object();
}

// Events are in without them, so nothing else shows that a column of phones could not be read.
std::string left_out_text(const UploadTotals& sent) {
  std::string out;
  for (size_t i = 1; i < kLeftOutCount; ++i) {
    if (sent.identifiers_left_out[i] == 0) continue;
    const auto reason = static_cast<LeftOut>(i);
    out += cat(out.empty() ? "identifiers left out of events:\n" : "", "  ", to_string(reason), ": ",
               sent.identifiers_left_out[i], advice(reason).empty() ? "" : " (", advice(reason),
               advice(reason).empty() ? "\n" : ")\n");
  }
  return out;
}

std::string figures(const Totals& totals) {
  std::string out = cat(totals.rows.rows, " rows: ", totals.rows.events, " events, ", totals.rows.filtered,
                        " rows filtered out, ", totals.rows.rejected, " could not be mapped\n",
                        totals.sent.accepted, " events are new, ", totals.sent.repeats,
                        " were there already, ", totals.sent.rejected, " went into quarantine");
  if (totals.sent.conflicts > 0)
    out += cat(" and ", totals.sent.conflicts, " had a known id with another content");
  out += "\n";
  if (totals.rows.exact_duplicates > 0) {
    out += cat(totals.rows.duplicates_at_least ? "at least " : "", totals.rows.exact_duplicates,
               " rows are exact duplicates of earlier rows in their file\n");
  }
  for (int i = 1; i < kReasonCount; ++i) {
    const uint64_t count = totals.of_reason(i);
    if (count == 0) continue;
    out += cat("  ", to_string(static_cast<Reason>(i)), ": ", count, "\n");
    for (const auto& [column, counts] : totals.rows.rejected_by_column) {
      const uint64_t of_column = counts[static_cast<size_t>(i)];
      if (of_column > 0) out += cat("    in the column ", column, ": ", of_column, "\n");
    }
  }
  return out + left_out_text(totals.sent) + digits_lost_text(totals.rows);
}

std::string line_of(const ImportOutcome& file) {
  return cat(file.file, ": ", file.rows.rows, " rows",
             file.status.ok() ? "" : ", not read or sent to its end", "; ", file.sent.accepted,
             " events are new, ", file.sent.repeats, " were there already, ", file.sent.rejected,
             " went into quarantine\n");
}

}  // namespace

// The rows' other identifiers may hold, so they may be in or in quarantine: what they share is the column.
std::string digits_lost_text(const mapping::Report& rows) {
  std::string out;
  for (const auto& [column, count] : rows.digits_lost_by_column) {
    out += cat("digits_lost in the column ", column, ": ", count, count == 1 ? " row" : " rows",
               ", whose identifier a spreadsheet rounded\n");
  }
  return out;
}

std::string report_text(const std::vector<ImportOutcome>& files) {
  std::string out;
  for (const ImportOutcome& each : files) {
    if (files.size() > 1 || !each.status.ok()) out += line_of(each);
  }
  return out + figures(sum_of(files));
}

std::string report_json(const std::vector<ImportOutcome>& files) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_figures(writer, sum_of(files));
  writer.key("files").begin_array();
  for (const ImportOutcome& each : files) write_file(writer, each);
  writer.end_array().end_object();
  return out;
}

}  // namespace kehu::upload
