#include "host/server_options.h"

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "directory/data_directory.h"
#include "host/log_line.h"

namespace kehu::host {

server::Options server_options(const std::string& listen, const std::string& data, int threads) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return {.listen = listen,
          .unix_socket = directory::DataDirectory::socket(data),
          .threads = threads > 0 ? threads : std::clamp(cores, 1, 4),
          .log = log_line,
          .access_log = {}};
}

void append_server_metrics(const server::Stats& stats, std::string& out) {
  const auto figure = [&out](std::string_view name, std::string_view help, std::string_view type,
                             uint64_t value) {
    out += cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " ", value, "\n");
  };
  figure("kehu_http_connections", "Connections open now, WebSockets included.", "gauge", stats.connections);
  figure("kehu_http_body_bytes", "Memory of requests and messages that are arriving.", "gauge",
         stats.body_bytes);
  figure("kehu_http_bodies_refused_total",
         "Requests and WebSockets turned away because too much was arriving at once.", "counter",
         stats.bodies_refused);
}

void report_recovery(uint64_t records) {
  static uint64_t reported = 0;
  if (records - reported < 1'000'000) return;
  reported = records;
  log_line(server::Severity::kInfo, cat("recovering: ", records, " records replayed"));
}

void report_health(const engine::Health& health) {
  static std::string reported;
  absl::Status status = health.log;
  status.Update(health.apply);
  status.Update(health.lake);
  status.Update(health.checkpoint);
  status.Update(health.files);
  const std::string message = message_of(status);
  if (message == reported) return;
  reported = message;
  log_line(status.ok() ? server::Severity::kInfo : server::Severity::kError,
           status.ok() ? "healthy again" : cat("in trouble: ", message));
}

}  // namespace kehu::host
