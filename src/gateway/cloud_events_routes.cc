#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

constexpr size_t kBodyBytes = 4u << 20;
constexpr std::string_view kPrefix = "ce-";

// A repeat is nothing new, and is counted apart.
Response accepted(const IntakeSummary& done) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  done.write_sums(writer);
  writer.end_object();
  return Response::json(std::move(out));
}

constexpr Voice kVoice{.accepted = accepted};

// Binary mode: every header ce-NAME is an attribute, percent-encoded where it needs it.
std::vector<protocol::CloudEventDecoder::Attribute> attributes_of(const Request& request) {
  std::vector<protocol::CloudEventDecoder::Attribute> attributes;
  for (const Header& header : request.headers) {
    if (header.name.size() <= kPrefix.size() ||
        !equals_ignore_case(header.name.substr(0, kPrefix.size()), kPrefix)) {
      continue;
    }
    std::string name(header.name.substr(kPrefix.size()));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    attributes.push_back({std::move(name), percent_decode(header.value)});
  }
  return attributes;
}

void take(Gateway& gateway, const Request& request, Responder responder) {
  IntakeCall call(gateway, request, std::move(responder), kVoice);
  // There is no place for a key in a CloudEvent.
  if (!call.find_source() || !call.find_source(std::nullopt)) return;
  std::string inflated;
  const auto body = plain_body(request, kBodyBytes, inflated);
  if (!call.open(body)) return;
  const std::string_view content_type = request.header("Content-Type").value_or("");
  const auto mode = protocol::CloudEventDecoder::mode_of(content_type);
  protocol::CloudEventDecoder& decoder = call.room().cloud_events;
  const auto refusal =
      mode ? decoder.open(*mode, *body) : decoder.open_binary(attributes_of(request), content_type, *body);
  if (call.open(refusal)) call.take(decoder);
}

}  // namespace

void add_cloud_event_routes(Gateway& gateway, std::vector<Route>& routes) {
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/cloudevents",
       .access = Access::kWriteKey,
       .key = KeyPlace::kOutside,
       .protocol = Protocol::kCloudEvents,
       .action = BufferedBody{kBodyBytes, on_connection(gateway, take)},
       .doc = {
           .summary = "CloudEvents 1.0 over HTTP: structured, binary or a batch",
           .text = "source and id together are the message id, type is the event's name, data its properties "
                   "(docs/clients/cloudevents.md).",
           .group = "intake",
           .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization",
                       false}},
           .body_content_type = "application/cloudevents+json",
           .body_schema = "CloudEvent",
           .answers = {
               {200, "Durable, or in quarantine", "application/json", "CloudEventsTaken"},
               {400, "No JSON", "application/problem+json", "Problem"},
               {401, "Unknown write key", "application/problem+json", "Problem"},
               {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
               {429, "The source sends more than it may, or too many events wait; Retry-After says how long",
                "application/problem+json", "Problem"},
               {503, "The log cannot be written now", "application/problem+json", "Problem"}}}});
}

}  // namespace kehu::gateway
