#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "api/request.h"
#include "base/limits.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "main/answers.h"
#include "main/commands.h"
#include "mapping/file_import.h"
#include "model/rejection.h"

namespace kehu {
namespace {

constexpr size_t kUploadBytes = 32u << 20;  // of one request; several per file keep retries small
constexpr size_t kRejectionsPerRequest = 500;

struct Totals {
  mapping::Report rows;
  uint64_t accepted = 0;  // by the server: new events
  uint64_t repeats = 0;   // events that were there already
  uint64_t conflicts = 0;
  uint64_t rejected = 0;                                   // new in quarantine, by mapping or server
  std::array<uint64_t, kReasonCount> refused_by_reason{};  // by the server; index: Reason

  uint64_t of_reason(int reason) const {
    return rows.rejected_by_reason[static_cast<size_t>(reason)] +
           refused_by_reason[static_cast<size_t>(reason)];
  }
};

// A file's name as it can stand in a JSON text without an escape.
std::string unescaped(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }, '_');
  return name;
}

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
      : command_(command), mapping_(mapping), caller_(caller) {}

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
    if (auto status = send_rejections(); !status.ok()) return status;
    progress_.show(file, *import_, true);
    totals_.rows.add(import_->report());
    return absl::OkStatus();
  }

  const Totals& totals() const { return totals_; }

 private:
  client::Request request(std::string path) const {
    client::Request out{.method = "POST", .path = std::move(path)};
    if (!command_.key.empty()) {
      out.path += cat("?writeKey=", api::percent_encode(command_.key));
    } else if (!command_.source.empty()) {
      out.path += cat("?source=", api::percent_encode(command_.source));
    }
    return out;
  }

  // One request with up to kUploadBytes of events. `more` becomes false at the end of the file.
  absl::Status upload_some(bool& more) {
    size_t sent = 0;
    size_t given = 0;
    // Rows are collected until they fill the room: a chunk a row would be a commit a row.
    const auto source = [&](char* to, size_t room) -> absl::StatusOr<size_t> {
      while (pending_.size() - given < room && more && sent < kUploadBytes) {
        pending_.erase(0, given);
        given = 0;
        auto next = import_->next(row_);
        if (!next.ok()) return next.status();
        more = *next;
        if (!more) break;
        keep_rejections();
        sent += append_events();
        progress_.show(file_, *import_, false);
      }
      const size_t size = std::min(room, pending_.size() - given);
      pending_.copy(to, size, given);
      given += size;
      return size;
    };
    const auto body = body_of(caller_.upload(request("/api/v1/events"), source));
    pending_.clear();
    if (!body.ok()) return body.status();
    const auto answer = json::Document::parse(*body);
    if (!answer.ok()) return answer.status();
    const auto number = [&](const char* name) {
      return static_cast<uint64_t>(answer->root().find(name).as_int().value_or(0));
    };
    totals_.accepted += number("accepted");
    totals_.repeats += number("repeats");
    totals_.conflicts += number("conflicts");
    totals_.rejected += number("rejected");
    for (int i = 1; i < kReasonCount; ++i) {
      const json::Value count =
          answer->root().find("rejected_by_reason").find(to_string(static_cast<Reason>(i)));
      totals_.refused_by_reason[static_cast<size_t>(i)] += static_cast<uint64_t>(count.as_int().value_or(0));
    }
    return rejections_ >= kRejectionsPerRequest ? send_rejections() : absl::OkStatus();
  }

  // Each event goes with its place in the file, so that the server can name it too. Bytes appended.
  size_t append_events() {
    const size_t before = pending_.size();
    const std::string begin = cat(R"({"$origin":")", unescaped(import_->origin(row_)), "\",");
    for (std::string_view rest = row_.events; !rest.empty();) {
      const size_t line = rest.find('\n') + 1;
      pending_.append(begin).append(rest.substr(1, line - 1));
      rest.remove_prefix(line);
    }
    return pending_.size() - before;
  }

  void keep_rejections() {
    for (const mapping::RowRejection& rejection : row_.rejections) {
      if (rejections_++ > 0) rejected_rows_.push_back(',');
      json::Writer(rejected_rows_)
          .begin_object()
          .field("reason", to_string(rejection.reason))
          .field("path", rejection.column.empty() ? std::string() : cat("/", rejection.column))
          .field("detail", rejection.detail)
          .field("origin", import_->origin(row_))
          .field("payload", row_.text)
          .end_object();
    }
  }

  absl::Status send_rejections() {
    if (rejections_ == 0) return absl::OkStatus();
    client::Request wanted = request("/api/v1/rejections");
    wanted.body = cat(R"({"rejections":[)", rejected_rows_, "]}");
    rejected_rows_.clear();
    rejections_ = 0;
    const auto body = body_of(caller_.call(wanted));
    if (!body.ok()) return body.status();
    const auto answer = json::Document::parse(*body);
    if (!answer.ok()) return answer.status();
    totals_.rejected += static_cast<uint64_t>(answer->root().find("rejected").as_int().value_or(0));
    return absl::OkStatus();
  }

  const ImportCommand& command_;
  const mapping::Mapping& mapping_;
  Caller& caller_;
  std::unique_ptr<mapping::FileImport> import_;
  std::string file_;
  mapping::MappedRow row_;
  std::string pending_;  // mapped, not sent yet
  std::string rejected_rows_;
  size_t rejections_ = 0;
  Progress progress_;
  Totals totals_;
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
  writer.field("accepted", totals.accepted)
      .field("repeats", totals.repeats)
      .field("conflicts", totals.conflicts);
  writer.field("rejected", totals.rejected).key("rejected_by_reason").begin_object();
  for (int i = 1; i < kReasonCount; ++i) {
    if (totals.of_reason(i) > 0) writer.field(to_string(static_cast<Reason>(i)), totals.of_reason(i));
  }
  writer.end_object().end_object();
  return out;
}

std::string to_text(const Totals& totals) {
  std::string out = cat(totals.rows.rows, " rows: ", totals.rows.events, " events, ", totals.rows.filtered,
                        " rows filtered out, ", totals.rows.rejected, " could not be mapped\n",
                        totals.accepted, " events are new, ", totals.repeats, " were there already, ",
                        totals.rejected, " went into quarantine");
  if (totals.conflicts > 0) out += cat(" and ", totals.conflicts, " had a known id with another content");
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
