#include "api/intake_thread.h"

#include "intake/authorization.h"

namespace kehu::api {

IntakeRoom& intake_room(App& app) {
  struct Kept {
    const App* app = nullptr;
    std::unique_ptr<IntakeRoom> room;
  };
  thread_local Kept kept;
  if (kept.app != &app || kept.room->project != app.engine().project()) {
    kept.room.reset();
    kept.room = std::make_unique<IntakeRoom>(app.engine());
    kept.app = &app;
  }
  return *kept.room;
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
          .origin = origin};
}

}  // namespace kehu::api
