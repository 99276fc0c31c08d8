#include <algorithm>
#include <memory>
#include <optional>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/text.h"
#include "engine/data_directory.h"
#include "main/attachment.h"
#include "main/certificate.h"
#include "main/commands.h"
#include "main/log_line.h"
#include "main/runtime.h"
#include "main/server_options.h"
#include "main/stop_signal.h"
#include "main/trace_export.h"
#include "os/posix_file_system.h"
#include "publication/publications.h"

namespace kehu {

server::Options server_options(const std::string& listen, const std::string& data, int threads) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return {.listen = listen,
          .unix_socket = engine::DataDirectory::socket(data),
          .threads = threads > 0 ? threads : std::clamp(cores, 1, 4),
          .log = log_line,
          .access_log = {}};
}

namespace {

void trace_into(TraceExport& traces, RuntimeOptions& options) {
  options.tracer = &traces.tracer();
  options.more_metrics = [&traces](std::string& out) { traces.append_figures(out); };
}

void add_metrics(const std::unique_ptr<publication::Publications>& publications, RuntimeOptions& options) {
  options.more_metrics = [&publications, others = options.more_metrics](std::string& out) {
    if (others) others(out);
    if (publications != nullptr) publications->append_metrics(out);
  };
}

void log_notice(const publication::Notice& notice) {
  log_line(notice.well ? server::Severity::kInfo : server::Severity::kWarning, notice.text);
}

}  // namespace

absl::Status run_serve(const ServeCommand& command) {
  StopSignal stop(StopSignal::Hangup::kReloads);
  auto traces = TraceExport::start(command.otlp);
  if (!traces.ok()) return traces.status();
  RuntimeOptions opening{.directory = command.data,
                         .settings_file = command.settings,
                         .memory_bytes = command.memory_mb << 20,
                         .progress = report_recovery};
  if (*traces) trace_into(**traces, opening);
  std::unique_ptr<publication::Publications> publications;
  add_metrics(publications, opening);
  auto runtime = Runtime::open(opening);
  if (!runtime.ok()) return runtime.status();
  // They work on the runtime, so they end before it.
  const absl::Cleanup end_publications = [&publications] { publications.reset(); };
  server::Options options = server_options(command.listen, command.data, command.threads);
  if (command.access_log) options.access_log = log_access;
  options.tracer = opening.tracer;
  std::optional<CertificateSource> certificate;
  if (!command.tls_listen.empty()) {
    auto source = CertificateSource::open({.certificate_file = command.tls_certificate_file,
                                           .key_file = command.tls_key_file,
                                           .only_tls13 = command.only_tls13,
                                           .host = command.tls_listen},
                                          command.data);
    if (!source.ok()) return source.status();
    certificate = *std::move(source);
    options.tls_listen = command.tls_listen;
    options.tls = certificate->options();
  }
  auto published = publication::Publications::start(
      command.publish, {(*runtime)->engine(), (*runtime)->query(), os::posix_file_system(), log_notice});
  if (!published.ok()) return published.status();
  publications = *std::move(published);
  auto server = server::Server::start(std::move(options), (*runtime)->app().router());
  if (!server.ok()) return server.status();
  auto attachments = Attachments::start(command.attach, **runtime);
  if (!attachments.ok()) return attachments.status();
  log_line(server::Severity::kInfo, cat("listening on port ", (*server)->port(), ", data in ", command.data));
  if (certificate) {
    log_line(server::Severity::kInfo,
             cat("TLS on port ", (*server)->tls_port(), ", certificate ",
                 certificate->options().certificate_file, certificate->self_made() ? " (self-made)" : ""));
  }

  if (*traces) {
    log_line(server::Severity::kInfo, cat("traces go to ", (*traces)->shown_address()));
  }
  while (!stop.wait(Duration::seconds(1))) {
    report_health((*runtime)->engine().health());
    if (certificate) watch_certificate(*certificate, stop, **server);
  }
  log_line(server::Severity::kInfo, "stopping: finishing what was accepted");
  (*attachments)->stop();
  (*server)->stop();
  publications.reset();
  const absl::Status status = (*runtime)->stop();
  if (*traces) (*traces)->stop();
  log_line(status.ok() ? server::Severity::kInfo : server::Severity::kError,
           status.ok() ? "stopped" : cat("stopped with an error: ", message_of(status)));
  return status;
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
  const std::string message = message_of(status);
  if (message == reported) return;
  reported = message;
  log_line(status.ok() ? server::Severity::kInfo : server::Severity::kError,
           status.ok() ? "healthy again" : cat("in trouble: ", message));
}

}  // namespace kehu
