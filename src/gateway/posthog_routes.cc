#include "base/text.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kBodyBytes = 4u << 20;

Response accepted(const IntakeSummary&) { return Response::fixed("application/json", R"({"status":1})"); }

// {"type", "code", "detail", "attr"}, as PostHog's libraries read them.
Response refused(const Problem& problem) {
  const bool key = problem.status == 401;
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", key ? "authentication_error" : "validation_error");
  writer.field("code", key ? "invalid_api_key" : std::string_view(problem.code));
  writer.field("detail", problem.detail).key("attr").null().end_object();
  Response response = Response::json(std::move(out), problem.status);
  if (problem.retry_after_s > 0) response.with("Retry-After", std::to_string(problem.retry_after_s));
  return response;
}

// posthog-js drops its events on any 4xx, and so 503 says that it shall try again.
constexpr Voice kVoice{.accepted = accepted, .refused = refused, .busy_status = 503};

absl::StatusOr<std::string_view> json_of(const Request& request, std::string& scratch) {
  std::string inflated;
  const std::string_view body = without_deflate(request, kBodyBytes, inflated);
  auto text = protocol::posthog_json(body, request.query("compression").value_or(""), kBodyBytes, scratch);
  if (!text.ok() || text->data() != inflated.data()) return text;
  scratch = std::move(inflated);
  return std::string_view(scratch);
}

void take_capture(Gateway& gateway, const Request& request, Responder responder) {
  IntakeCall call(gateway, request, std::move(responder), kVoice);
  if (!call.find_source()) return;
  std::string scratch;
  const auto text = json_of(request, scratch);
  if (!call.open(text)) return;
  protocol::PostHogDecoder& decoder = call.room().posthog;
  if (!call.open(decoder.open(*text))) return;
  if (call.find_source(decoder.write_key())) call.take(decoder);
}

// No flags: libraries ask for them before they send, and go on.
void take_flags(Gateway& gateway, const Request& request, Responder responder) {
  std::string scratch;
  const auto text = json_of(request, scratch);
  const auto document = json::Document::parse(text.ok() ? *text : "");
  if (!document.ok()) {
    return responder.send(refused(Problem::bad_request("invalid_json", "", message_of(document.status()))));
  }
  const json::Value root = document->root();
  const std::string token =
      root.find("token").as_string().value_or(root.find("api_key").as_string().value_or(""));
  if (gateway.source_of(*gateway.engine().project(), token) == nullptr) {
    return responder.send(refused(Problem::unauthorized("no source has this token as its write key")));
  }
  responder.send(Response::fixed(
      "application/json",
      R"({"flags":{},"featureFlags":{},"featureFlagPayloads":{},"errorsWhileComputingFlags":false,)"
      R"("requestId":"00000000-0000-0000-0000-000000000000","config":{"enable_collect_everything":true},)"
      R"("supportedCompression":["gzip","gzip-js"],"isAuthenticated":false,"sessionRecording":false,)"
      R"("siteApps":[],"toolbarParams":{}})"));
}

std::string remote_config(const std::string& token) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("token", token).raw_field("supportedCompression", R"(["gzip","gzip-js"])");
  writer.field("hasFeatureFlags", false).field("captureDeadClicks", false).field("capturePerformance", false);
  writer.field("autocapture_opt_out", false).field("autocaptureExceptions", false);
  writer.raw_field("analytics", R"({"endpoint":"/i/v0/e/"})").field("elementsChainAsString", true);
  writer.field("sessionRecording", false).field("heatmaps", false).field("surveys", false);
  writer.field("defaultIdentifiedOnly", true).raw_field("siteApps", "[]").end_object();
  return out;
}

// Gives the token in the path; the request is refused when no source has it.
std::optional<std::string> token_of(Gateway& gateway, const Request& request, Responder& responder) {
  std::string token = request.parameter("token");
  if (gateway.source_of(*gateway.engine().project(), token) != nullptr) return token;
  responder.send(refused(Problem::unauthorized("no source has this token as its write key")));
  return std::nullopt;
}

void get_config(Gateway& gateway, const Request& request, Responder responder) {
  if (const auto token = token_of(gateway, request, responder)) {
    responder.send(Response::json(remote_config(*token)));
  }
}

// The same as a script, which posthog-js asks for first: JSON is an expression of JavaScript.
void get_config_script(Gateway& gateway, const Request& request, Responder responder) {
  const auto token = token_of(gateway, request, responder);
  if (!token) return;
  responder.send(
      {.status = 200,
       .content_type = "text/javascript; charset=utf-8",
       .body = cat("(function(c){(window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{})[c.token]=",
                   "{config:c,siteApps:[]}})(", remote_config(*token), ");\n")});
}

std::vector<AnswerDoc> answers(AnswerDoc good) {
  return {
      std::move(good),
      {400, "Cannot be read", "application/json", "PostHogProblem"},
      {401, "Unknown token", "application/json", "PostHogProblem"},
      {503, "The source sends more than it may, or the log cannot take more now; Retry-After says how long",
       "application/json", "PostHogProblem"}};
}

}  // namespace

void add_posthog_routes(Gateway& gateway, std::vector<Route>& routes) {
  static constexpr std::string_view kCapture[] = {"/e/",      "/e",      "/i/v0/e/", "/i/v0/e", "/capture/",
                                                  "/capture", "/batch/", "/batch",   "/track/", "/track"};
  const FieldDoc compression{FieldDoc::Where::kQuery, "compression", "string",
                             "gzip-js or base64; seen without it too", false};
  for (const std::string_view path : kCapture) {
    routes.push_back({.method = Method::kPost,
                      .pattern = std::string(path),
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kPostHog,
                      .action = BufferedBody{kBodyBytes, on_connection(gateway, take_capture), refused},
                      .doc = {.summary = "PostHog's capture API",
                              .text = "One event, an array, or {api_key, batch}; docs/clients/posthog.md.",
                              .group = "intake",
                              .fields = {compression},
                              .body_content_type = "application/json",
                              .body_schema = "PostHogBatch",
                              .answers = answers({200, "Durable, or in quarantine", "application/json"})}});
  }
  for (const std::string_view path : {"/flags/", "/flags", "/decide/", "/decide"}) {
    routes.push_back({.method = Method::kPost,
                      .pattern = std::string(path),
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kPostHog,
                      .action = BufferedBody{kBodyBytes, on_connection(gateway, take_flags), refused},
                      .doc = {.summary = "PostHog's feature flags: there are none",
                              .group = "intake",
                              .fields = {compression},
                              .body_content_type = "application/json",
                              .answers = answers({200, "No flags"})}});
  }
  const FieldDoc token{FieldDoc::Where::kPath, "token", "string", "a write key", true};
  routes.push_back({.pattern = "/array/:token/config.js",
                    .access = Access::kWriteKey,
                    .protocol = Protocol::kPostHog,
                    .action = NoBody{on_connection(gateway, get_config_script)},
                    .doc = {.summary = "Configuration of posthog-js, as a script",
                            .group = "intake",
                            .fields = {token},
                            .answers = {{200, "Capture only", "text/javascript"},
                                        {401, "Unknown token", "application/json", "PostHogProblem"}}}});
  routes.push_back({.pattern = "/array/:token/config",
                    .access = Access::kWriteKey,
                    .protocol = Protocol::kPostHog,
                    .action = NoBody{on_connection(gateway, get_config)},
                    .doc = {.summary = "Configuration of posthog-js",
                            .group = "intake",
                            .fields = {token},
                            .answers = {{200, "Capture only"},
                                        {401, "Unknown token", "application/json", "PostHogProblem"}}}});
}

}  // namespace kehu::gateway
