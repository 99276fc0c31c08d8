#include "gateway/quarantine.h"

#include <mutex>

#include "base/text.h"
#include "codec/record.h"
#include "gateway/intake_thread.h"
#include "http/parameters.h"
#include "intake/bulk.h"
#include "json/document.h"
#include "protocol/cloud_events.h"
#include "protocol/posthog.h"
#include "seal/opener.h"
#include "sensors/decoder.h"

namespace kehu::gateway {
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

// At the top, or among the properties.
bool has_member(std::string_view text, std::string_view name) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return false;
  const json::Value root = document->root();
  return root.find(name).exists() || root.find("properties").find(name).exists();
}

template <class Decoder>
void read_whole(Decoder decoder, std::string_view text, const intake::Sender& sender, intake::Intake& out) {
  if (!decoder.open(text)) decoder.decode(sender, out);
}

// One event of Segment's API, by the rules of the call that brought it.
void read_segment_event(std::optional<EventType> type, const intake::Sender& sender, std::string_view text,
                        intake::Intake& out) {
  json::Index index;
  intake::EventDecoder events;
  if (const auto error = index.scan(text)) {
    const std::string detail = cat("invalid JSON at ", error->to_string());
    events.reject(sender,
                  {.reason = intake::reason_of(*error), .path = {}, .detail = detail, .payload = text}, out);
  } else {
    intake::BatchHead batch_head;
    batch_head.type = type;
    events.decode(sender, batch_head, index, 0, out);
  }
  events.take_keys(sender, out);
}

void read_sensors(std::string_view text, const intake::Sender& sender, intake::Intake& out) {
  sensors::Decoder decoder;
  decoder.open({}, text);
  while (decoder.decode(sender, out)) continue;
}

// An event is read in the form in which it came, and what a person wrote instead may be in our plain one.
// Members that the other form must have tell the two apart.
void read_again(const Rejected& rejected, const intake::Sender& sender, const Replacement& replacement,
                intake::Intake& out) {
  const std::string_view text = replacement.text;
  const Rejection rejection = codec::decode_rejection(rejected.record).value_or(Rejection());
  switch (rejection.protocol) {
    case Protocol::kSegment:
    case Protocol::kRudder:
      if (replacement.as_received || has_member(text, "userId") || has_member(text, "anonymousId") ||
          has_member(text, "messageId"))
        return read_segment_event(rejection.type, sender, text, out);
      break;
    case Protocol::kSensors:
      if (!text.starts_with('{') || sensors::is_sensors_text(text)) return read_sensors(text, sender, out);
      break;
    case Protocol::kPostHog:
      if (has_member(text, "distinct_id")) return read_whole(protocol::PostHogDecoder(), text, sender, out);
      break;
    case Protocol::kCloudEvents:
      if (has_member(text, "specversion"))
        return read_whole(protocol::CloudEventDecoder(), text, sender, out);
      break;
    case Protocol::kEvents:
    case Protocol::kStream:
      break;
  }
  intake::BulkDecoder decoder(sender);
  decoder.feed(text, out);
  decoder.finish(out);
}

// As it is now: whoever fetched it may have been overtaken by another repair. Two at once would make two
// events of one rejection, or one that its discarding hides. One process has the directory, so a mutex will
// do, where definitions and merges are judged at apply: the event of a repair is an ordinary one, which is
// durable before anybody knows whether its rejection can still be closed.
absl::Status check_open(Gateway& gateway, const Rejected& rejected) {
  const auto state = gateway.engine().ask<std::optional<replica::RejectionState>>(
      [&](replica::Replica& replica) -> std::optional<replica::RejectionState> {
        const auto entry = replica.rejections().find(rejected.entry.sequence);
        return entry ? std::optional(entry->state) : std::nullopt;
      });
  if (!state.ok()) return state.status();
  if (!*state) return failure(absl::StatusCode::kNotFound, "there is no such rejection any more");
  if (**state == replica::RejectionState::kOpen) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, "this rejection is closed already: it is ",
                 engine::to_string(**state));
}

absl::Status close_rejected(Gateway& gateway, const Rejected& rejected, RejectionOutcome outcome,
                            const std::string& actor) {
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kRejectionClosed, [&](std::string& out) {
    codec::append_rejection_closed({.rejection = rejected.entry.sequence, .outcome = outcome, .actor = actor},
                                   out);
  });
  return gateway.engine().submit_and_wait(std::move(batch)).status();
}

}  // namespace

std::optional<Reason> parse_reason(std::string_view name) {
  for (int i = 1; i < kReasonCount; ++i) {
    if (to_string(static_cast<Reason>(i)) == name) return static_cast<Reason>(i);
  }
  return std::nullopt;
}

absl::StatusOr<Rejected> fetch_rejected(Gateway& gateway, std::string_view id) {
  const auto sequence = parse_number<uint64_t>(id);
  if (!sequence) return failure(absl::StatusCode::kInvalidArgument, "a rejection is named by its number");
  auto found = gateway.engine().ask<absl::StatusOr<Rejected>>(
      [&](replica::Replica& replica) -> absl::StatusOr<Rejected> {
        const auto entry = replica.rejections().find(Sequence(*sequence));
        if (!entry) return failure(absl::StatusCode::kNotFound, "there is no rejection ", id);
        return Rejected{*entry, replica.rejections().record(entry->sequence)};
      });
  if (!found.ok()) return found.status();
  return *std::move(found);
}

absl::StatusOr<std::string> open_payload(Gateway& gateway, const Rejected& rejected) {
  const auto rejection = codec::decode_rejection(rejected.record);
  if (!rejection.ok()) return rejection.status();
  seal::Opener opener(gateway.engine().key(), gateway.engine().ring());
  seal::Opened opened = opener.open_payload(rejection->sealed_payload);
  if (!opened.ok())
    return failure(absl::StatusCode::kDataLoss, "the payload of this rejection does not open");
  return std::move(opened.value);
}

absl::Status discard(Gateway& gateway, const Rejected& rejected, const std::string& actor) {
  const std::lock_guard lock(gateway.closing());
  if (auto status = check_open(gateway, rejected); !status.ok()) return status;
  return close_rejected(gateway, rejected, RejectionOutcome::kDiscarded, actor);
}

// The event goes first: after a crash in between, repairing again finds it there.
absl::Status repair_with(Gateway& gateway, const Rejected& rejected, const Replacement& replacement,
                         const std::string& actor) {
  const std::lock_guard lock(gateway.closing());
  if (auto status = check_open(gateway, rejected); !status.ok()) return status;
  IntakeRoom room(gateway.engine());
  const engine::Source* source = room.project->find(rejected.entry.source);
  const intake::Sender sender{.policy = &room.policy,
                              .door = &room.door,
                              .project = engine::Project::kDefault,
                              .source = rejected.entry.source,
                              .default_channel = source == nullptr ? ChannelName() : source->channel.name(),
                              .received_at = rejected.entry.received_at,
                              .retried = false,
                              .remote_ip = {},
                              .origin = "repair",
                              .envelopes = &room.envelopes};
  read_again(rejected, sender, replacement, room.intake);
  if (room.intake.rejected > 0 || room.intake.accepted == 0)
    return still_rejected(first_detail(room.intake.records));
  const auto ack = gateway.engine().submit_and_wait({.batch = std::move(room.intake.records),
                                                     .data_keys = std::move(room.intake.new_key_ids),
                                                     .conflicts = engine::Submission::Conflicts::kOnlyCount,
                                                     .done = {}});
  if (!ack.ok()) return ack.status();
  if (ack->conflicts > 0) {
    return still_rejected(
        "duplicate_conflict at \"/message_id\": its message id is known with another content; "
        "give it an id of its own, or discard it");
  }
  return close_rejected(gateway, rejected, RejectionOutcome::kRepaired, actor);
}

}  // namespace kehu::gateway
