#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/app.h"
#include "intake/bulk.h"
#include "intake/cloud_events.h"
#include "intake/context.h"
#include "intake/policy.h"
#include "intake/posthog.h"
#include "intake/segment.h"
#include "seal/door.h"
#include "seal/envelope.h"

namespace kehu::api {

// What decoding needs, made from one state of the project: rules and a door. For one thread at a time.
struct IntakeRoom {
  explicit IntakeRoom(engine::Engine& engine)
      : project(engine.project()),
        policy(project->settings()),
        door(engine::Project::kDefault, engine.key(), *project->settings(), engine.ring()),
        envelopes(engine.key(), project->envelope_keys()) {}

  std::shared_ptr<const engine::Project> project;
  intake::Policy policy;
  seal::Door door;
  seal::EnvelopeOpener envelopes;
  intake::SegmentDecoder segment;
  intake::PostHogDecoder posthog;
  intake::CloudEventDecoder cloud_events;
  intake::BulkWorkspace bulk;
  // For events that bring their own write key; only in rooms of intake_room.
  intake::SourceOfKey source_of_key;
  intake::Intake intake;
};

// This thread's room for the app's current project; kept from request to request while the project stays the
// same.
IntakeRoom& intake_room(App& app);
// The same for uploads, which may outlast the project's state that they began with.
std::shared_ptr<IntakeRoom> shared_intake_room(App& app);

// The write key of a request's headers or query; nullopt when it can only be in the body.
std::optional<std::string> write_key_of(const Request& request);

// The context for one request of `source`; views into `request` and `origin`.
intake::Context intake_context(IntakeRoom& room, const engine::Source& source, const Request& request,
                               Instant now, std::string_view origin);

}  // namespace kehu::api
