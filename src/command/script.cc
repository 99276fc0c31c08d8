#include "base/text.h"
#include "command/answers.h"
#include "command/commands.h"
#include "json/writer.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"
#include "script/run.h"

namespace kehu::command {
namespace {

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string text_of(const std::string& path, const script::Report& report) {
  std::string out;
  for (const script::Failure& failure : report.failures) {
    out += cat(path, ":", failure.place.line, ":", failure.place.column, ": ", failure.message, "\n");
    for (const std::string& reason : failure.reasons) out += cat("    ", reason, "\n");
  }
  if (report.broken) return cat(out, "FAILED  ", path, "  ended early\n");
  return cat(out, report.failures.empty() ? "ok      " : "FAILED  ", path, "  ",
             report.expectations - report.failures.size(), " of ", report.expectations,
             " expectations held\n");
}

void write(json::Writer& writer, const std::string& path, const script::Report& report) {
  writer.begin_object().field("file", path).field("expectations", report.expectations);
  writer.field("ok", report.failures.empty()).key("failures").begin_array();
  for (const script::Failure& failure : report.failures) {
    writer.begin_object().field("line", failure.place.line).field("column", failure.place.column);
    writer.field("message", failure.message).key("reasons").begin_array();
    for (const std::string& reason : failure.reasons) writer.value(reason);
    writer.end_array().end_object();
  }
  writer.end_array().end_object();
}

}  // namespace

// A message-less failure: the report has said why.
absl::Status run_script(const ScriptCommand& command) {
  std::string out;
  Printer printer;
  bool held = true;
  for (const std::string& path : command.files) {
    const auto text = os::read_whole_file(os::posix_file_system(), path);
    if (!text.ok()) return text.status();
    absl::Status written;
    const auto print_change = [&](std::string_view line) { written.Update(printer.add(cat(line, "\n"))); };
    const script::Report report = script::run(
        *text, directory_of(path), command.changes ? script::ChangeSink(print_change) : script::ChangeSink());
    if (!written.ok()) return written;
    held = held && report.failures.empty();
    if (!command.json) {
      out += text_of(path, report);
      continue;
    }
    json::Writer writer(out);
    write(writer, path, report);
    out += '\n';
  }
  if (auto status = print(out); !status.ok()) return status;
  return held ? absl::OkStatus() : absl::AbortedError("");
}

}  // namespace kehu::command
