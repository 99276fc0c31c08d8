#include <algorithm>

#include "base/civil_day.h"
#include "base/limits.h"
#include "base/text.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "http/credentials.h"
#include "json/writer.h"

// What RudderStack's SDKs ask besides Segment's calls, answered in RudderStack's words.
namespace kehu::gateway {
namespace {

struct Text {
  std::string_view code, says;
};
// Codes of problems and the gateway's words for them.
constexpr Text kTexts[] = {
    {"unauthorized", "invalid write key"},
    {"invalid_json", "invalid json"},
    {"invalid_utf8", "invalid json"},
    {"not_an_object", "invalid json"},
    {"invalid_encoding", "invalid json"},
    {"invalid_field", "empty batch payload"},
    {"event_too_large", "request size exceeds max limit"},
    {"body_too_large", "request size exceeds max limit"},
    {"rate_limited", "max requests limit reached"},
    {"overloaded", "max requests limit reached"},
};

Response rudder_refused(const Problem& problem) {
  const auto* text = std::find_if(std::begin(kTexts), std::end(kTexts),
                                  [&](const Text& known) { return known.code == problem.code; });
  const bool too_large = problem.code == "event_too_large";
  Response response = Response::text(text == std::end(kTexts) ? problem.detail : std::string(text->says),
                                     too_large ? 413 : problem.status);
  if (problem.retry_after_s > 0) response.with("Retry-After", std::to_string(problem.retry_after_s));
  return response;
}

Response rudder_accepted(const IntakeSummary&) { return Response::text("OK"); }

constexpr Voice kVoice{.accepted = rudder_accepted, .refused = rudder_refused};

void take_beacon(Gateway& gateway, const Request& request, Responder responder) {
  IntakeCall call(gateway, request, std::move(responder), kVoice);
  if (!call.find_source()) return;
  std::string inflated;
  const auto body = plain_body(request, limits::kRudderBatchBytes, inflated);
  if (!call.open(body)) return;
  intake::SegmentDecoder& decoder = call.room().segment;
  if (!call.open(decoder.open(intake::SegmentCall::kBatch, *body, limits::kRudderBatchBytes))) return;
  if (call.find_source(decoder.write_key())) call.take(decoder);
}

// "properties.total" belongs into an object, as the gateway has it; nothing goes deeper.
constexpr std::string_view kObjects[] = {"properties", "context", "traits"};

void write_object(json::Writer& writer, std::string_view object,
                  const std::vector<std::pair<std::string, std::string>>& parameters) {
  const std::string prefix = cat(object, ".");
  const auto inside = [&](const auto& parameter) { return parameter.first.starts_with(prefix); };
  if (std::none_of(parameters.begin(), parameters.end(), inside)) return;
  writer.key(object).begin_object();
  for (const auto& parameter : parameters) {
    if (inside(parameter)) writer.field(parameter.first.substr(prefix.size()), parameter.second);
  }
  writer.end_object();
}

// An event of query parameters: ?writeKey=…&anonymousId=…&event=…&properties.total=…
std::string pixel_event(const Request& request, bool page) {
  const auto parameters = request.query_parameters();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("channel", "web");
  if (page && !request.query("name")) writer.field("name", "Unknown Page");
  for (const auto& [name, value] : parameters) {
    if (name.find('.') == name.npos && name != "type") writer.field(name, value);
  }
  for (const std::string_view object : kObjects) write_object(writer, object, parameters);
  writer.end_object();
  return out;
}

void take_pixel(Gateway& gateway, bool page, const Request& request, Responder responder) {
  IntakeCall call(gateway, request, std::move(responder), kVoice);
  if (!call.find_source()) return;
  const std::string event = pixel_event(request, page);
  if (!call.open(std::string_view(event))) return;
  intake::SegmentDecoder& decoder = call.room().segment;
  if (!call.open(decoder.open(page ? intake::SegmentCall::kPage : intake::SegmentCall::kTrack, event)))
    return;
  call.answer_with(pixel());
  if (call.find_source(std::nullopt)) call.take(decoder);
}

// The browser SDK starts with this: which destinations there are (none but us) and that the source is on.
void get_source_config(Gateway& gateway, const Request& request, Responder responder) {
  const auto project = gateway.engine().project();
  const std::string key = write_key_of(request).value_or("");
  const engine::Source* source = gateway.source_of(*project, key);
  if (source == nullptr) {
    return responder.send(rudder_refused(Problem::unauthorized("invalid write key")));
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("source").begin_object();
  writer.field("id", cat("source-", source->id.value())).field("name", source->name).field("writeKey", key);
  writer.field("enabled", true).field("workspaceId", "kehu");
  writer.raw_field("config",
                   R"({"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}})");
  writer.raw_field("destinations", "[]").raw_field("connections", "[]").raw_field("dataplanes", "{}");
  writer.end_object().field("updatedAt", format_utc(gateway.engine().clock().now())).end_object();
  responder.send(std::move(Response::json(std::move(out)).with("Cache-Control", "no-cache")));
}

const FieldDoc kWriteKey{FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization",
                         false};

std::vector<AnswerDoc> rudder_answers(AnswerDoc good) {
  return {std::move(good),
          {400, "In RudderStack's words", "text/plain"},
          {401, "\"invalid write key\"", "text/plain"},
          {413, "\"request size exceeds max limit\"", "text/plain"},
          {429, "\"max requests limit reached\"; Retry-After says how long", "text/plain"},
          {503, "The log cannot be written now", "text/plain"}};
}

}  // namespace

void add_rudder_routes(Gateway& gateway, std::vector<Route>& routes) {
  for (const char* path : {"/sourceConfig", "/sourceConfig/"}) {
    routes.push_back({.pattern = path,
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kRudder,
                      .action = NoBody{on_connection(gateway, get_source_config)},
                      .doc = {.summary = "Configuration of RudderStack's browser and mobile SDKs",
                              .group = "intake",
                              .fields = {kWriteKey},
                              .answers = {{200, "The source, without destinations"},
                                          {401, "\"invalid write key\"", "text/plain"}}}});
  }
  for (const bool page : {false, true}) {
    routes.push_back({.pattern = page ? "/pixel/v1/page" : "/pixel/v1/track",
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kRudder,
                      .action = NoBody{[&gateway, page](const Request& request, Responder responder) {
                        take_pixel(gateway, page, request, std::move(responder));
                      }},
                      .doc = {.summary = "RudderStack's pixel: an event in an image's address",
                              .text = "Every parameter is a member of the event; properties.x, traits.x and "
                                      "context.x go into these objects.",
                              .group = "intake",
                              .fields = {kWriteKey},
                              .answers = rudder_answers({200, "A transparent pixel", "image/gif"})}});
  }
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/beacon/v1/batch",
       .access = Access::kWriteKey,
       .protocol = Protocol::kRudder,
       .action = BufferedBody{limits::kRudderBatchBytes, on_connection(gateway, take_beacon), rudder_refused},
       .doc = {.summary = "RudderStack's beacon: a batch that a page sends when it is left",
               .group = "intake",
               .fields = {kWriteKey},
               .body_content_type = "application/json",
               .body_schema = "SegmentBatch",
               .answers = rudder_answers({200, "\"OK\"", "text/plain"})}});
}

}  // namespace kehu::gateway
