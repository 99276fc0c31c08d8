#include "intake/rehearsal.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "codec/record.h"
#include "fields/policy.h"
#include "intake/bulk.h"
#include "intake/sender.h"
#include "seal/door.h"
#include "seal/key_ring.h"
#include "seal/project_key.h"

// A dry run goes through the very code that takes events in, with a door and a ring of its own, and shows
// what came out. A second reading of the rules would be shorter, and would be wrong as soon as one of them
// changed.
namespace kehu::intake {

// The key seals nothing that is kept, so it need not be secret.
struct Rehearsal::State {
  State(std::shared_ptr<const Settings> with, Instant now)
      : settings(std::move(with)),
        key(*seal::ProjectKey::from_bytes(std::string(seal::ProjectKey::kBytes, 'r'))),
        ring(key, settings->cipher,
             [number = uint64_t{0}](char* bytes, size_t size) mutable { count(++number, bytes, size); }),
        door(ProjectId(1), key, *settings, ring),
        policy(settings) {
    sender.policy = &policy;
    sender.door = &door;
    sender.project = ProjectId(1);
    sender.source = SourceId(1);
    sender.received_at = now;
  }

  // Bytes that differ from call to call, as the ids of data keys must.
  static void count(uint64_t number, char* bytes, size_t size) {
    std::fill_n(bytes, size, 'r');
    std::memcpy(bytes, &number, std::min(size, sizeof(number)));
  }

  std::shared_ptr<const Settings> settings;
  seal::ProjectKey key;
  seal::KeyRing ring;
  seal::Door door;
  fields::Policy policy;
  Sender sender;
  Intake intake;
};

Rehearsal::Rehearsal(std::shared_ptr<const Settings> settings, Instant now)
    : state_(std::make_unique<State>(std::move(settings), now)) {}
Rehearsal::~Rehearsal() = default;

std::vector<Rehearsal::Verdict> Rehearsal::judge(std::string_view lines) {
  Intake& intake = state_->intake;
  intake.clear();
  BulkDecoder(state_->sender).decode_whole(lines, intake);
  std::vector<Verdict> out;
  codec::EventRecord record;
  for (const RecordBatch::Entry& entry : intake.records.entries) {
    const std::string_view payload = intake.records.payload(entry);
    if (entry.kind == RecordKind::kRejection) {
      const auto rejection = codec::decode_rejection(payload);
      KEHU_CHECK(rejection.ok());
      out.push_back({.accepted = false,
                     .reason = rejection->reason,
                     .path = std::string(rejection->path),
                     .detail = std::string(rejection->detail),
                     .left_out = {}});
    } else if (entry.kind == RecordKind::kEvent) {
      KEHU_CHECK(record.decode(payload).ok());
      Verdict verdict{.accepted = true, .path = {}, .detail = {}, .left_out = {}};
      for (const Identifier& identifier : record.event().identifiers) {
        if (identifier.left_out == LeftOut::kNo) continue;
        verdict.left_out.push_back({state_->settings->rule(identifier.type).name, identifier.left_out});
      }
      out.push_back(std::move(verdict));
    }
  }
  return out;
}

}  // namespace kehu::intake
