#include "host/log_line.h"

#include <unistd.h>

#include <cstdio>

#include "base/civil_day.h"
#include "json/writer.h"
#include "os/clock.h"

namespace kehu::host {
namespace {

std::string_view to_string(server::Severity severity) {
  switch (severity) {
    case server::Severity::kInfo:
      return "info";
    case server::Severity::kWarning:
      return "warning";
    case server::Severity::kError:
      return "error";
  }
  return "info";
}

// One write per line, so that lines of several threads do not mix.
void print(std::string line) {
  line.push_back('\n');
  if (std::fwrite(line.data(), 1, line.size(), stderr) != line.size()) return;
  std::fflush(stderr);
}

}  // namespace

void log_line(server::Severity severity, std::string_view message) {
  static const bool terminal = isatty(STDERR_FILENO) == 1;
  if (terminal) return print("kehu: " + std::string(message));
  std::string line;
  json::Writer(line)
      .begin_object()
      .field("time", format_utc(os::system_clock().now()))
      .field("level", to_string(severity))
      .field("message", message)
      .end_object();
  print(std::move(line));
}

void log_access(const server::AccessEntry& entry) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object()
      .field("time", format_utc(os::system_clock().now()))
      .field("level", "info")
      .field("method", http::to_string(entry.method))
      .field("route", entry.route.empty() ? std::string_view("none") : entry.route)
      .field("status", entry.status)
      .field("bytes", entry.body_bytes)
      .field("micros", entry.took.micros())
      .field("remote", entry.remote);
  if (entry.broken_off) writer.field("broken_off", true);
  writer.end_object();
  print(std::move(line));
}

}  // namespace kehu::host
