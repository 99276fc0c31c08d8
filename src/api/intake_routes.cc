#include "api/app.h"
#include "api/bulk_upload.h"
#include "api/content_coding.h"
#include "api/intake_thread.h"
#include "api/problem.h"
#include "base/limits.h"
#include "base/text.h"
#include "intake/inflate.h"

namespace kehu::api {
namespace {

// Larger than the limit of a batch, so that the decoder can answer as Segment does: 400, not 413.
constexpr size_t kSegmentBodyBytes = 4u << 20;
constexpr std::string_view kAccepted = R"({"success":true})";

Response accepted() { return Response::fixed("application/json", kAccepted); }

Response refused(const intake::Refusal& refusal) {
  return to_response(Problem::bad_request(std::string(to_string(refusal.reason)),
                                          "The request cannot be read", refusal.detail));
}

Response unavailable(const absl::Status& status) {
  const bool full = status.code() == absl::StatusCode::kResourceExhausted;
  Problem problem = full ? Problem::overloaded(message_of(status)) : problem_of(status);
  if (full) problem.status = 429;
  problem.retry_after_s = 1;
  return to_response(problem);
}

// Body as JSON text: clients compress with or without saying so. Only deflate must be said; no JSON begins
// with its "x".
absl::StatusOr<std::string_view> plain_body(const Request& request, std::string& inflated) {
  const bool deflated = request.body.starts_with('x') && says_compressed(request);
  if (!deflated && !intake::is_gzip(request.body)) return request.body;
  auto plain = intake::inflate_body(request.body, limits::kSegmentBatchBytes);
  if (!plain.ok()) return plain.status();
  inflated = *std::move(plain);
  return std::string_view(inflated);
}

void take_segment_call(App& app, intake::SegmentCall call, std::string_view origin, const Request& request,
                       Responder responder) {
  std::string inflated;
  const auto body = plain_body(request, inflated);
  if (!body.ok()) {
    return responder.send(to_response(Problem::bad_request(
        "invalid_encoding", "The body cannot be decompressed", message_of(body.status()))));
  }
  IntakeRoom& room = intake_room(app);
  if (const auto refusal = room.segment.open(call, *body)) return responder.send(refused(*refusal));

  auto write_key = write_key_of(request);
  if (!write_key) write_key = room.segment.write_key();
  const engine::Source* source = app.source_of(*room.project, write_key.value_or(""));
  if (source == nullptr) {
    return responder.send(
        to_response(Problem::unauthorized("the write key is missing or unknown: send it as the user name of "
                                          "Basic authorization or as `writeKey`")));
  }
  room.intake.clear();
  room.segment.decode(intake_context(room, *source, request, app.engine().clock().now(), origin),
                      room.intake);
  if (room.intake.records.empty()) return responder.send(accepted());

  auto answer = std::make_shared<Responder>(std::move(responder));
  auto status = app.engine().submit({.batch = std::move(room.intake.records),
                                     .data_keys = std::move(room.intake.new_key_ids),
                                     .done = [answer](const engine::Ack& ack) {
                                       answer->send(ack.status.ok() ? accepted() : unavailable(ack.status));
                                     }});
  room.intake = {};
  if (!status.ok()) answer->send(unavailable(status));
}

RouteDoc segment_doc(std::string_view name) {
  return {.summary = cat("Segment's tracking API: ", name),
          .text =
              "Accepts what Segment's server SDKs send. An event that is wrong in itself is kept in "
              "quarantine and "
              "does not fail the request.",
          .group = "intake",
          .body_content_type = "application/json",
          .body_schema = name == "batch" ? "SegmentBatch" : "SegmentEvent",
          .answers = {
              {200, "Durable", "application/json", "Success"},
              {400, "No JSON, or too large", "application/problem+json", "Problem"},
              {401, "Unknown write key", "application/problem+json", "Problem"},
              {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
              {429, "Too many events wait; Retry-After says how long", "application/problem+json", "Problem"},
              {503, "The log cannot be written now", "application/problem+json", "Problem"}}};
}

}  // namespace

void add_intake_routes(App& app, std::vector<Route>& routes) {
  static constexpr std::string_view kPaths[] = {
      "/v1/batch", "/v1/b",      "/v1/import", "/v1/track", "/v1/t", "/v1/identify", "/v1/i", "/v1/page",
      "/v1/p",     "/v1/screen", "/v1/s",      "/v1/group", "/v1/g", "/v1/alias",    "/v1/a"};
  for (const std::string_view path : kPaths) {
    const std::string_view name = path.substr(4);
    const auto call = *intake::parse_segment_call(name);
    routes.push_back({.method = Method::kPost,
                      .pattern = std::string(path),
                      .access = Access::kWriteKey,
                      .action = BufferedBody{kSegmentBodyBytes,
                                             [&app, call, path](const Request& request, Responder responder) {
                                               take_segment_call(app, call, path, request,
                                                                 std::move(responder));
                                             }},
                      .doc = segment_doc(name)});
  }
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/events",
       .access = Access::kWriteKey,
       .action = StreamedBody{limits::kBulkBodyBytes,
                              [&app](const Request& request, Responder responder) {
                                return open_bulk_upload(app, request, std::move(responder));
                              }},
       .doc = {
           .summary = "Events as NDJSON or a JSON array, up to 100 MB, streamed",
           .text =
               "Each line or element is an event: {\"event\", \"user_id\" (or any identifier type), "
               "\"time\", "
               "\"message_id\", \"properties\", \"traits\", \"context\", \"channel\"}. A broken one is kept "
               "in quarantine and the rest goes on.",
           .group = "intake",
           .fields = {{FieldDoc::Where::kQuery, "writeKey", "string", "instead of Basic authorization",
                       false},
                      {FieldDoc::Where::kQuery, "source", "string", "name of the source, for administrators",
                       false}},
           .body_content_type = "application/x-ndjson",
           .body_schema = "Event",
           .answers = {
               {200, "All parts are durable", "application/json", "UploadSummary"},
               {400, "The body cannot be decompressed", "application/problem+json", "Problem"},
               {401, "Unknown write key", "application/problem+json", "Problem"},
               {415, "Compressed otherwise than by gzip or deflate", "application/problem+json", "Problem"},
               {413, "Larger than 100 MB", "application/problem+json", "Problem"},
               {503, "The log cannot take more now", "application/problem+json", "Problem"}}}});
}

}  // namespace kehu::api
