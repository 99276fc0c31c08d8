#include "host/trace_export.h"

#include <charconv>
#include <optional>

#include "base/text.h"
#include "fetch/session.h"
#include "host/log_line.h"
#include "host/runtime.h"
#include "os/random.h"

namespace kehu::host {
namespace {

constexpr std::string_view kTracesPath = "/v1/traces";

// Where to post to; empty: nothing is exported.
std::string url_of(const std::string& flag) {
  const bool disabled = environment("OTEL_SDK_DISABLED") == "true";
  std::string base = flag;
  if (base.empty() && !disabled) {
    if (std::string url = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); !url.empty()) return url;
    base = environment("OTEL_EXPORTER_OTLP_ENDPOINT");
  }
  if (base.empty()) return {};
  while (base.ends_with('/')) base.pop_back();
  return base.append(kTracesPath);
}

absl::StatusOr<double> ratio() {
  const std::string text = environment("OTEL_TRACES_SAMPLER_ARG");
  double ratio = trace::TracerOptions().ratio;
  if (text.empty()) return ratio;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && ratio >= 0 && ratio <= 1)
    return ratio;
  return failure(absl::StatusCode::kInvalidArgument, "OTEL_TRACES_SAMPLER_ARG is \"", text,
                 "\": give the part of requests to record, from 0 to 1");
}

// "name=value,name=value", values percent-encoded.
absl::StatusOr<fetch::Headers> headers() {
  fetch::Headers headers = {{"Content-Type", "application/json"}};
  const std::string text = environment("OTEL_EXPORTER_OTLP_HEADERS");
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return absl::InvalidArgumentError(
          "OTEL_EXPORTER_OTLP_HEADERS cannot be read: give name=value, separated by commas");
    }
    headers.emplace_back(pair.substr(0, equals), http::percent_decode(pair.substr(equals + 1)));
  }
  return headers;
}

std::optional<Duration> retry_after(const fetch::Response& response) {
  const auto text = response.header("retry-after");
  int64_t seconds = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), seconds).ec != std::errc()) {
    return std::nullopt;
  }
  return Duration::seconds(std::clamp<int64_t>(seconds, 0, 3600));
}

// Posts batches, and logs when that begins to fail and when it works again.
class Collector {
 public:
  Collector(std::string url, fetch::Headers headers, std::string shown)
      : url_(std::move(url)), headers_(std::move(headers)), shown_(std::move(shown)) {}

  trace::Delivery send(const std::string& json, Duration patience) {
    const auto response =
        session_.run({.method = "POST", .url = url_, .headers = headers_, .body = json, .timeout = patience});
    if (!response.ok()) {
      tell("does not answer");
      return {};
    }
    tell(response->ok() ? "" : cat("answers ", response->status));
    return {.status = response->status, .retry_after = retry_after(*response)};
  }

 private:
  void tell(std::string trouble) {
    if (trouble == trouble_) return;
    trouble_ = std::move(trouble);
    if (trouble_.empty())
      return log_line(server::Severity::kInfo, cat("the collector at ", shown_, " takes traces again"));
    log_line(server::Severity::kWarning,
             cat("the collector at ", shown_, " ", trouble_, ": traces are lost"));
  }

  fetch::Session session_;
  const std::string url_;
  const fetch::Headers headers_;
  const std::string shown_;
  std::string trouble_;
};

void append_counter(std::string_view name, std::string_view help, uint64_t value, std::string& out) {
  out += cat("# HELP ", name, " ", help, "\n# TYPE ", name, " counter\n", name, " ", value, "\n");
}

}  // namespace

absl::StatusOr<std::unique_ptr<TraceExport>> TraceExport::start(const std::string& url) {
  const std::string target = url_of(url);
  if (target.empty()) return nullptr;
  const auto shown = fetch::shown(target);
  if (!shown.ok()) {
    return absl::InvalidArgumentError(
        "the address of the collector cannot be read: give http://HOST:4318 (--otlp, or "
        "OTEL_EXPORTER_OTLP_ENDPOINT)");
  }
  const auto part = ratio();
  if (!part.ok()) return part.status();
  auto fields = headers();
  if (!fields.ok()) return fields.status();
  auto collector = std::make_shared<Collector>(target, *std::move(fields), *shown);
  trace::ExporterOptions options;
  options.resource.service_version = KEHU_VERSION;
  options.resource.instance_id = os::random_hex(16);
  if (const std::string name = environment("OTEL_SERVICE_NAME"); !name.empty())
    options.resource.service_name = name;
  options.send = [collector](const std::string& json, Duration patience) {
    return collector->send(json, patience);
  };
  return std::unique_ptr<TraceExport>(new TraceExport({.ratio = *part}, std::move(options), *shown));
}

void TraceExport::append_figures(std::string& out) const {
  const trace::ExporterCounters& counters = exporter_.counters();
  append_counter("kehu_trace_spans_exported_total", "Spans of Kehu's own work that the collector took.",
                 counters.exported, out);
  append_counter("kehu_trace_spans_dropped_total",
                 "Spans dropped because the buffer to the collector was full.", tracer_.dropped(), out);
  append_counter("kehu_trace_spans_refused_total", "Spans that the collector refused or could not be given.",
                 counters.refused, out);
}

}  // namespace kehu::host
