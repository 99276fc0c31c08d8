#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "base/text.h"
#include "json/writer.h"
#include "main/answers.h"
#include "main/commands.h"
#include "main/mapped_upload.h"
#include "mapping/file_import.h"
#include "model/rejection.h"

namespace kehu {
namespace {

constexpr size_t kUploadBytes = 32u << 20;  // of one request; several per file keep retries small

struct Totals {
  mapping::Report rows;
  UploadTotals sent;

  uint64_t of_reason(int reason) const {
    return rows.rejected_by_reason[static_cast<size_t>(reason)] +
           sent.refused_by_reason[static_cast<size_t>(reason)];
  }
};

// A bar with rate and time left on a terminal; a line every few seconds otherwise.
class Progress {
 public:
  void show(const std::string& file, const mapping::FileImport& import, bool last) {
    const auto now = std::chrono::steady_clock::now();
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
    if (!last && now - shown_ < pause) return;
    shown_ = now;
    const double seconds = std::max(1e-6, std::chrono::duration<double>(now - start_).count());
    const double part = import.size() == 0
                            ? 1.0
                            : static_cast<double>(import.position()) / static_cast<double>(import.size());
    const double rate = static_cast<double>(import.report().rows) / seconds;
    const double left = part > 0 ? seconds / part - seconds : 0;
    if (!terminal_) {
      std::fprintf(stderr, "%s: %.0f %%, %llu rows, %.0f rows/s\n", file.c_str(), 100 * part,
                   static_cast<unsigned long long>(import.report().rows), rate);
      return;
    }
    constexpr int kWidth = 30;
    const int full = static_cast<int>(part * kWidth);
    std::string bar(static_cast<size_t>(full), '#');
    bar.resize(kWidth, '.');
    std::fprintf(stderr, "\r%s [%s] %3.0f %%  %.0f rows/s  %.0f s left ", file.c_str(), bar.c_str(),
                 100 * part, rate, last ? 0.0 : left);
    if (last) std::fputc('\n', stderr);
  }

 private:
  const bool terminal_ = isatty(STDERR_FILENO) == 1;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_;
};

void say_empty(const std::string& file) { std::fprintf(stderr, "kehu: %s is empty\n", file.c_str()); }

class Importer {
 public:
  Importer(const ImportCommand& command, const mapping::Mapping& mapping, Caller& caller)
      : mapping_(mapping), upload_(caller, {.key = command.key, .source = command.source}) {}

  absl::Status run(const std::string& file) {
    auto opened = mapping::FileImport::open(mapping_, file);
    if (!opened.ok()) return opened.status();
    import_ = *std::move(opened);
    file_ = file;
    if (import_->empty()) say_empty(file);
    for (bool more = true; more;) {
      const auto status = upload_some(more);
      if (!status.ok()) return status;
    }
    if (auto status = upload_.send_rejections(); !status.ok()) return status;
    progress_.show(file, *import_, true);
    rows_.add(import_->report());
    return absl::OkStatus();
  }

  Totals totals() const { return {rows_, upload_.totals()}; }

 private:
  // One request with up to kUploadBytes of events. `more` becomes false at the end of the file.
  absl::Status upload_some(bool& more) {
    size_t sent = 0;
    size_t given = 0;
    std::string& lines = upload_.lines();
    // Rows are collected until they fill the room: a chunk a row would be a commit a row.
    const auto source = [&](char* to, size_t room) -> absl::StatusOr<size_t> {
      while (lines.size() - given < room && more && sent < kUploadBytes) {
        lines.erase(0, given);
        given = 0;
        auto next = import_->next(row_);
        if (!next.ok()) return next.status();
        more = *next;
        if (!more) break;
        const size_t before = lines.size();
        upload_.add(row_, import_->origin(row_));
        sent += lines.size() - before;
        progress_.show(file_, *import_, false);
      }
      const size_t size = std::min(room, lines.size() - given);
      lines.copy(to, size, given);
      given += size;
      return size;
    };
    const absl::Status status = upload_.send(source);
    lines.clear();
    return status;
  }

  const mapping::Mapping& mapping_;
  MappedUpload upload_;
  std::unique_ptr<mapping::FileImport> import_;
  std::string file_;
  mapping::MappedRow row_;
  mapping::Report rows_;
  Progress progress_;
};

void write_rows(json::Writer& writer, const mapping::Report& rows) {
  writer.field("rows", rows.rows).field("mapped_events", rows.events).field("filtered_rows", rows.filtered);
  writer.field("unmappable", rows.rejected).field("exact_duplicate_rows", rows.exact_duplicates);
  writer.key("unmappable_by_reason").begin_object();
  for (int i = 1; i < kReasonCount; ++i) {
    const uint64_t count = rows.rejected_by_reason[static_cast<size_t>(i)];
    if (count > 0) writer.field(to_string(static_cast<Reason>(i)), count);
  }
  writer.end_object();
}

std::string to_json(const Totals& totals) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_rows(writer, totals.rows);
  writer.field("accepted", totals.sent.accepted)
      .field("repeats", totals.sent.repeats)
      .field("conflicts", totals.sent.conflicts);
  writer.field("rejected", totals.sent.rejected).key("rejected_by_reason").begin_object();
  for (int i = 1; i < kReasonCount; ++i) {
    if (totals.of_reason(i) > 0) writer.field(to_string(static_cast<Reason>(i)), totals.of_reason(i));
  }
  writer.end_object().end_object();
  return out;
}

std::string to_text(const Totals& totals) {
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
    if (count > 0) out += cat("  ", to_string(static_cast<Reason>(i)), ": ", count, "\n");
  }
  return out;
}

absl::Status show_first(const ImportCommand& command, const mapping::Mapping& mapping) {
  uint64_t shown = 0;
  mapping::Report report;
  for (const std::string& file : command.files) {
    auto import = mapping::FileImport::open(mapping, file);
    if (!import.ok()) return import.status();
    if ((*import)->empty()) say_empty(file);
    mapping::MappedRow row;
    while (shown < *command.dry_run) {
      const auto more = (*import)->next(row);
      if (!more.ok()) return more.status();
      if (!*more) break;
      if (row.event_count > 0) (void)print(cat("row ", row.line, ":\n", mapping::pretty(row.events)));
      for (const mapping::RowRejection& rejection : row.rejections) {
        (void)print(cat("row ", row.line, ": ", to_string(rejection.reason), " ", rejection.column, ": ",
                        rejection.detail));
      }
      shown += row.event_count + row.rejections.size();
    }
    report.add((*import)->report());
  }
  return print(cat("dry run: ", report.rows, " rows read, ", report.events, " events, ", report.filtered,
                   " filtered out, ", report.rejected, " could not be mapped; nothing was changed"));
}

// A file that does not fit its mapping is no wrong usage: the command was understood, and failed.
absl::Status failed(absl::Status status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  return failure(absl::StatusCode::kFailedPrecondition, message_of(status));
}

}  // namespace

absl::Status run_import(const ImportCommand& command) {
  if (command.files.empty()) return absl::InvalidArgumentError("name the files to import");
  const auto mapping = mapping::Mapping::load(command.map);
  if (!mapping.ok()) return mapping.status();
  if (command.dry_run) return failed(show_first(command, *mapping));
  auto caller = open_caller({.where = command.where, .create = true});
  if (!caller.ok()) return caller.status();
  Importer importer(command, *mapping, **caller);
  absl::Status status;
  for (const std::string& file : command.files) {
    if (status = importer.run(file); !status.ok()) break;
  }
  status.Update((*caller)->close());
  const absl::Status printed = print(command.json ? to_json(importer.totals()) : to_text(importer.totals()));
  if (status.ok()) return printed;
  status = failed(status);
  const bool passing =
      status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kInternal;
  return failure(status.code(), message_of(status),
                 passing ? "; run the same command again: what is there already is recognised" : "");
}

}  // namespace kehu
