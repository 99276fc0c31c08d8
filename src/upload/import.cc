#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include "base/text.h"
#include "command/answers.h"
#include "json/document.h"
#include "json/writer.h"
#include "mapping/file_import.h"
#include "model/rejection.h"
#include "upload/dry_run.h"
#include "upload/import_report.h"
#include "upload/mapped_upload.h"
#include "upload/uploads.h"

namespace kehu::upload {
namespace {

constexpr size_t kUploadBytes = 32u << 20;  // of one request; several per file keep retries small

// A bar with rate and time left on a terminal; a line every few seconds otherwise.
class Progress {
 public:
  void show(const std::string& file, const mapping::FileImport& import, bool last) {
    const auto now = std::chrono::steady_clock::now();
    const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
    if (!last && now - shown_ < pause) return;
    shown_ = now;
    const double seconds = std::max(1e-6, std::chrono::duration<double>(now - start_).count());
    const double part =
        import.empty() ? 1.0 : static_cast<double>(import.position()) / static_cast<double>(import.size());
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

void warn(const mapping::FileImport& import) {
  for (const std::string& warning : import.warnings())
    std::fprintf(stderr, "kehu: warning: %s\n", warning.c_str());
}

void say_empty(const std::string& file) { std::fprintf(stderr, "kehu: %s is empty\n", file.c_str()); }

// What POST /api/v1/imports is asked.
std::string beginning_json(const std::string& name, const mapping::Mapping& mapping,
                           const mapping::FileImport& import, bool alone) {
  const mapping::FileBeginning beginning = import.beginning();
  const bool own_times = std::all_of(mapping.events.begin(), mapping.events.end(),
                                     [](const auto& event) { return !event.time.columns.empty(); });
  std::string body;
  json::Writer writer(body);
  writer.begin_object().field("file", name).field("key", import.key()).field("mapping", mapping.name);
  writer.field("whole", beginning.whole).field("last_may_grow", beginning.last_may_grow);
  writer.field("own_times", own_times).field("alone", alone);
  writer.field("ids_by_position", mapping.identity.kind == mapping::RowKey::Kind::kPosition)
      .key("heads")
      .begin_array();
  for (const Hash128& head : beginning.heads) writer.value(head.hex());
  writer.end_array().key("former_heads").begin_array();
  for (const Hash128& head : beginning.former_heads) writer.value(head.hex());
  writer.end_array().field("first_row", beginning.first_row).end_object();
  return body;
}

MappedUpload::Sender patient(MappedUpload::Sender sender) {
  sender.patient = true;
  return sender;
}

class Importer {
 public:
  Importer(const ImportCommand& command, const mapping::Mapping& mapping, command::Caller& caller)
      : mapping_(mapping),
        alone_(caller.alone()),
        upload_(caller, patient(MappedUpload::Sender::of(command.where, command.key, command.source))) {}

  // An error of the file is in its outcome; a returned one is the installation's, and ends the import.
  absl::Status run(const std::string& file) {
    ImportOutcome& outcome = files_.emplace_back();
    outcome.file = file;
    auto opened = mapping::FileImport::open(mapping_, file);
    if (!opened.ok()) {
      outcome.status = opened.status();
      return absl::OkStatus();
    }
    import_ = *std::move(opened);
    if (import_->empty()) say_empty(file);
    const UploadTotals before = upload_.totals();
    absl::Status sent = begin(outcome);
    if (sent.ok()) sent = send_rows(outcome);
    outcome.rows = import_->report();
    outcome.sent = upload_.totals().since(before);
    outcome.status.Update(sent);
    if (sent.ok()) sent = end(outcome);
    if (std::string note = import_->note(); !note.empty()) outcome.notes.push_back(std::move(note));
    if (outcome.status.ok()) progress_.show(file, *import_, true);
    return sent;
  }

  const std::vector<ImportOutcome>& files() const { return files_; }

 private:
  // Asks whether the file is known, and records that it is imported. A server of an earlier version knows
  // no files.
  absl::Status begin(ImportOutcome& outcome) {
    const std::string name = import_->name();
    const auto answer = upload_.post("/api/v1/imports", beginning_json(name, mapping_, *import_, alone_));
    if (answer.status().code() == absl::StatusCode::kNotFound) return absl::OkStatus();
    if (!answer.ok()) return answer.status();
    const auto document = json::Document::parse(*answer);
    if (!document.ok()) return document.status();
    const json::Value root = document->root();
    if (const auto wait = root.find("wait_s").as_int())
      std::this_thread::sleep_for(std::chrono::seconds(*wait));
    const auto key = root.find("key").as_string();
    const auto file = root.find("file").as_string();
    if (!key || !file || !root.find("known").as_bool().value_or(false)) return absl::OkStatus();
    import_->known_as(*key, *file);
    expect_open_row(root.find("open_row"));
    if (*file == name) return absl::OkStatus();
    outcome.notes.push_back(cat("begins with the rows of ", *file, ", imported ",
                                root.find("begun").as_string().value_or("before"),
                                "; they are recognised and count once"));
    return absl::OkStatus();
  }

  void expect_open_row(const json::Value& row) {
    const auto line = row.find("line").as_int();
    const auto content = Hash128::from_hex(row.find("hash").as_string().value_or(""));
    if (line && *line > 0 && content)
      import_->expect_open_row({.line = static_cast<uint64_t>(*line), .content = *content});
  }

  absl::Status end(ImportOutcome& outcome) {
    if (import_->grew()) {
      outcome.notes.push_back(cat(
          "the row of line ", import_->open_row()->line,
          " was imported while it was still being written, and what it said then is stored; to take it as "
          "it is now: kehu import --undo ",
          import_->key(), ", and import the file again"));
    }
    std::string body;
    json::Writer writer(body);
    writer.begin_object().field("key", import_->key()).field("rows", outcome.rows.rows);
    writer.field("events", outcome.rows.events).field("complete", outcome.status.ok());
    if (const auto& open = import_->open_row()) {
      writer.key("open_row").begin_object().field("line", open->line);
      writer.field("hash", open->content.hex()).end_object();
    }
    writer.end_object();
    const absl::Status status = upload_.post("/api/v1/imports/end", body).status();
    return status.code() == absl::StatusCode::kNotFound ? absl::OkStatus() : status;
  }

  absl::Status send_rows(ImportOutcome& outcome) {
    for (bool more = true; more;) {
      while (more && upload_.lines().empty() && !upload_.rejections_full()) take_row(outcome, more);
      if (!upload_.lines().empty()) {
        if (auto status = upload_some(outcome, more); !status.ok()) return status;
      }
      if (!upload_.rejections_full()) continue;
      if (auto status = upload_.send_rejections(); !status.ok()) return status;
    }
    return upload_.send_rejections();
  }

  // A row that cannot be read ends the file, not the request: what was read before it is sent and counted.
  void take_row(ImportOutcome& outcome, bool& more) {
    const auto next = import_->next(row_);
    outcome.status = next.status();
    more = next.ok() && *next;
    if (!more) return;
    if (import_->report().rows == 1) warn(*import_);
    upload_.add(row_, import_->origin(row_));
    progress_.show(outcome.file, *import_, false);
  }

  // One request with up to kUploadBytes of events. `more` becomes false at the end of the file.
  absl::Status upload_some(ImportOutcome& outcome, bool& more) {
    size_t sent = 0;
    size_t given = 0;
    std::string& lines = upload_.lines();
    // Rows are collected until they fill the room: a chunk a row would be a commit a row.
    const auto source = [&](char* to, size_t room) -> absl::StatusOr<size_t> {
      while (lines.size() - given < room && more && sent < kUploadBytes && !upload_.rejections_full()) {
        lines.erase(0, given);
        given = 0;
        const size_t before = lines.size();
        take_row(outcome, more);
        sent += lines.size() - before;
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
  const bool alone_;
  MappedUpload upload_;
  std::unique_ptr<mapping::FileImport> import_;
  mapping::MappedRow row_;
  std::vector<ImportOutcome> files_;
  Progress progress_;
};

// A file that does not fit its mapping is no wrong usage: the command was understood, and failed.
absl::Status failed(absl::Status status) {
  if (status.code() != absl::StatusCode::kInvalidArgument) return status;
  return failure(absl::StatusCode::kFailedPrecondition, message_of(status));
}

absl::Status show_imports(const ImportCommand& command) {
  const auto body = command::call_once(command.where, {.path = "/api/v1/imports"});
  if (!body.ok()) return body.status();
  if (command.json) return command::print(*body);
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  std::string out;
  for (const auto& member : document->root().find("imports")) {
    const auto text = [&](const char* name) { return member.value.find(name).as_string().value_or(""); };
    const auto number = [&](const char* name) { return member.value.find(name).as_int().value_or(0); };
    const bool ended = member.value.find("ended").exists();
    out += cat(text("origin"), "  ", text("begun"), "  ", number("rows"), " rows  ", number("events"),
               " events  source ", text("source"), "  ", text("mapping"),
               !ended                                                    ? "  not ended"
               : member.value.find("complete").as_bool().value_or(false) ? ""
                                                                         : "  not read to its end",
               "\n");
  }
  return command::print(out.empty() ? "no file was imported" : out);
}

void say(const std::string& text) { std::fprintf(stderr, "kehu: %s\n", command::printable(text).c_str()); }

// Why something failed stands before the figures, which would look like a success otherwise.
absl::Status conclude(const ImportCommand& command, const std::vector<ImportOutcome>& files,
                      const absl::Status& status) {
  absl::Status result = failed(status);
  for (const ImportOutcome& each : files) {
    for (const std::string& note : each.notes) say(cat(each.file, ": ", note));
    if (each.status.ok() || each.status == status) continue;
    say(message_of(each.status));
    result.Update(failed(each.status));
  }
  const bool passing =
      status.code() == absl::StatusCode::kUnavailable || status.code() == absl::StatusCode::kInternal;
  if (!status.ok()) {
    say(cat(message_of(status),
            passing ? "; run the same command again: what is there already is recognised" : ""));
  }
  const absl::Status printed = command::print(command.json ? report_json(files) : report_text(files));
  return result.ok() ? printed : absl::Status(result.code(), "");
}

}  // namespace

absl::Status run_import(const ImportCommand& command) {
  if (command.list) return show_imports(command);
  if (!command.undo.empty()) return run_undo(command);
  if (command.map.empty())
    return absl::InvalidArgumentError(
        "say with --map how the rows are read; `kehu map FILE` proposes a mapping");
  if (command.files.empty()) return absl::InvalidArgumentError("name the files to import");
  const auto mapping = mapping::Mapping::load(command.map);
  if (!mapping.ok()) return mapping.status();
  if (command.dry_run) return failed(dry_run(command, *mapping));
  auto caller = command::open_caller({.where = command.where, .create = true});
  if (!caller.ok()) return caller.status();
  Importer importer(command, *mapping, **caller);
  absl::Status status;
  for (const std::string& file : command.files) {
    if (status = importer.run(file); !status.ok()) break;
  }
  status.Update((*caller)->close());
  return conclude(command, importer.files(), status);
}

}  // namespace kehu::upload
