#include <algorithm>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "http/request_counts.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

absl::Status overall(const engine::Health& health) {
  absl::Status status = health.log;
  status.Update(health.apply);
  return status;
}

// "cannot write /var/lib/kehu/log/7.log: No space left" → "cannot write …: No space left".
std::string without_paths(std::string text) {
  for (size_t at = text.find('/'); at != text.npos; at = text.find('/', at + 1)) {
    if (at > 0 && text[at - 1] != ' ' && text[at - 1] != '"' && text[at - 1] != '(') continue;
    const size_t end = std::min(text.find_first_of(" \",;)", at), text.size());
    const bool colon = end > at && text[end - 1] == ':';
    text.replace(at, end - at, colon ? "…:" : "…");
  }
  return text;
}

void get_ready(App& app, const Request& request, Responder responder) {
  if (const absl::Status status = overall(app.engine().health()); !status.ok()) {
    // Anybody may ask; where the data lies is for whoever reads the server's log.
    return responder.send(to_response(Problem::overloaded(
        request.local || app.admin(request) ? message_of(status) : without_paths(message_of(status)))));
  }
  responder.send(Response::json(R"({"status":"ready"})"));
}

void get_stats(App& app, const Request&, Responder responder) {
  answer_from_replica(
      app.engine(), std::move(responder), [&app](replica::Replica& replica) -> absl::StatusOr<std::string> {
        const engine::LogCounters& log = app.engine().log_counters();
        const replica::Totals& totals = replica.totals();
        std::string out;
        json::Writer writer(out);
        writer.begin_object().field("time", format_utc(app.engine().clock().now()));
        writer.field("time_zone", replica.project()->settings()->time_zone);
        writer.field("events", totals.events).field("customers", totals.customers);
        writer.field("rejections", totals.rejections).field("log_position", replica.applied().value());
        writer.field("state_bytes", replica.stores().memory_bytes())
            .field("archive_position", app.engine().lake().committed().value());
        writer.key("since_start")
            .begin_object()
            .field("events", log.events.load())
            .field("repeats", log.repeats.load());
        writer.field("conflicts", log.conflicts.load()).field("log_bytes", log.bytes.load()).end_object();
        writer.end_object();
        return out;
      });
}

class Exposition {
 public:
  explicit Exposition(std::string& out) : out_(out) {}

  void counter(std::string_view name, std::string_view help, double value) {
    line(name, help, "counter", value);
  }
  void gauge(std::string_view name, std::string_view help, double value) { line(name, help, "gauge", value); }

 private:
  void line(std::string_view name, std::string_view help, std::string_view type, double value) {
    out_ += cat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " ");
    json::Writer(out_).value(value);
    out_ += "\n";
  }
  std::string& out_;
};

Response exposed(std::string text) {
  return {.status = 200, .content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(text)};
}

// A damaged state cannot be asked for its figures; that it is damaged is told all the same.
void get_metrics(App& app, const Request&, Responder responder) {
  WaitingResponder waiting(std::move(responder), [&app] { return exposed(app.metrics()); });
  app.engine().inspect([&app, waiting = std::move(waiting)](replica::Replica& replica) mutable {
    std::string text = app.metrics();
    Exposition out(text);
    out.gauge("kehu_customers", "Customers known now.", static_cast<double>(replica.totals().customers));
    out.counter("kehu_applied_events_total", "Events ever applied to customers.",
                static_cast<double>(replica.totals().events));
    out.counter("kehu_rejections_total", "Events ever put into quarantine.",
                static_cast<double>(replica.totals().rejections));
    out.gauge("kehu_state_memory_bytes", "Memory of customers and identities.",
              static_cast<double>(replica.stores().memory_bytes()));
    waiting.send(exposed(std::move(text)));
  });
}

}  // namespace

std::string App::metrics() {
  const engine::LogCounters& log = engine_.log_counters();
  const engine::Health health = engine_.health();
  std::string text;
  Exposition out(text);
  const auto number = [](uint64_t n) { return static_cast<double>(n); };
  out.counter("kehu_events_total", "New events made durable since the start.", number(log.events));
  out.counter("kehu_repeats_total", "Events recognised as repeats since the start.", number(log.repeats));
  out.counter("kehu_conflicts_total", "Known message ids with another content since the start.",
              number(log.conflicts));
  out.counter("kehu_refused_submissions_total", "Submissions refused because the queue was full.",
              number(log.refused));
  out.counter("kehu_log_commits_total", "Commits of the log since the start.", number(log.commits));
  out.counter("kehu_log_bytes_total", "Bytes committed to the log since the start.", number(log.bytes));
  out.counter("kehu_log_failures_total", "Commits of the log that failed.", number(log.failures));
  out.counter("kehu_log_commit_seconds_total", "Time spent writing and syncing the log.",
              static_cast<double>(log.commit_micros.load()) / 1e6);
  out.counter("kehu_rate_limited_requests_total",
              "Requests refused because their source sent more than it may.", number(limits().refused()));
  out.counter("kehu_unlisted_channels_total",
              "Events since the start whose channel the table of channels does not know.",
              number(engine_.unlisted_channels()));
  out.counter("kehu_amounts_unread_total",
              "Order events since the start whose amount or currency could not be read.",
              number(engine_.amounts_unread()));
  out.counter("kehu_sdk_reports_total", "Figures that browser SDKs reported about themselves.",
              number(gateway_.sdk_reports()));
  out.counter(
      "kehu_personal_values_in_clear_total",
      "Values that read as a phone number, e-mail address or ID card and were stored in clear, because "
      "personal_values of the settings says so.",
      number(gateway_.personal_in_clear()));
  out.counter(
      "kehu_times_ahead_total",
      "Events whose time was later than their sending by a time zone; they count as of their arrival.",
      number(gateway_.times_ahead()));
  out.gauge("kehu_log_position", "Last durable record.", number(engine_.durable().value()));
  out.gauge("kehu_applied_position", "Last record applied to customers.", number(engine_.applied().value()));
  out.gauge("kehu_archived_position", "Last record visible to SQL.", number(engine_.archived().value()));
  out.gauge("kehu_live_subscribers", "WebSocket subscribers of the live feed.", number(live_.subscribers()));
  out.gauge("kehu_log_healthy", "1 when events can be accepted.", health.log.ok() ? 1 : 0);
  out.gauge("kehu_apply_healthy", "1 when state follows the log.", health.apply.ok() ? 1 : 0);
  out.gauge("kehu_lake_healthy", "1 when the archive follows the log.", health.lake.ok() ? 1 : 0);
  out.gauge("kehu_checkpoint_healthy", "1 when the last checkpoint of the state was written.",
            health.checkpoint.ok() ? 1 : 0);
  out.gauge("kehu_files_healthy", "1 when no file of the state or the archive is known to be damaged.",
            health.files.ok() ? 1 : 0);
  const engine::Scrub::Counters scrub = engine_.scrub_counters();
  const delta::FileCheck::Counters compared = engine_.lake().file_check().counters();
  out.gauge("kehu_damaged_files", "Files of the state and the archive that are known to be damaged.",
            number(scrub.damaged_tables + compared.damaged));
  out.counter("kehu_scrub_passes_total", "Times that all files were read again since the start.",
              number(scrub.passes));
  out.counter("kehu_scrub_files_total", "Files that were read again since the start.", number(scrub.files));
  out.counter("kehu_scrub_bytes_total", "Bytes of them.", number(scrub.bytes));
  out.counter("kehu_archive_files_compared_total", "Files of the archive compared with their checksums.",
              number(compared.files));
  out.counter(
      "kehu_unclaimed_requests_total",
      "Requests with a key that no source has, a wrong admin token or a path that nothing is served at.",
      number(strangers().count()));
  const engine::OutboxSender::Counters outgoing = engine_.outbox_sender().counters();
  out.counter("kehu_outbox_attempts_total", "Intents brought to their channel since the start.",
              number(outgoing.attempts));
  out.counter("kehu_outbox_failures_total", "Attempts of them that failed, and are made again.",
              number(outgoing.failures));
  out.counter("kehu_outbox_refusals_total", "Intents that their channel refused for good.",
              number(outgoing.refusals));
  out.counter("kehu_outbox_without_channel_total",
              "Intents of channels that this server was not given; they wait.",
              number(outgoing.without_channel));
  router_->counts().append_metrics(text);
  if (options_.more_metrics) options_.more_metrics(text);
  return text;
}

void add_status_routes(App& app, std::vector<Route>& routes) {
  routes.push_back(
      {.pattern = "/healthz",
       .access = Access::kPublic,
       .action = NoBody{[](const Request&, Responder responder) {
         responder.send(Response::json(R"({"status":"alive"})"));
       }},
       .doc = {.summary = "200 while the process lives", .group = "status", .answers = {{200, "Alive"}}}});
  routes.push_back(
      {.pattern = "/readyz",
       .access = Access::kPublic,
       .action = NoBody{on_connection(app, get_ready)},
       .doc = {.summary = "200 while events are accepted",
               .group = "status",
               .answers = {{200, "Ready"}, {503, "Not now", "application/problem+json", "Problem"}}}});
  routes.push_back({.pattern = "/metrics",
                    .access = Access::kPublic,
                    .action = NoBody{on_connection(app, get_metrics)},
                    .doc = {.summary = "Figures for Prometheus",
                            .group = "status",
                            .answers = {{200, "Text format 0.0.4", "text/plain"}}}});
  routes.push_back({.pattern = "/api/v1/stats",
                    .permission = Permission::kOperate,
                    .action = NoBody{on_connection(app, get_stats)},
                    .doc = {.summary = "What has happened so far, in numbers",
                            .group = "status",
                            .answers = with_admin_answers({{200, "The numbers"}})}});
  routes.push_back(
      {.pattern = "/api/v1/live",
       .permission = Permission::kReadEvents,
       .action = LiveUpgrade{.open = [&app] { return app.live().open(); },
                             .refuse = [&app](const Request& request) { return app.live().refuse(request); }},
       .doc = {
           .summary =
               "WebSocket: events, customers, memberships, counts and a source's requests as they happen",
           .text =
               "Send {\"subscribe\": [\"events\", \"customers\", \"memberships\", \"counts\", \"requests\"], "
               "\"customer\": id, \"event\": name, \"segment\": name, \"source\": name}; or give the same as "
               "query parameters. ?source= "
               "alone asks for the requests of the source (docs/debugger.md). Browsers pass the admin "
               "token as ?access_token=.",
           .group = "live",
           .fields = {{FieldDoc::Where::kQuery, "subscribe", "string",
                       "events, customers, memberships, counts, requests, with commas between them", false},
                      {FieldDoc::Where::kQuery, "customer", "string", "only this customer id", false},
                      {FieldDoc::Where::kQuery, "event", "string", "only this event name", false},
                      {FieldDoc::Where::kQuery, "segment", "string", "memberships of this segment alone",
                       false},
                      {FieldDoc::Where::kQuery, "source", "string", "only this source", false},
                      {FieldDoc::Where::kQuery, "access_token", "string", "the admin token", false}},
           .answers = with_admin_answers(
               {{101, "Switched to WebSocket", ""},
                {400, "It cannot subscribe to that", "application/problem+json", "Problem"},
                {404, "No source of this name", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
