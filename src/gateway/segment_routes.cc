#include "base/limits.h"
#include "base/text.h"
#include "gateway/gateway.h"
#include "gateway/intake_call.h"
#include "json/document.h"

namespace kehu::gateway {
namespace {

// Larger than the limit of a batch, so that the decoder can answer as Segment does: 400, not 413.
constexpr size_t kSegmentBodyBytes = 4u << 20;
constexpr size_t kReportBytes = 256u << 10;

void take_segment_call(Gateway& gateway, intake::SegmentCall call, const Request& request,
                       Responder responder) {
  IntakeCall taking(gateway, request, std::move(responder), segment_voice());
  if (!taking.find_source()) return;
  std::string inflated;
  const auto body = plain_body(request, limits::kSegmentBatchBytes, inflated);
  if (!taking.open(body)) return;
  intake::SegmentDecoder& decoder = taking.room().segment;
  if (!taking.open(decoder.open(call, *body))) return;
  if (taking.find_source(decoder.write_key())) taking.take(decoder);
}

// {"series": [{"type", "metric", "value", "tags"}]}: what analytics-next counts about itself.
void take_report(Gateway& gateway, const Request& request, Responder responder) {
  if (const auto report = json::Document::parse(request.body); report.ok()) {
    gateway.sdk_reports() += report->root().find("series").size();
  }
  responder.send(Response::fixed("application/json", R"({"success":true})"));
}

RouteDoc segment_doc(std::string_view name) {
  return {.summary = cat("Segment's tracking API: ", name),
          .text =
              "Accepts what Segment's and RudderStack's SDKs send (docs/clients). An event that is wrong in "
              "itself is kept in quarantine and does not fail the request. An event with a writeKey of its "
              "own goes to the source of that key.",
          .group = "intake",
          .body_content_type = "application/json",
          .body_schema = name == "batch" ? "SegmentBatch" : "SegmentEvent",
          .answers = {
              {200, "Durable", "application/json", "Success"},
              {400, "No JSON, or too large", "application/problem+json", "Problem"},
              {401, "Unknown write key", "application/problem+json", "Problem"},
              {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
              {429, "The source sends more than it may, or too many events wait; Retry-After says how long",
               "application/problem+json", "Problem"},
              {503, "The log cannot be written now", "application/problem+json", "Problem"}}};
}

}  // namespace

void add_segment_routes(Gateway& gateway, std::vector<Route>& routes) {
  static constexpr std::string_view kPaths[] = {
      "/v1/batch", "/v1/b", "/v1/import", "/v1/track", "/v1/t", "/v1/identify", "/v1/i", "/v1/page", "/v1/p",
      "/v1/screen", "/v1/s", "/v1/group", "/v1/g", "/v1/alias", "/v1/a",
      // June's SDKs, which are Segment's with another address.
      "/sdk/batch", "/sdk/track", "/sdk/identify", "/sdk/page", "/sdk/screen", "/sdk/group", "/sdk/alias"};
  for (const std::string_view path : kPaths) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const auto call = *intake::parse_segment_call(name);
    routes.push_back({.method = Method::kPost,
                      .pattern = std::string(path),
                      .access = Access::kWriteKey,
                      .protocol = Protocol::kSegment,
                      .action = BufferedBody{kSegmentBodyBytes,
                                             [&gateway, call](const Request& request, Responder responder) {
                                               take_segment_call(gateway, call, request,
                                                                 std::move(responder));
                                             },
                                             segment_voice().refused},
                      .doc = segment_doc(name)});
  }
  routes.push_back({.method = Method::kPost,
                    .pattern = "/v1/m",
                    .access = Access::kPublic,
                    .protocol = Protocol::kSegment,
                    .action = BufferedBody{kReportBytes,
                                           [&gateway](const Request& request, Responder responder) {
                                             take_report(gateway, request, std::move(responder));
                                           }},
                    .doc = {.summary = "Figures that Segment's browser SDK counts about itself",
                            .text = "They are only counted, as kehu_sdk_reports_total.",
                            .group = "intake",
                            .body_content_type = "application/json",
                            .answers = {{200, "Counted", "application/json", "Success"}}}});
}

}  // namespace kehu::gateway
