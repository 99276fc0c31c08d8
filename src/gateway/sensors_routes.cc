#include <atomic>
#include <mutex>

#include "base/text.h"
#include "codec/record.h"
#include "debugger/debugger.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "gateway/intake_thread.h"
#include "http/credentials.h"
#include "http/problem.h"
#include "json/writer.h"
#include "sensors/decoder.h"

namespace kehu::gateway {
namespace {

// Larger: 413. What stays below fits into one log batch, even when none of it can be read.
constexpr size_t kBodyBytes = 3u << 20;
// Transparent, 1 × 1.
constexpr std::string_view kGif(
    "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00"
    "\x01\x00\x01\x00\x00\x02\x02"
    "D\x01\x00;",
    43);

// The app keeps its own settings: nothing is switched off. Where the project has a key pair, SDKs that are to
// encrypt take its public half: `key_v2` is read by the newer ones, `key` by the older.
std::string config_of(const engine::Project& project, std::string_view version) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("v", version).key("configs").begin_object();
  writer.field("disableDebugMode", false).field("disableSDK", false).field("autoTrackMode", -1);
  writer.key("event_blacklist").begin_array().end_array().field("nv", version).field("effect_mode", 0);
  if (!project.envelope_keys().empty()) {
    const seal::EnvelopeKey& key = project.envelope_keys().back();
    writer.key("key")
        .begin_object()
        .field("pkv", key.version.value())
        .field("public_key", key.public_key)
        .end_object();
    writer.key("key_v2").begin_object().field("pkv", key.version.value()).field("type", "RSA+AES");
    writer.field("public_key", key.public_key).end_object().field("supportTransportEncrypt", true);
  }
  writer.end_object().end_object();
  return out;
}

// Another key pair is another configuration, so that apps take it.
std::string config_version(const engine::Project& project) {
  constexpr std::string_view kVersion = "kehu-1";
  const auto& keys = project.envelope_keys();
  return keys.empty() ? std::string(kVersion) : cat(kVersion, "-key-", keys.back().version.value());
}

enum class Endpoint : uint8_t { kData, kPixel, kDebug };
struct Path {
  std::string_view path;
  Endpoint endpoint;
};
constexpr Path kPaths[] = {
    {"/sa", Endpoint::kData}, {"/sa.gif", Endpoint::kPixel}, {"/debug", Endpoint::kDebug}};

Response accepted(Endpoint endpoint) {
  if (endpoint == Endpoint::kPixel) {
    return Response::fixed("image/gif", kGif).with("Cache-Control", "no-store");
  }
  return Response::text({});
}

// The mobile SDKs delete their events on every 4xx but 403 and 404, and send again after those and 5xx.
Response refused(Problem problem) {
  if (problem.status == 401 || problem.status == 429) problem.status = problem.status == 401 ? 403 : 503;
  return to_response(problem);
}

Response refused_as_sensors(const Problem& problem) { return refused(problem); }

Response busy(const absl::Status& status) {
  Problem problem = log_problem(status);
  problem.status = 503;
  problem.retry_after_s = 1;
  return to_response(problem);
}

// The parts of a request on their way to the log; answered once all are durable.
class Parts {
 public:
  Parts(Responder responder, Response accepted, debugger::FollowedRequest followed)
      : responder_(std::move(responder)), accepted_(std::move(accepted)), followed_(std::move(followed)) {}

  void add() {
    const std::lock_guard lock(mutex_);
    ++open_;
  }
  void done(size_t part, const engine::Ack& ack) {
    followed_.logged(part, ack);
    const std::lock_guard lock(mutex_);
    if (!ack.status.ok()) failure_ = ack.status;
    if (--open_ > 0 || responder_.answered()) return;
    Response answer = failure_.ok() ? std::move(accepted_) : busy(failure_);
    followed_.answered(answer);
    responder_.send(std::move(answer));
  }

 private:
  std::mutex mutex_;
  Responder responder_;
  Response accepted_;
  const debugger::FollowedRequest followed_;
  int open_ = 0;
  absl::Status failure_;
};

// Why records were rejected, a line for each, for the developer in front of debug mode.
void append_faults(const RecordBatch& records, std::string& out) {
  for (const RecordBatch::Entry& entry : records.entries) {
    if (entry.kind != RecordKind::kRejection) continue;
    const auto rejection = codec::decode_rejection(records.payload(entry));
    if (!rejection.ok()) continue;
    out += cat(rejection->origin, ": ", to_string(rejection->reason), " at \"", rejection->path,
               "\": ", rejection->detail, "\n");
  }
}

sensors::Decoder& sensors_decoder() {
  thread_local sensors::Decoder decoder;
  return decoder;
}

// In this order: the header, ?writeKey=, ?token=, ?project=, and what the first record says.
const engine::Source* find_source(const Gateway& gateway, const engine::Project& project,
                                  const Request& request, const sensors::Decoder& decoder) {
  if (const auto key = write_key_of(request)) {
    if (const auto* source = gateway.source_of(project, *key)) return source;
  }
  for (const std::string& key : decoder.write_keys()) {
    if (const auto* source = gateway.source_of(project, key)) return source;
  }
  return nullptr;
}

void take_records(Gateway& gateway, const Path& path, const Request& request, Responder responder) {
  IntakeRoom& room = intake_room(gateway);
  sensors::Decoder& decoder = sensors_decoder();
  std::string inflated;
  decoder.open(request.query_string(), without_deflate(request, sensors::Body::kTextBytes, inflated));
  const engine::Source* source = find_source(gateway, *room.project, request, decoder);
  if (source == nullptr) {
    gateway.strangers().note(request, 403, *room.project->settings(), gateway.engine().clock().now());
    return responder.send(refused(
        Problem::forbidden("no source has the `token` or `project` of this address as its write key")));
  }
  const Instant now = gateway.engine().clock().now();
  if (const auto wait = gateway.limits().refuses(*source, request.remote, now)) {
    Problem problem = Problem::overloaded(cat("source \"", source->name, "\" sends more than it may"));
    problem.code = "rate_limited";
    problem.retry_after_s = *wait;
    Response answer = refused(problem);
    gateway.debugger().refused({.source = *source, .received_at = now, .request = &request},
                               {.stage = debugger::Stage::kRateLimit, .why = problem.detail}, answer);
    return responder.send(std::move(answer));
  }
  intake::Context context = intake_context(room, *source, request, now, path.path);
  if (request.local) context.remote_ip = {};
  const sensors::Record::Sender sender{.user_agent = request.header("User-Agent").value_or("")};
  const bool debug = path.endpoint == Endpoint::kDebug;
  const bool dry_run = debug && request.header("Dry-Run").value_or("") == "true";

  const debugger::Sighting sighting{
      .source = *source, .received_at = now, .request = &request, .body = decoder.text()};
  debugger::FollowedRequest followed = gateway.debugger().follow(sighting);
  std::vector<intake::Intake> parts;
  std::string faults;
  trace::ActiveSpan decoding = request.trace.child("decode");
  uint64_t events = 0;
  for (bool more = true; more;) {
    room.intake.clear();
    more = decoder.decode(context, sender, room.intake);
    events += room.intake.accepted + room.intake.rejected;
    if (room.intake.times_ahead > 0 && !dry_run) gateway.times_ahead() += room.intake.times_ahead;
    if (debug) append_faults(room.intake.records, faults);
    if (!followed && room.intake.rejected > 0) {
      followed = gateway.debugger().follow(sighting, debugger::Debugger::Outcome::kWentWrong);
    }
    if (dry_run) followed.add_checked(room.intake.records);
    if (dry_run || room.intake.records.empty()) continue;
    parts.push_back(std::move(room.intake));
    room.intake = {};
  }
  decoding.end();
  gateway.limits().charge(*source, request.remote, events, now);
  Response answer = faults.empty() ? accepted(path.endpoint) : Response::text(std::move(faults), 400);
  if (parts.empty()) {
    followed.answered(answer);
    return responder.send(std::move(answer));
  }

  auto waiting = std::make_shared<Parts>(std::move(responder), std::move(answer), followed);
  for (size_t i = 0; i < parts.size(); ++i) waiting->add();
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t number = followed.add_part(parts[i].records);
    const auto status = gateway.engine().submit(
        {.batch = std::move(parts[i].records),
         .data_keys = std::move(parts[i].new_key_ids),
         .tell_fates = static_cast<bool>(followed),
         .done = [waiting, number](const engine::Ack& ack) { waiting->done(number, ack); },
         .waiting = request.trace.child("wait for the log")});
    if (!status.ok()) waiting->done(number, {.status = status});
  }
}

void get_config(Gateway& gateway, const Request& request, Responder responder) {
  const auto project = gateway.engine().project();
  const std::string version = config_version(*project);
  // There is nothing new for an app that sends it back.
  if (request.query("nv").value_or("") == version) return responder.send({.status = 304});
  responder.send(Response::json(config_of(*project, version)));
}

// "Nothing has changed", after which the SDKs ask no further.
void get_visualized(Gateway&, const Request&, Responder responder) { responder.send({.status = 304}); }

RouteDoc data_doc(const Path& path, bool body) {
  const bool debug = path.endpoint == Endpoint::kDebug;
  RouteDoc doc{
      .summary = debug ? "Sensors Analytics: check records, and take them unless Dry-Run is true"
                       : "Sensors Analytics: records of its SDKs",
      .text =
          "`data` (a record) or `data_list` (an array), base64 of JSON, gzipped or not; "
          "docs/clients/sensors.md. "
          "A record that is wrong, or a request that cannot be read, is kept in quarantine and answered 200.",
      .group = "intake",
      .fields = {{FieldDoc::Where::kQuery, "project", "string", "the write key of a source", false},
                 {FieldDoc::Where::kQuery, "token", "string", "the same, where the project's name is to stay",
                  false}},
      .answers = {
          {200, "Durable, or in quarantine", path.endpoint == Endpoint::kPixel ? "image/gif" : "text/plain"},
          {403, "Unknown write key; the SDKs keep their events", "application/problem+json", "Problem"},
          {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
          {503, "The source sends more than it may, or the log cannot take more now",
           "application/problem+json", "Problem"}}};
  if (debug) {
    doc.fields.push_back({FieldDoc::Where::kHeader, "Dry-Run", "string", "true: nothing is stored", false});
    doc.answers.push_back({400, "What is wrong with the records, a line for each", "text/plain"});
  }
  if (body) {
    doc.body_content_type = "application/x-www-form-urlencoded";
  } else {
    doc.fields.push_back({FieldDoc::Where::kQuery, "data", "string", "a record", false});
    doc.fields.push_back({FieldDoc::Where::kQuery, "data_list", "string", "an array of records", false});
  }
  return doc;
}

Route config_route(Gateway& gateway, std::string_view pattern,
                   void (*get)(Gateway&, const Request&, Responder)) {
  return {.method = Method::kGet,
          .pattern = std::string(pattern),
          .access = Access::kPublic,
          .action = NoBody{on_connection(gateway, get)},
          .doc = {.summary = "Sensors Analytics: remote configuration of its mobile SDKs",
                  .text = "The app keeps its own settings. It may be given a key to encrypt its events for.",
                  .group = "intake",
                  .fields = {{FieldDoc::Where::kQuery, "nv", "string", "version that the app has", false}},
                  .answers = {{200, "Nothing is switched off"}, {304, "Nothing has changed"}}}};
}

}  // namespace

void add_sensors_routes(Gateway& gateway, std::vector<Route>& routes) {
  for (const Path& path : kPaths) {
    const Handler take = [&gateway, &path](const Request& request, Responder responder) {
      take_records(gateway, path, request, std::move(responder));
    };
    routes.push_back({.method = Method::kPost,
                      .pattern = std::string(path.path),
                      .access = Access::kWriteKey,
                      .key = KeyPlace::kCandidate,
                      .action = BufferedBody{kBodyBytes, take, refused_as_sensors},
                      .doc = data_doc(path, true)});
    routes.push_back({.method = Method::kGet,
                      .pattern = std::string(path.path),
                      .access = Access::kWriteKey,
                      .action = NoBody{take},
                      .doc = data_doc(path, false)});
  }
  for (const std::string_view pattern : {"/config/Android.conf", "/config/iOS.conf"}) {
    routes.push_back(config_route(gateway, pattern, get_config));
  }
  for (const std::string_view pattern : {"/config/visualized/Android.conf", "/config/visualized/iOS.conf"}) {
    routes.push_back(config_route(gateway, pattern, get_visualized));
  }
}

}  // namespace kehu::gateway
