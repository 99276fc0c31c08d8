#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "trace/exporter.h"
#include "trace/tracer.h"

namespace kehu::host {

// Spans of this process on their way to an OpenTelemetry collector. Outlives everything that records.
class TraceExport {
 public:
  // `url` as given with --otlp; when empty, what OpenTelemetry's environment variables say
  // (docs/observability.md). nullptr: nothing is exported. InvalidArgument names the setting that cannot be
  // used.
  static absl::StatusOr<std::unique_ptr<TraceExport>> start(const std::string& url);

  trace::Tracer& tracer() { return tracer_; }
  // Of a collector, for the log: without credentials.
  const std::string& shown_address() const { return shown_address_; }
  // For /metrics.
  void append_figures(std::string& out) const;
  // Sends what is finished; a few seconds at most.
  void stop() { exporter_.stop(); }

 private:
  TraceExport(const trace::TracerOptions& tracer, trace::ExporterOptions exporter, std::string shown_address)
      : shown_address_(std::move(shown_address)), tracer_(tracer), exporter_(tracer_, std::move(exporter)) {}

  std::string shown_address_;
  trace::Tracer tracer_;
  trace::Exporter exporter_;
};

}  // namespace kehu::host
