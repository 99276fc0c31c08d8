#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "document/customer_name.h"
#include "fields/policy.h"
#include "gateway/gateway.h"
#include "intake/bulk.h"
#include "intake/segment.h"
#include "intake/sender.h"
#include "protocol/cloud_events.h"
#include "protocol/posthog.h"
#include "seal/door.h"
#include "seal/envelope.h"

namespace kehu::gateway {

// What decoding needs, made from one state of the project: rules and a door. For one thread at a time.
struct IntakeRoom {
  explicit IntakeRoom(engine::Engine& engine)
      : project(engine.project()),
        policy(project->settings()),
        door(engine::Project::kDefault, engine.key(), *project->settings(), engine.ring()),
        envelopes(engine.key(), project->envelope_keys()) {}

  document::NameReader names() { return {*project->settings(), door}; }

  std::shared_ptr<const engine::Project> project;
  fields::Policy policy;
  seal::Door door;
  seal::EnvelopeOpener envelopes;
  std::atomic<uint64_t>* in_clear = nullptr;  // see intake::Sender
  intake::SegmentDecoder segment;
  protocol::PostHogDecoder posthog;
  protocol::CloudEventDecoder cloud_events;
  intake::BulkWorkspace bulk;
  // For events that bring their own write key; only in rooms of intake_room.
  intake::SourceOfKey source_of_key;
  intake::Intake intake;
};

// This thread's room for the app's current project; kept from request to request while the project stays the
// same.
IntakeRoom& intake_room(Gateway& gateway);
// The same for uploads, which may outlast the project's state that they began with.
std::shared_ptr<IntakeRoom> shared_intake_room(Gateway& gateway);

// The sender of one request of `source`; views into `request`.
intake::Sender sender_of(IntakeRoom& room, const engine::Source& source, const Request& request, Instant now);

}  // namespace kehu::gateway
