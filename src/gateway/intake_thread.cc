#include "gateway/intake_thread.h"

#include "coding/authorization.h"

namespace kehu::gateway {
namespace {

// Remembers the last key: the events of a request mostly have the same.
intake::SourceOfKey source_of_key(const Gateway& gateway, std::shared_ptr<const engine::Project> project) {
  struct Last {
    std::string key;
    std::optional<intake::KeyedSource> source;
  };
  return [&gateway, project = std::move(project), last = std::make_shared<Last>()](std::string_view key) {
    if (last->key == key) return last->source;
    const engine::Source* source = gateway.source_of(*project, key);
    last->key = key;
    last->source =
        source == nullptr ? std::nullopt : std::optional(intake::KeyedSource{source->id, source->channel});
    return last->source;
  };
}

}  // namespace

IntakeRoom& intake_room(Gateway& gateway) { return *shared_intake_room(gateway); }

std::shared_ptr<IntakeRoom> shared_intake_room(Gateway& gateway) {
  struct Kept {
    const Gateway* gateway = nullptr;
    std::shared_ptr<IntakeRoom> room;
  };
  thread_local Kept kept;
  if (kept.gateway != &gateway || kept.room->project != gateway.engine().project()) {
    kept.room.reset();
    kept.room = std::make_shared<IntakeRoom>(gateway.engine());
    kept.room->in_clear = &gateway.personal_in_clear();
    kept.gateway = &gateway;
    kept.room->source_of_key = source_of_key(gateway, kept.room->project);
  }
  return kept.room;
}

intake::Sender sender_of(IntakeRoom& room, const engine::Source& source, const Request& request,
                         Instant now) {
  const auto retry = request.header("X-Retry-Count");
  return {.policy = &room.policy,
          .door = &room.door,
          .project = engine::Project::kDefault,
          .source = source.id,
          .default_channel = source.channel,
          .received_at = now,
          .retried = retry && *retry != "0" && !retry->empty(),
          .remote_ip = request.remote,
          .user_agent = request.header("User-Agent").value_or(""),
          .origin = request.route,
          .protocol = request.protocol,
          .envelopes = &room.envelopes,
          .in_clear = room.in_clear};
}

}  // namespace kehu::gateway
