#include <algorithm>
#include <optional>

#include "api/answers.h"
#include "api/app.h"
#include "api/intake_thread.h"
#include "api/masked_payload.h"
#include "api/parameters.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "intake/bulk.h"
#include "intake/cloud_events.h"
#include "intake/posthog.h"
#include "intake/sensors.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/opener.h"

namespace kehu::api {
namespace {

constexpr size_t kReplayLimit = 10'000;

std::optional<Reason> parse_reason(std::string_view name) {
  for (int i = 1; i < kReasonCount; ++i) {
    if (to_string(static_cast<Reason>(i)) == name) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

std::optional<engine::RejectionState> parse_state(std::string_view name) {
  for (const auto state : {engine::RejectionState::kOpen, engine::RejectionState::kRepaired,
                           engine::RejectionState::kDiscarded}) {
    if (engine::to_string(state) == name) return state;
  }
  return std::nullopt;
}

absl::StatusOr<engine::RejectionFilter> read_filter(const engine::Project& project, const Request& request) {
  engine::RejectionFilter filter;
  if (const auto reason = request.query("reason")) {
    if (!(filter.reason = parse_reason(*reason)))
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

void write_entry(json::Writer& writer, const engine::RejectionEntry& entry, const engine::Project& project,
                 std::string_view record, std::string_view payload) {
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
  writer.end_object();
}

void list(App& app, const Request& request, Responder responder) {
  const auto filter = read_filter(*app.engine().project(), request);
  if (!filter.ok()) return responder.send(to_response(wrong_query(filter.status())));
  answer_from_replica(
      app, std::move(responder), [filter = *filter](engine::Replica& replica) -> absl::StatusOr<std::string> {
        const auto project = replica.project();
        const auto page = replica.rejections().list(filter);
        std::string out;
        json::Writer writer(out);
        writer.begin_object().key("rejections").begin_array();
        for (const auto& entry : page) {
          write_entry(writer, entry, *project, replica.rejections().record(entry.sequence), {});
        }
        writer.end_array();
        if (page.size() == filter.limit) writer.field("next", page.back().sequence.value());
        writer.end_object();
        return out;
      });
}

void counts(App& app, const Request&, Responder responder) {
  answer_from_replica(app, std::move(responder), [](engine::Replica& replica) -> absl::StatusOr<std::string> {
    const auto project = replica.project();
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("counts").begin_array();
    for (const engine::RejectionCount& count : replica.rejections().counts()) {
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

absl::Status check_open(const engine::RejectionEntry& entry) {
  if (entry.state == engine::RejectionState::kOpen) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, "this rejection is closed already: it is ",
                 engine::to_string(entry.state));
}

absl::Status still_rejected(std::string_view why) { return failure(absl::StatusCode::kOutOfRange, why); }

// What a worker needs of one rejection.
struct Rejected {
  engine::RejectionEntry entry;
  std::string record;
};

absl::StatusOr<Rejected> fetch(App& app, std::string_view id) {
  const auto sequence = parse_number<uint64_t>(id);
  if (!sequence) return failure(absl::StatusCode::kInvalidArgument, "a rejection is named by its number");
  return ask_replica(app, [&](engine::Replica& replica) -> absl::StatusOr<Rejected> {
    const auto entry = replica.rejections().find(Sequence(*sequence));
    if (!entry) return failure(absl::StatusCode::kNotFound, "there is no rejection ", id);
    return Rejected{*entry, replica.rejections().record(entry->sequence)};
  });
}

absl::StatusOr<std::string> open_payload(App& app, const Rejected& rejected) {
  const auto rejection = codec::decode_rejection(rejected.record);
  if (!rejection.ok()) return rejection.status();
  seal::Opener opener(app.engine().key(), app.engine().ring());
  seal::Opened opened = opener.open_payload(rejection->sealed_payload);
  if (!opened.ok())
    return failure(absl::StatusCode::kDataLoss, "the payload of this rejection does not open");
  return std::move(opened.value);
}

absl::StatusOr<Response> get(App& app, const Command& command) {
  const auto rejected = fetch(app, command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  const auto payload = open_payload(app, *rejected);
  if (!payload.ok()) return payload.status();
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  write_entry(writer, rejected->entry, *project, rejected->record,
              masked_payload(*payload, *project->settings()));
  return Response::json(std::move(out));
}

absl::Status close_rejection(App& app, const Rejected& rejected, RejectionOutcome outcome,
                             const std::string& actor) {
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kRejectionClosed, [&](std::string& out) {
    codec::append_rejection_closed({.rejection = rejected.entry.sequence, .outcome = outcome, .actor = actor},
                                   out);
  });
  return app.engine().submit_and_wait(std::move(batch)).status();
}

// Why the event that was just decoded is still none: the reason and detail of its first rejection.
std::string first_detail(const RecordBatch& records) {
  for (const RecordBatch::Entry& entry : records.entries) {
    if (entry.kind != RecordKind::kRejection) continue;
    const auto rejection = codec::decode_rejection(records.payload(entry));
    if (rejection.ok())
      return cat(to_string(rejection->reason), " at \"", rejection->path, "\": ", rejection->detail);
  }
  return "there is no event in it: send the whole event as one JSON object";
}

bool is_posthog(std::string_view origin) {
  constexpr std::string_view kPaths[] = {"/e", "/i/v0/e", "/capture", "/batch", "/track"};
  return std::any_of(std::begin(kPaths), std::end(kPaths),
                     [origin](std::string_view path) { return origin.starts_with(path); });
}

// At the top, or among the properties.
bool has_member(std::string_view text, std::string_view name) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return false;
  const json::Value root = document->root();
  return root.find(name).exists() || root.find("properties").find(name).exists();
}

template <class Decoder>
void read_whole(Decoder decoder, std::string_view text, const intake::Context& context, intake::Intake& out) {
  if (!decoder.open(text)) decoder.decode(context, out);
}

// In the form in which it came, or in our plain one.
void read_again(const Rejected& rejected, const intake::Context& context, std::string_view text,
                intake::Intake& out) {
  const auto rejection = codec::decode_rejection(rejected.record);
  const std::string_view origin = rejection.ok() ? rejection->origin : std::string_view();
  const bool sensors = origin.starts_with("/sa") || origin.starts_with("/debug");
  const bool plain = text.starts_with('{') && !intake::is_sensors_text(text);
  if (sensors && !plain) {
    intake::SensorsDecoder decoder;
    decoder.open({}, text);
    while (decoder.decode(context, {}, out)) continue;
    return;
  }
  // Whoever repairs an event may write it in either form; these members tell.
  if (is_posthog(origin) && has_member(text, "distinct_id"))
    return read_whole(intake::PostHogDecoder(), text, context, out);
  const bool cloud_event = origin.starts_with("/api/v1/cloudevents") && has_member(text, "specversion");
  if (cloud_event) return read_whole(intake::CloudEventDecoder(), text, context, out);
  intake::BulkDecoder decoder(context);
  decoder.feed(text, out);
  decoder.finish(out);
}

// Reads `text` as an event of the rejection's source and, if it is one now, logs it and closes the rejection.
// The event goes first: after a crash in between, repairing again finds it there. FailedPrecondition says
// what is still wrong.
absl::Status repair_with(App& app, const Rejected& rejected, std::string_view text,
                         const std::string& actor) {
  if (auto status = check_open(rejected.entry); !status.ok()) return status;
  IntakeRoom room(app.engine());
  const engine::Source* source = room.project->find(rejected.entry.source);
  const intake::Context context{.policy = &room.policy,
                                .door = &room.door,
                                .project = engine::Project::kDefault,
                                .source = rejected.entry.source,
                                .default_channel = source == nullptr ? Channel::kUnknown : source->channel,
                                .received_at = rejected.entry.received_at,
                                .retried = false,
                                .remote_ip = {},
                                .origin = "repair"};
  read_again(rejected, context, text, room.intake);
  if (room.intake.rejected > 0 || room.intake.accepted == 0)
    return still_rejected(first_detail(room.intake.records));
  const auto ack = app.engine().submit_and_wait({.batch = std::move(room.intake.records),
                                                 .data_keys = std::move(room.intake.new_key_ids),
                                                 .conflicts = engine::Submission::Conflicts::kOnlyCount,
                                                 .done = {}});
  if (!ack.ok()) return ack.status();
  if (ack->conflicts > 0) {
    return still_rejected(
        "duplicate_conflict at \"/message_id\": its message id is known with another content; "
        "give it an id of its own, or discard it");
  }
  return close_rejection(app, rejected, RejectionOutcome::kRepaired, actor);
}

Response still_rejected_answer(const absl::Status& status) {
  return to_response({.status = 422,
                      .code = "still_rejected",
                      .title = "The event is still not acceptable",
                      .detail = message_of(status)});
}

absl::StatusOr<Response> repair(App& app, const Command& command) {
  const auto rejected = fetch(app, command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  std::string text = command.body;
  if (text.empty()) {
    auto payload = open_payload(app, *rejected);
    if (!payload.ok()) return payload.status();
    text = *std::move(payload);
  }
  const absl::Status done = repair_with(app, *rejected, text, command.actor);
  if (done.code() == absl::StatusCode::kOutOfRange) return still_rejected_answer(done);
  if (!done.ok()) return done;
  return Response::json(R"({"repaired":1})");
}

absl::StatusOr<Response> discard(App& app, const Command& command) {
  const auto rejected = fetch(app, command.parameter("id"));
  if (!rejected.ok()) return rejected.status();
  if (auto status = check_open(rejected->entry); !status.ok()) return status;
  const absl::Status done = close_rejection(app, *rejected, RejectionOutcome::kDiscarded, command.actor);
  if (!done.ok()) return done;
  return Response::json(R"({"discarded":1})");
}

// "dir/orders.csv.gz:17" → "orders.csv:17": a row stays the same when its file is moved or packed.
std::string row_name(std::string_view origin) {
  std::string name(origin.substr(origin.rfind('/') + 1));
  if (const size_t packed = name.rfind(".gz:"); packed != std::string::npos) name.erase(packed, 3);
  return name;
}

// Rows of files that could not be mapped, from `kehu import`: {"rejections": [{"reason", "path", "detail",
// "origin", "payload"}]}. The same row again is a repeat.
absl::StatusOr<Response> add(App& app, SourceId source, const std::string& body) {
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  IntakeRoom room(app.engine());
  RecordBatch batch;
  for (const auto& member : document->root().find("rejections")) {
    const auto text = [&](const char* name) { return member.value.find(name).as_string().value_or(""); };
    const auto reason = parse_reason(text("reason"));
    if (!reason) return wrong_parameter("reason", "one of docs/rejections.md");
    const std::string path = text("path"), detail = text("detail"), origin = text("origin");
    const std::string sealed = room.door.seal_payload(text("payload"));
    codec::add_rejection(batch, {.project = engine::Project::kDefault,
                                 .source = source,
                                 .reason = *reason,
                                 .received_at = app.engine().clock().now(),
                                 .repeat_key = hash128(cat(row_name(origin), "\n", sealed), source.value()),
                                 .path = path,
                                 .detail = detail,
                                 .origin = origin,
                                 .sealed_payload = sealed});
  }
  engine::Ack ack;
  if (!batch.empty()) {
    const auto done = app.engine().submit_and_wait(std::move(batch));
    if (!done.ok()) return done.status();
    ack = *done;
  }
  std::string out;
  json::Writer(out)
      .begin_object()
      .field("rejected", ack.rejections)
      .field("repeats", ack.repeats)
      .end_object();
  return Response::json(std::move(out));
}

void post(App& app, const Request& request, Responder responder) {
  const auto project = app.engine().project();
  const engine::Source* source = app.source_of(*project, write_key_of(request).value_or(""));
  const bool keyless = !write_key_of(request);
  if (keyless && app.admin(request)) source = project->find(request.query("source").value_or("default"));
  if (source == nullptr)
    return responder.send(to_response(Problem::unauthorized("send the write key of a source")));
  app.workers().answer(std::move(responder), [&app, id = source->id, body = std::string(request.body)] {
    return to_answer(add(app, id, body));
  });
}

// Reads every open rejection of a filter again, as after a change of the settings.
absl::StatusOr<Response> replay(App& app, engine::RejectionFilter filter, const std::string& actor) {
  filter.state = engine::RejectionState::kOpen;
  filter.limit = kReplayLimit;
  const auto entries = app.engine().ask<std::vector<engine::RejectionEntry>>(
      [&](engine::Replica& replica) { return replica.rejections().list(filter); });
  if (!entries.ok()) return entries.status();
  uint64_t good = 0, bad = 0;
  for (const engine::RejectionEntry& entry : *entries) {
    const auto rejected = fetch(app, std::to_string(entry.sequence.value()));
    if (!rejected.ok()) return rejected.status();
    const auto payload = open_payload(app, *rejected);
    const absl::Status done = payload.ok() ? repair_with(app, *rejected, *payload, actor) : payload.status();
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
  const auto filter = read_filter(*app.engine().project(), request);
  if (!filter.ok()) return responder.send(to_response(wrong_query(filter.status())));
  app.workers().answer(std::move(responder), [&app, filter = *filter, actor = app.admin(request)->name] {
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
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "Events in quarantine, newest first",
                            .group = "rejections",
                            .fields = filters,
                            .answers = with_admin_answers({{200, "One page"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/rejections",
                    .access = Access::kWriteKey,
                    .action = BufferedBody{8 << 20, on_connection(app, post)},
                    .doc = {.summary = "Puts rows of a file that could not be read into quarantine",
                            .group = "rejections",
                            .fields = {{FieldDoc::Where::kQuery, "writeKey", "string",
                                        "instead of Basic authorization", false},
                                       {FieldDoc::Where::kQuery, "source", "string",
                                        "name of the source, for administrators", false}},
                            .body_content_type = "application/json",
                            .answers = {{200, "Kept"},
                                        {401, "Unknown write key", "application/problem+json", "Problem"}}}});
  routes.push_back({.pattern = "/api/v1/rejections/counts",
                    .action = NoBody{on_connection(app, counts)},
                    .doc = {.summary = "How many events are in quarantine, per reason and source",
                            .group = "rejections",
                            .answers = with_admin_answers({{200, "The counts"}})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/rejections/replay",
                    .action = BufferedBody{1 << 10, on_connection(app, post_replay)},
                    .doc = {.summary = "Reads open rejections again as they came, up to 10,000 at a time",
                            .group = "rejections",
                            .fields = filters,
                            .answers = with_admin_answers({{200, "How many are events now"}})}});
  routes.push_back({.pattern = "/api/v1/rejections/:id",
                    .action = NoBody{on_worker(app, get)},
                    .doc = {.summary = "One rejection with what was received, personal values masked",
                            .group = "rejections",
                            .fields = {id},
                            .answers = with_admin_answers({{200, "The rejection"}, unknown})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/rejections/:id/repair",
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
                    .action = NoBody{on_worker(app, discard)},
                    .doc = {.summary = "Closes a rejection without an event",
                            .group = "rejections",
                            .fields = {id},
                            .answers = with_admin_answers({{200, "Closed"}, unknown})}});
}

}  // namespace kehu::api
