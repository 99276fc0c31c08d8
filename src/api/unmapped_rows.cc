#include "api/unmapped_rows.h"

#include "api/answers.h"
#include "api/intake_thread.h"
#include "api/parameters.h"
#include "api/rejection_filter.h"
#include "base/text.h"
#include "codec/record.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

// "dir/orders.csv.gz:17" → "orders.csv:17": a row stays the same when its file is moved or packed.
std::string row_name(std::string_view origin) {
  std::string name(origin.substr(origin.rfind('/') + 1));
  if (const size_t packed = name.rfind(".gz:"); packed != std::string::npos) name.erase(packed, 3);
  return name;
}

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

}  // namespace

void post_unmapped_rows(App& app, const Request& request, Responder responder) {
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

}  // namespace kehu::api
