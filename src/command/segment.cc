#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "command/progress_bar.h"
#include "http/request.h"
#include "json/document.h"

namespace kehu::command {
namespace {

std::string segments_text(const json::Value& root) {
  std::string out;
  for (const auto& segment : root.find("segments")) {
    out += cat(field(segment.value, "name"), "  ", field(segment.value, "size"), " customers, ",
               field(segment.value, "state"), ", version ", field(segment.value, "version"), "\n  ",
               field(segment.value, "rule"), "\n");
    if (const json::Value filling = segment.value.find("backfill"); filling.exists()) {
      out += cat("  version ", field(filling, "version"), ": ", backfill_text(filling), "\n");
    }
  }
  return out.empty() ? "there are no segments: write one into a *.kehu file, and `kehu apply` its folder\n"
                     : out;
}

std::string member_text(const json::Value& member) {
  std::string out = cat(field(member, "customer_id"), "  since ", field(member, "since"));
  for (const auto& identifier : member.find("identifiers")) {
    out += cat("  ", field(identifier.value, "type"), ":", field(identifier.value, "value"));
  }
  return out;
}

// RFC 4180: a field in quotes, which stand twice inside of it.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string member_csv(const json::Value& member) {
  return cat(field(member, "customer_id"), ",", field(member, "since"), ",",
             quoted(member.find("identifiers").raw()));
}

std::string path_of(const SegmentCommand& command) {
  return cat("/api/v1/segments/", http::percent_encode(command.name));
}

}  // namespace

absl::Status list_segments(const SegmentCommand& command) {
  const auto body = call_once(command.where, {.path = "/api/v1/segments"});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  return print(segments_text(document->root()));
}

// Bytes, which no terminal can show.
absl::Status save_members(const SegmentCommand& command) {
  if (::isatty(STDOUT_FILENO) != 0) {
    return absl::InvalidArgumentError(
        "Parquet is not for a terminal: write it into a file, `… > members.parquet`");
  }
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  const auto response = (*caller)->download(
      {.path = cat(path_of(command), "/members?format=parquet")}, [](std::string_view piece) {
        const bool written = std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size();
        return written ? absl::OkStatus() : absl::UnavailableError("standard output cannot be written");
      });
  if (auto status = body_of(response).status(); !status.ok()) return status;
  if (std::fflush(stdout) != 0) return absl::UnavailableError("standard output cannot be written");
  return (*caller)->close();
}

// One member a line, as they come.
absl::Status list_members(const SegmentCommand& command) {
  if (command.format == "parquet") return save_members(command);
  const bool csv = command.format == "csv";
  const bool json = command.json || command.format == "ndjson";
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  Printer printer;
  if (csv) {
    if (auto status = printer.add("customer_id,since,identifiers\n"); !status.ok()) return status;
  }
  std::string cursor;
  do {
    const std::string query = cursor.empty() ? "" : cat("&cursor=", cursor);
    const auto body = body_of((*caller)->call({.path = cat(path_of(command), "/members?limit=1000", query)}));
    if (!body.ok()) return body.status();
    const auto page = json::Document::parse(*body);
    if (!page.ok()) return page.status();
    for (const auto& member : page->root().find("members")) {
      const std::string line = json  ? std::string(member.value.raw())
                               : csv ? member_csv(member.value)
                                     : member_text(member.value);
      if (auto status = printer.add(cat(line, "\n")); !status.ok()) return status;
    }
    cursor = page->root().find("next").as_string().value_or("");
  } while (!cursor.empty());
  if (auto status = printer.end(); !status.ok()) return status;
  return (*caller)->close();
}

absl::Status show_overlap(const SegmentCommand& command) {
  std::string names;
  for (const std::string& name : command.others)
    names += cat(names.empty() ? "" : ",", http::percent_encode(name));
  const auto body = call_once(command.where, {.path = cat("/api/v1/segments/overlap?segments=", names)});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  std::string out;
  for (const auto& segment : document->root().find("segments")) {
    out += cat(field(segment.value, "name"), "  ", field(segment.value, "size"), " customers\n");
  }
  return print(cat(out, "in all of them  ", field(document->root(), "overlap"), " customers\n"));
}

absl::Status show_why(const SegmentCommand& command) {
  const auto body = call_once(
      command.where, {.path = cat(path_of(command), "/why/", http::percent_encode(command.customer))});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (command.json || !document.ok()) return print(*body);
  const json::Value root = document->root();
  const bool in = root.find("in").as_bool().value_or(false);
  std::string out =
      cat(field(root, "customer_id"), in ? cat(" is in since ", field(root, "since")) : " is not in", "\n");
  if (const std::string note = field(root, "note"); !note.empty()) out += cat("  ", note, "\n");
  for (const auto& reason : root.find("reasons")) {
    const auto depth = static_cast<size_t>(reason.value.find("depth").as_int().value_or(0));
    out += cat(std::string(2 * depth + 2, ' '), field(reason.value, "rule"), "  →  ",
               field(reason.value, "value"));
    const std::string until = field(reason.value, "until");
    out += until.empty() ? "\n" : cat("  (until ", until, " if nothing happens)\n");
  }
  return print(out);
}

}  // namespace kehu::command
