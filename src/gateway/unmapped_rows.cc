#include "gateway/unmapped_rows.h"

#include <algorithm>

#include "base/text.h"
#include "codec/record.h"
#include "gateway/intake_call.h"
#include "gateway/intake_thread.h"
#include "gateway/quarantine.h"
#include "gateway/source_claim.h"
#include "http/parameters.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::gateway {
namespace {

// "dir/orders.csv.gz:17" → "orders.csv:17": a row stays the same when its file is moved or packed.
std::string row_name(std::string_view origin) {
  std::string name(origin.substr(origin.rfind('/') + 1));
  if (const size_t packed = name.rfind(".gz:"); packed != std::string::npos) name.erase(packed, 3);
  return name;
}

// One call is one event at least: a list without rejections costs as much.
void charge(Gateway& gateway, SourceId source, std::string_view address, uint64_t rejections) {
  const auto project = gateway.engine().project();
  const engine::Source* found = project->find(source);
  if (found == nullptr) return;
  gateway.limits().charge(*found, address, std::max<uint64_t>(1, rejections), gateway.engine().clock().now());
}

struct Rows {
  SourceId source;
  std::string address;
  bool keyed = false;
  std::string body;
};

// A file that is imported again brings its rejected rows again, and they should stand in quarantine once.
// So a row is known by its name and its sealed bytes, which are the same each time because sealing draws
// nothing at random (docs/decisions/sealing.md).
absl::StatusOr<Response> add(Gateway& gateway, const Rows& rows) {
  const SourceId source = rows.source;
  const auto document = json::Document::parse(rows.body);
  if (rows.keyed)
    charge(gateway, source, rows.address, document.ok() ? document->root().find("rejections").size() : 0);
  if (!document.ok()) return document.status();
  IntakeRoom room(gateway.engine());
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
                                 .received_at = gateway.engine().clock().now(),
                                 .repeat_key = hash128(cat(row_name(origin), "\n", sealed), source.value()),
                                 .path = path,
                                 .detail = detail,
                                 .origin = origin,
                                 .sealed_payload = sealed});
  }
  engine::Ack ack;
  if (!batch.empty()) {
    const auto done = gateway.engine().submit_and_wait(std::move(batch));
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

void post_unmapped_rows(Gateway& gateway, const Request& request, Responder responder) {
  const auto project = gateway.engine().project();
  const SourceClaim claim = SourceClaim::of(gateway, request);
  const engine::Source* source = claim.find(gateway, *project);
  if (source == nullptr)
    return responder.send(to_response(Problem::unauthorized("send the write key of a source")));
  // As in the other ways in: a write key is public. Administrators may.
  const debugger::Sighting sighting{
      .source = *source, .received_at = gateway.engine().clock().now(), .request = &request};
  if (auto refusal = claim.name ? std::nullopt : refuse_beyond_limit(gateway, sighting))
    return responder.send(*std::move(refusal));
  Rows rows{source->id, std::string(request.remote), !claim.name, std::string(request.body)};
  gateway.workers().answer(std::move(responder),
                           [&gateway, rows = std::move(rows)] { return to_answer(add(gateway, rows)); });
}

}  // namespace kehu::gateway
