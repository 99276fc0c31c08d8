#include "api/answers.h"
#include "api/app.h"
#include "api/browser_sdk_files.h"
#include "base/text.h"
#include "json/writer.h"

// What Segment's browser SDK loads: its settings, itself and its chunks, so that a page names no other
// server.
namespace kehu::api {
namespace {

constexpr std::string_view kScript = "text/javascript; charset=utf-8";
constexpr std::string_view kScriptFile = "standalone.js";
constexpr std::string_view kKeyPlace = "__WRITE_KEY__";

Response no_file(std::string_view name) {
  return to_response(Problem::not_found(
      browser_sdk_file(kScriptFile).empty()
          ? std::string(
                "this Kehu was built without Segment's browser SDK: run `make setup` and build it again")
          : cat("the bundle has no file \"", name, "\"")));
}

// The key may hold only what needs no escaping in a script.
bool is_plain_key(std::string_view key) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return !key.empty() && key.find_first_not_of(kLetters) == key.npos;
}

// The SDK with the key built in, as Segment's own server gives it.
void get_script(App&, const Request& request, Responder responder) {
  const std::string_view script = browser_sdk_file(kScriptFile);
  const std::string key = request.parameter("key");
  if (script.empty()) return responder.send(no_file(kScriptFile));
  if (!is_plain_key(key))
    return responder.send(to_response(Problem::not_found("a write key has letters, digits, _ and - only")));
  std::string text(script);
  for (size_t at = text.find(kKeyPlace); at != text.npos; at = text.find(kKeyPlace, at)) {
    text.replace(at, kKeyPlace.size(), key);
  }
  Response response{.content_type = kScript, .body = std::move(text)};
  responder.send(std::move(response.with("Cache-Control", "public, max-age=300")));
}

void get_chunk(App&, const Request& request, Responder responder) {
  const std::string name = request.parameter("chunk");
  const std::string_view chunk = browser_sdk_file(name);
  if (chunk.empty()) return responder.send(no_file(name));
  Response response = Response::fixed(kScript, chunk);
  // Their names hold a hash of their content.
  responder.send(std::move(response.with("Cache-Control", "public, max-age=31536000, immutable")));
}

// How the page reached us. A proxy may have ended its TLS.
std::string_view scheme_of(const Request& request) {
  const auto forwarded = request.header("X-Forwarded-Proto");
  return forwarded.value_or(request.secure ? "https" : "http") == "https" ? "https" : "http";
}

void get_settings(App& app, const Request& request, Responder responder) {
  const std::string key = request.parameter("key");
  if (app.source_of(*app.engine().project(), key) == nullptr) {
    return responder.send(to_response(Problem::unauthorized("no source has this write key")));
  }
  const std::string_view scheme = scheme_of(request);
  const std::string host = cat(request.header("Host").value_or("localhost"), "/v1");
  std::string out;
  json::Writer writer(out);
  // Every further member of "integrations" would make the SDK load a script for it.
  writer.begin_object().key("integrations").begin_object().key("Segment.io").begin_object();
  writer.field("apiKey", key).field("apiHost", host).field("protocol", scheme);
  writer.field("addBundledMetadata", true).raw_field("unbundledIntegrations", "[]");
  writer.raw_field("versionSettings", R"({"version":"4.4.7","componentTypes":["browser"]})");
  writer.end_object().end_object();
  writer.raw_field("plan", R"({"track":{"__default":{"enabled":true,"integrations":{}}}})");
  writer.key("metrics").begin_object().field("sampleRate", 0.1).field("host", host);
  writer.field("protocol", scheme).end_object();
  writer.raw_field("middlewareSettings", "{}").raw_field("enabledMiddleware", "{}");
  writer.raw_field("remotePlugins", "[]").end_object();
  responder.send(std::move(Response::json(std::move(out)).with("Cache-Control", "no-cache")));
}

}  // namespace

void add_browser_sdk_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc key{FieldDoc::Where::kPath, "key", "string", "a write key", true};
  const AnswerDoc missing{404, "Not there, or this Kehu was built without it", "application/problem+json",
                          "Problem"};
  routes.push_back(
      {.pattern = "/v1/projects/:key/settings",
       .access = Access::kWriteKey,
       .action = NoBody{on_connection(app, get_settings)},
       .doc = {.summary = "Settings of Segment's browser and mobile SDKs",
               .text = "They name this server, as the request's Host says, as the only place to send to.",
               .group = "intake",
               .fields = {key},
               .answers = {{200, "The settings"},
                           {401, "Unknown write key", "application/problem+json", "Problem"}}}});
  routes.push_back({.pattern = "/analytics.js/v1/:key/analytics.min.js",
                    .access = Access::kPublic,
                    .action = NoBody{on_connection(app, get_script)},
                    .doc = {.summary = "Segment's browser SDK (npm @segment/analytics-next)",
                            .group = "intake",
                            .fields = {key},
                            .answers = {{200, "The script", "text/javascript"}, missing}}});
  routes.push_back(
      {.pattern = "/analytics-next/bundles/:chunk",
       .access = Access::kPublic,
       .action = NoBody{on_connection(app, get_chunk)},
       .doc = {.summary = "What Segment's browser SDK loads when it needs it",
               .group = "intake",
               .fields = {{FieldDoc::Where::kPath, "chunk", "string", "name of a file of the bundle", true}},
               .answers = {{200, "The script", "text/javascript"}, missing}}});
}

}  // namespace kehu::api
