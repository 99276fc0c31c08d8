#include "api/intake_thread.h"

#include "intake/authorization.h"

namespace kehu::api {
namespace {

// Remembers the last key: the events of a request mostly have the same.
intake::SourceOfKey source_of_key(const App& app, std::shared_ptr<const engine::Project> project) {
  struct Last {
    std::string key;
    std::optional<intake::KeyedSource> source;
  };
  return [&app, project = std::move(project), last = std::make_shared<Last>()](std::string_view key) {
    if (last->key == key) return last->source;
    const engine::Source* source = app.source_of(*project, key);
    last->key = key;
    last->source =
        source == nullptr ? std::nullopt : std::optional(intake::KeyedSource{source->id, source->channel});
    return last->source;
  };
}

}  // namespace

IntakeRoom& intake_room(App& app) { return *shared_intake_room(app); }

std::shared_ptr<IntakeRoom> shared_intake_room(App& app) {
  struct Kept {
    const App* app = nullptr;
    std::shared_ptr<IntakeRoom> room;
  };
  thread_local Kept kept;
  if (kept.app != &app || kept.room->project != app.engine().project()) {
    kept.room.reset();
    kept.room = std::make_shared<IntakeRoom>(app.engine());
    kept.app = &app;
    kept.room->source_of_key = source_of_key(app, kept.room->project);
  }
  return kept.room;
}

std::optional<std::string> write_key_of(const Request& request) {
  if (const auto header = request.header("Authorization")) {
    auto credential = intake::parse_authorization(*header);
    if (credential && credential->scheme == intake::Credential::Scheme::kBasic)
      return std::move(credential->key);
    if (credential && credential->key.starts_with("kwk_")) return std::move(credential->key);
  }
  return request.query("writeKey");
}

intake::Context intake_context(IntakeRoom& room, const engine::Source& source, const Request& request,
                               Instant now, std::string_view origin) {
  const auto retry = request.header("X-Retry-Count");
  return {.policy = &room.policy,
          .door = &room.door,
          .project = engine::Project::kDefault,
          .source = source.id,
          .default_channel = source.channel,
          .received_at = now,
          .retried = retry && *retry != "0" && !retry->empty(),
          .remote_ip = request.remote,
          .origin = origin,
          .envelopes = &room.envelopes};
}

}  // namespace kehu::api
