#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "document/masked_payload.h"
#include "gateway/quarantine.h"
#include "gateway/unmapped_rows.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

constexpr size_t kReplayLimit = 10'000;

std::optional<replica::RejectionState> parse_state(std::string_view name) {
  for (const auto state : {replica::RejectionState::kOpen, replica::RejectionState::kRepaired,
                           replica::RejectionState::kDiscarded}) {
    if (engine::to_string(state) == name) return state;
  }
  return std::nullopt;
}

// Which rejections the query parameters mean. InvalidArgument names the parameter that is wrong.
absl::StatusOr<replica::RejectionFilter> rejection_filter(const engine::Project& project,
                                                          const Request& request) {
  replica::RejectionFilter filter;
  if (const auto reason = request.query("reason")) {
    if (!(filter.reason = gateway::parse_reason(*reason)))
      return wrong_parameter("reason", "one of docs/rejections.md");
  }
  if (const auto state = request.query("state")) {
    if (!(filter.state = parse_state(*state))) return wrong_parameter("state", "open, repaired or discarded");
  }
  if (const auto name = request.query("source")) {
    const engine::Source* source = project.find(*name);
    if (source == nullptr) return wrong_parameter("source", "the name of a source");
    filter.source = source->id;
  }
  if (const auto before = request.query("before")) {
    const auto sequence = parse_number<uint64_t>(*before);
    if (!sequence) return wrong_parameter("before", "the `next` of an earlier page");
    filter.before = Sequence(*sequence);
  }
  if (const auto limit = request.query("limit")) {
    const auto number = parse_limit(*limit);
    if (!number) return wrong_parameter("limit", "between 1 and 1000");
    filter.limit = *number;
  }
  return filter;
}

void write_entry(json::Writer& writer, const replica::RejectionEntry& entry, const engine::Project& project,
                 std::string_view record, std::string_view payload, std::string_view form = {}) {
  writer.begin_object().field("id", entry.sequence.value()).field("reason", to_string(entry.reason));
  writer.field("state", engine::to_string(entry.state));
  writer.field("source", project.name_of(entry.source));
  writer.field("received_at", format_utc(entry.received_at));
  if (const auto rejection = codec::decode_rejection(record); rejection.ok()) {
    writer.field("path", rejection->path)
        .field("detail", rejection->detail)
        .field("origin", rejection->origin);
  }
  if (!payload.empty()) writer.raw_field("payload", payload);
  if (!form.empty()) writer.field("payload_form", form);
  writer.end_object();
}

void list(App& app, const Request& request, Responder responder) {
  const auto filter = rejection_filter(*app.engine().project(), request);
  if (!filter.ok()) return responder.send(to_response(wrong_query(filter.status())));
  answer_from_replica(app.engine(), std::move(responder),
                      [filter = *filter](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        const auto project = replica.project();
                        const auto page = replica.rejections().list(filter);
                        std::string out;
                        json::Writer writer(out);
                        writer.begin_object().key("rejections").begin_array();
                        for (const auto& entry : page) {
                          write_entry(writer, entry, *project, replica.rejections().record(entry.sequence),
                                      {});
                        }
                        writer.end_array();
                        if (page.size() == filter.limit) writer.field("next", page.back().sequence.value());
                        writer.end_object();
                        return out;
                      });
}

void counts(App& app, const Request&, Responder responder) {
  answer_from_replica(app.engine(), std::move(responder),
                      [](replica::Replica& replica) -> absl::StatusOr<std::string> {
                        const auto project = replica.project();
                        std::string out;
                        json::Writer writer(out);
                        writer.begin_object().key("counts").begin_array();
                        for (const replica::RejectionCount& count : replica.rejections().counts()) {
                          writer.begin_object().field("source", project->name_of(count.source));
                          writer.field("reason", to_string(count.reason))
                              .field("total", count.total)
                              .field("open", count.open)
                              .end_object();
                        }
                        writer.end_array().end_object();
                        return out;
                      });
}

absl::StatusOr<Response> get(App& app, const Command& command) {
  const auto rejected = gateway::fetch_rejected(app.gateway(), command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  const auto payload = gateway::open_payload(app.gateway(), *rejected);
  if (!payload.ok()) return payload.status();
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  write_entry(writer, rejected->entry, *project, rejected->record,
              document::masked_payload(*payload, *project->settings()),
              json::Document::parse(*payload).ok() ? "json" : "text");
  return Response::json(std::move(out));
}

Response still_rejected_answer(const absl::Status& status) {
  return to_response({.status = 422,
                      .code = "still_rejected",
                      .title = "The event is still not acceptable",
                      .detail = message_of(status)});
}

absl::StatusOr<Response> repair(App& app, const Command& command) {
  const auto rejected = gateway::fetch_rejected(app.gateway(), command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  std::string text = command.body;
  const bool as_received = text.empty();
  if (as_received) {
    auto payload = gateway::open_payload(app.gateway(), *rejected);
    if (!payload.ok()) return payload.status();
    text = *std::move(payload);
  }
  const absl::Status done = gateway::repair_with(app.gateway(), *rejected,
                                                 {.text = text, .as_received = as_received}, command.actor);
  if (done.code() == absl::StatusCode::kOutOfRange) return still_rejected_answer(done);
  if (!done.ok()) return done;
  return Response::json(R"({"repaired":1})");
}

absl::StatusOr<Response> discard(App& app, const Command& command) {
  const auto rejected = gateway::fetch_rejected(app.gateway(), command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  const absl::Status done = gateway::discard(app.gateway(), *rejected, command.actor);
  if (!done.ok()) return done;
  return Response::json(R"({"discarded":1})");
}

// Reads every open rejection of a filter again, as after a change of the settings.
absl::StatusOr<Response> replay(App& app, replica::RejectionFilter filter, const std::string& actor) {
  filter.state = replica::RejectionState::kOpen;
  filter.limit = kReplayLimit;
  const auto entries = app.engine().ask<std::vector<replica::RejectionEntry>>(
      [&](replica::Replica& replica) { return replica.rejections().list(filter); });
  if (!entries.ok()) return entries.status();
  uint64_t good = 0, bad = 0;
  for (const replica::RejectionEntry& entry : *entries) {
    const auto rejected = gateway::fetch_rejected(app.gateway(), std::to_string(entry.sequence.value()));
    if (!rejected.ok()) return rejected.status();
    const auto payload = gateway::open_payload(app.gateway(), *rejected);
    const absl::Status done =
        payload.ok()
            ? gateway::repair_with(app.gateway(), *rejected, {.text = *payload, .as_received = true}, actor)
            : payload.status();
    (done.ok() ? good : bad) += 1;
  }
  std::string out;
  json::Writer(out).begin_object().field("repaired", good).field("still_rejected", bad).end_object();
  return Response::json(std::move(out));
}

void post_replay(App& app, const Request& request, Responder responder) {
  if (!request.body.empty()) {
    return responder.send(to_response(Problem::bad_request("unexpected_body", "This call takes no body",
                                                           "put the filter into the query: ?reason=…")));
  }
  const auto filter = rejection_filter(*app.engine().project(), request);
  if (!filter.ok()) return responder.send(to_response(wrong_query(filter.status())));
  app.workers().answer(std::move(responder), [&app, filter = *filter, actor = request.principal->name] {
    return to_answer(replay(app, filter, actor));
  });
}

}  // namespace

void add_rejection_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc id{FieldDoc::Where::kPath, "id", "integer", "number of the rejection", true};
  const std::vector<FieldDoc> filters = {
      {FieldDoc::Where::kQuery, "reason", "string", "one of docs/rejections.md", false},
      {FieldDoc::Where::kQuery, "source", "string", "name of a source", false},
      {FieldDoc::Where::kQuery, "state", "string", "open, repaired or discarded", false},
      {FieldDoc::Where::kQuery, "before", "integer", "`next` of an earlier page", false},
      {FieldDoc::Where::kQuery, "limit", "integer", "1 to 1000; 50", false}};
  const AnswerDoc unknown{404, "No such rejection", "application/problem+json", "Problem"};
  routes.push_back({.pattern = "/api/v1/rejections",
                    .permission = Permission::kReadRejections,
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "Events in quarantine, newest first",
                            .group = "rejections",
                            .fields = filters,
                            .answers = with_admin_answers({{200, "One page"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rejections",
       .access = Access::kWriteKey,
       .key = KeyPlace::kOutside,
       .action = BufferedBody{8 << 20, on_connection(app.gateway(), gateway::post_unmapped_rows)},
       .doc = {
           .summary = "Puts rows of a file that could not be read into quarantine",
           .group = "rejections",
           .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization",
                       false},
                      {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators",
                       false}},
           .body_content_type = "application/json",
           .answers = {{200, "Kept"},
                       {401, "Unknown write key", "application/problem+json", "Problem"},
                       {429, "The source sends more than it may", "application/problem+json", "Problem"}}}});
  routes.push_back({.pattern = "/api/v1/rejections/counts",
                    .permission = Permission::kReadRejections,
                    .action = NoBody{on_connection(app, counts)},
                    .doc = {.summary = "How many events are in quarantine, per reason and source",
                            .group = "rejections",
                            .answers = with_admin_answers({{200, "The counts"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/rejections/replay",
                    .permission = Permission::kChangeRejections,
                    .action = BufferedBody{1 << 10, on_connection(app, post_replay)},
                    .doc = {.summary = "Reads open rejections again as they came, up to 10,000 at a time",
                            .group = "rejections",
                            .fields = filters,
                            .answers = with_admin_answers({{200, "How many are events now"}})}});
  routes.push_back({.pattern = "/api/v1/rejections/:id",
                    .permission = Permission::kReadRejections,
                    .action = NoBody{on_worker(app, get)},
                    .doc = {.summary = "One rejection with what was received, personal values masked",
                            .group = "rejections",
                            .fields = {id},
                            .answers = with_admin_answers({{200, "The rejection"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rejections/:id/repair",
       .permission = Permission::kChangeRejections,
       .action = BufferedBody{1 << 20, on_worker(app, repair)},
       .doc = {.summary = "Replaces a rejection by a corrected event (the body; empty: as received)",
               .group = "rejections",
               .fields = {id},
               .body_content_type = "application/json",
               .body_schema = "Event",
               .answers = with_admin_answers(
                   {{200, "It is an event now"},
                    unknown,
                    {409, "Closed already", "application/problem+json", "Problem"},
                    {422, "Still not acceptable", "application/problem+json", "Problem"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/rejections/:id/discard",
                    .permission = Permission::kChangeRejections,
                    .action = NoBody{on_worker(app, discard)},
                    .doc = {.summary = "Closes a rejection without an event",
                            .group = "rejections",
                            .fields = {id},
                            .answers = with_admin_answers({{200, "Closed"}, unknown})}});
}

}  // namespace kehu::api
