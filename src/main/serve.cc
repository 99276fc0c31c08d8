#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "absl/cleanup/cleanup.h"
#include "base/text.h"
#include "channel/http_channel.h"
#include "directory/data_directory.h"
#include "fetch/request.h"
#include "host/certificate.h"
#include "host/log_line.h"
#include "host/runtime.h"
#include "host/server_options.h"
#include "host/stop_signal.h"
#include "host/trace_export.h"
#include "host/welcome.h"
#include "main/servers.h"
#include "os/posix_file_system.h"
#include "os/unused_memory.h"
#include "publication/publications.h"
#include "upload/attachment.h"

namespace kehu {

namespace {

void trace_into(host::TraceExport& traces, host::RuntimeOptions& options) {
  options.tracer = &traces.tracer();
  options.more_metrics = [&traces](std::string& out) { traces.append_figures(out); };
}

void add_metrics(const std::unique_ptr<publication::Publications>& publications,
                 host::RuntimeOptions& options) {
  options.more_metrics = [&publications, others = options.more_metrics](std::string& out) {
    if (others) others(out);
    if (publications != nullptr) publications->append_metrics(out);
  };
}

// The server is there only after the runtime that is given its figures.
void add_server_metrics(const std::atomic<const server::Server*>& serving, host::RuntimeOptions& options) {
  options.more_metrics = [&serving, others = options.more_metrics](std::string& out) {
    if (others) others(out);
    if (const server::Server* server = serving.load()) host::append_server_metrics(server->stats(), out);
  };
}

void log_notice(const publication::Notice& notice) {
  host::log_line(notice.well ? server::Severity::kInfo : server::Severity::kWarning, notice.text);
}

}  // namespace

namespace {

absl::Status check_options(const ServeCommand& command) {
  if (!command.test_channel.empty() && !fetch::shown(command.test_channel).ok()) {
    return absl::InvalidArgumentError(
        "the address of the channel \"test\" cannot be read: give --test-channel http://HOST:PORT/PATH");
  }
  if (!command.tls_listen.empty()) return absl::OkStatus();
  const char* option = !command.tls_certificate_file.empty() ? "--tls-cert"
                       : !command.tls_key_file.empty()       ? "--tls-key"
                       : command.only_tls13                  ? "--tls13-only"
                                                             : nullptr;
  if (option == nullptr) return absl::OkStatus();
  return failure(absl::StatusCode::kInvalidArgument, option,
                 " does nothing without TLS: say where to listen for it, e.g. --tls 0.0.0.0:7443");
}

void note_settings(const ServeCommand& command) {
  if (command.settings.empty() || !directory::DataDirectory::exists(os::posix_file_system(), command.data))
    return;
  host::log_line(server::Severity::kWarning,
                 cat("--settings counts for a new directory only, and ", command.data,
                     " exists: its own settings stay. `kehu settings set ", command.settings, " --data ",
                     command.data, "` changes them"));
}

}  // namespace

absl::Status run_serve(const ServeCommand& command) {
  if (auto status = check_options(command); !status.ok()) return status;
  host::StopSignal stop(host::StopSignal::Hangup::kReloads);
  auto traces = host::TraceExport::start(command.otlp);
  if (!traces.ok()) return traces.status();
  host::RuntimeOptions opening{.directory = command.data,
                               .settings_file = command.settings,
                               .memory_bytes = command.memory_mb << 20,
                               .progress = host::report_recovery};
  if (*traces) trace_into(**traces, opening);
  if (!command.test_channel.empty()) {
    opening.channels["test"] =
        std::make_shared<channel::HttpChannel>(channel::HttpChannel::Options{.url = command.test_channel});
  }
  note_settings(command);
  opening.warn = [](std::string_view text) { host::log_line(server::Severity::kWarning, text); };
  opening.webhooks = webhook::Options{.private_addresses = command.private_webhooks, .warn = opening.warn};
  std::unique_ptr<publication::Publications> publications;
  add_metrics(publications, opening);
  std::atomic<const server::Server*> serving{nullptr};
  add_server_metrics(serving, opening);
  auto runtime = host::Runtime::open(opening);
  if (!runtime.ok()) return runtime.status();
  // They work on the runtime, so they end before it.
  const absl::Cleanup end_publications = [&publications] { publications.reset(); };
  server::Options options = host::server_options(command.listen, command.data, command.threads);
  if (command.access_log) options.access_log = host::log_access;
  options.tracer = opening.tracer;
  std::optional<host::CertificateSource> certificate;
  if (!command.tls_listen.empty()) {
    auto source = host::CertificateSource::open({.certificate_file = command.tls_certificate_file,
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
  serving = server->get();
  const absl::Cleanup end_serving = [&serving] { serving = nullptr; };
  auto attachments = upload::Attachments::start(command.attach, **runtime);
  if (!attachments.ok()) return attachments.status();
  host::log_line(server::Severity::kInfo,
                 cat("listening on port ", (*server)->port(), ", data in ", command.data));
  if (certificate) {
    host::log_line(server::Severity::kInfo, cat("TLS on port ", (*server)->tls_port(), ", certificate ",
                                                certificate->options().certificate_file,
                                                certificate->self_made() ? " (self-made)" : ""));
  }

  host::welcome(**runtime, host::page_of(command.listen, (*server)->port()), command.data);
  if (*traces) {
    host::log_line(server::Severity::kInfo, cat("traces go to ", (*traces)->shown_address()));
  }
  os::UnusedMemory unused;
  while (!stop.wait(Duration::seconds(1))) {
    unused.look();
    host::report_health((*runtime)->engine().health());
    if (certificate) host::watch_certificate(*certificate, stop, **server);
  }
  host::log_line(server::Severity::kInfo, "stopping: finishing what was accepted");
  (*attachments)->stop();
  (*server)->stop();
  publications.reset();
  const absl::Status status = (*runtime)->stop();
  if (*traces) (*traces)->stop();
  host::log_line(status.ok() ? server::Severity::kInfo : server::Severity::kError,
                 status.ok() ? "stopped" : cat("stopped with an error: ", message_of(status)));
  return status;
}

}  // namespace kehu
