#include "api/quarantine.h"

#include <algorithm>

#include "api/answers.h"
#include "api/intake_thread.h"
#include "api/parameters.h"
#include "base/text.h"
#include "codec/record.h"
#include "intake/bulk.h"
#include "intake/cloud_events.h"
#include "intake/posthog.h"
#include "intake/sensors.h"
#include "json/document.h"
#include "seal/opener.h"

namespace kehu::api {
namespace {

absl::Status still_rejected(std::string_view why) { return failure(absl::StatusCode::kOutOfRange, why); }

// Why the event that was just decoded is still none: the reason and detail of its first rejection.
std::string first_detail(const RecordBatch& records) {
  for (const RecordBatch::Entry& entry : records.entries) {
    if (entry.kind != RecordKind::kRejection) continue;
    const auto rejection = codec::decode_rejection(records.payload(entry));
    if (rejection.ok())
      return cat(to_string(rejection->reason), " at \"", rejection->path, "\": ", rejection->detail);
  }
  return "there is no event in it: send the whole event as one JSON object";
}

bool is_posthog(std::string_view origin) {
  constexpr std::string_view kPaths[] = {"/e", "/i/v0/e", "/capture", "/batch", "/track"};
  return std::any_of(std::begin(kPaths), std::end(kPaths),
                     [origin](std::string_view path) { return origin.starts_with(path); });
}

// At the top, or among the properties.
bool has_member(std::string_view text, std::string_view name) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return false;
  const json::Value root = document->root();
  return root.find(name).exists() || root.find("properties").find(name).exists();
}

template <class Decoder>
void read_whole(Decoder decoder, std::string_view text, const intake::Context& context, intake::Intake& out) {
  if (!decoder.open(text)) decoder.decode(context, out);
}

// In the form in which it came, or in our plain one.
void read_again(const Rejected& rejected, const intake::Context& context, std::string_view text,
                intake::Intake& out) {
  const auto rejection = codec::decode_rejection(rejected.record);
  const std::string_view origin = rejection.ok() ? rejection->origin : std::string_view();
  const bool sensors = origin.starts_with("/sa") || origin.starts_with("/debug");
  const bool plain = text.starts_with('{') && !intake::is_sensors_text(text);
  if (sensors && !plain) {
    intake::SensorsDecoder decoder;
    decoder.open({}, text);
    while (decoder.decode(context, {}, out)) continue;
    return;
  }
  // Whoever repairs an event may write it in either form; these members tell.
  if (is_posthog(origin) && has_member(text, "distinct_id"))
    return read_whole(intake::PostHogDecoder(), text, context, out);
  const bool cloud_event = origin.starts_with("/api/v1/cloudevents") && has_member(text, "specversion");
  if (cloud_event) return read_whole(intake::CloudEventDecoder(), text, context, out);
  intake::BulkDecoder decoder(context);
  decoder.feed(text, out);
  decoder.finish(out);
}

}  // namespace

absl::StatusOr<Rejected> fetch_rejected(App& app, std::string_view id) {
  const auto sequence = parse_number<uint64_t>(id);
  if (!sequence) return failure(absl::StatusCode::kInvalidArgument, "a rejection is named by its number");
  return ask_replica(app, [&](engine::Replica& replica) -> absl::StatusOr<Rejected> {
    const auto entry = replica.rejections().find(Sequence(*sequence));
    if (!entry) return failure(absl::StatusCode::kNotFound, "there is no rejection ", id);
    return Rejected{*entry, replica.rejections().record(entry->sequence)};
  });
}

absl::StatusOr<std::string> open_payload(App& app, const Rejected& rejected) {
  const auto rejection = codec::decode_rejection(rejected.record);
  if (!rejection.ok()) return rejection.status();
  seal::Opener opener(app.engine().key(), app.engine().ring());
  seal::Opened opened = opener.open_payload(rejection->sealed_payload);
  if (!opened.ok())
    return failure(absl::StatusCode::kDataLoss, "the payload of this rejection does not open");
  return std::move(opened.value);
}

absl::Status check_open(const engine::RejectionEntry& entry) {
  if (entry.state == engine::RejectionState::kOpen) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, "this rejection is closed already: it is ",
                 engine::to_string(entry.state));
}

absl::Status close_rejected(App& app, const Rejected& rejected, RejectionOutcome outcome,
                            const std::string& actor) {
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kRejectionClosed, [&](std::string& out) {
    codec::append_rejection_closed({.rejection = rejected.entry.sequence, .outcome = outcome, .actor = actor},
                                   out);
  });
  return app.engine().submit_and_wait(std::move(batch)).status();
}

// The event goes first: after a crash in between, repairing again finds it there.
absl::Status repair_with(App& app, const Rejected& rejected, std::string_view text,
                         const std::string& actor) {
  if (auto status = check_open(rejected.entry); !status.ok()) return status;
  IntakeRoom room(app.engine());
  const engine::Source* source = room.project->find(rejected.entry.source);
  const intake::Context context{.policy = &room.policy,
                                .door = &room.door,
                                .project = engine::Project::kDefault,
                                .source = rejected.entry.source,
                                .default_channel = source == nullptr ? Channel::kUnknown : source->channel,
                                .received_at = rejected.entry.received_at,
                                .retried = false,
                                .remote_ip = {},
                                .origin = "repair",
                                .envelopes = &room.envelopes};
  read_again(rejected, context, text, room.intake);
  if (room.intake.rejected > 0 || room.intake.accepted == 0)
    return still_rejected(first_detail(room.intake.records));
  const auto ack = app.engine().submit_and_wait({.batch = std::move(room.intake.records),
                                                 .data_keys = std::move(room.intake.new_key_ids),
                                                 .conflicts = engine::Submission::Conflicts::kOnlyCount,
                                                 .done = {}});
  if (!ack.ok()) return ack.status();
  if (ack->conflicts > 0) {
    return still_rejected(
        "duplicate_conflict at \"/message_id\": its message id is known with another content; "
        "give it an id of its own, or discard it");
  }
  return close_rejected(app, rejected, RejectionOutcome::kRepaired, actor);
}

}  // namespace kehu::api
