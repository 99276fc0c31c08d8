#include "base/text.h"
#include "codec/record.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "http/problem.h"
#include "json/writer.h"
#include "sensors/decoder.h"

namespace kehu::gateway {
namespace {

// Larger: 413. What stays below fits into one log batch, even when none of it can be read.
constexpr size_t kBodyBytes = 3u << 20;
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

Response accepted(const IntakeSummary&) { return Response::text({}); }

// The mobile SDKs delete their events on every 4xx but 403 and 404, and send again after those and 5xx.
Response refused(const Problem& problem) {
  Problem told = problem;
  if (problem.status == 401 || problem.status == 429) told.status = problem.status == 401 ? 403 : 503;
  return to_response(told);
}

Problem sends_too_much(const engine::Source& source, const Wait& wait) {
  Problem problem = Problem::overloaded(cat("source \"", source.name, "\" sends more than it may"));
  problem.code = "rate_limited";
  problem.retry_after_s = wait.retry_after_s;
  return problem;
}

Problem no_such_key() {
  return Problem::forbidden("no source has the `token` or `project` of this address as its write key");
}

constexpr Voice kVoice{.accepted = accepted,
                       .refused = refused,
                       .busy_status = 503,
                       .rate_limited = sends_too_much,
                       .unknown_key = no_such_key};
struct Path {
  std::string_view path;
  bool pixel = false;
  bool debug = false;
};
constexpr Path kPaths[] = {
    {.path = "/sa"}, {.path = "/sa.gif", .pixel = true}, {.path = "/debug", .debug = true}};

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

void take_records(Gateway& gateway, const Path& path, const Request& request, Responder responder) {
  IntakeCall call(gateway, request, std::move(responder), kVoice);
  sensors::Decoder& decoder = sensors_decoder();
  std::string inflated;
  decoder.open(request.query_string(), without_deflate(request, sensors::Body::kTextBytes, inflated));
  if (!call.find_source_among(decoder.write_keys()) || !call.open(decoder.text())) return;
  std::string faults;
  call.decode([&](intake::Sender& sender, intake::Intake& out) {
    if (request.local) sender.remote_ip = {};
    const bool more = decoder.decode(sender, out);
    if (path.debug) append_faults(out.records, faults);
    return more;
  });
  call.charge();
  if (path.pixel) call.answer_with(pixel());
  if (!faults.empty()) call.answer_with(Response::text(std::move(faults), 400));
  const bool dry_run = path.debug && request.header("Dry-Run").value_or("") == "true";
  dry_run ? call.show() : call.send();
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
  RouteDoc doc{
      .summary = path.debug ? "Sensors Analytics: check records, and take them unless Dry-Run is true"
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
          {200, "Durable, or in quarantine", path.pixel ? "image/gif" : "text/plain"},
          {403, "Unknown write key; the SDKs keep their events", "application/problem+json", "Problem"},
          {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
          {503, "The source sends more than it may, or the log cannot take more now",
           "application/problem+json", "Problem"}}};
  if (path.debug) {
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
          .protocol = Protocol::kSensors,
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
                      .protocol = Protocol::kSensors,
                      .action = BufferedBody{kBodyBytes, take, refused},
                      .doc = data_doc(path, true)});
    routes.push_back({.method = Method::kGet,
                      .pattern = std::string(path.path),
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kSensors,
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
