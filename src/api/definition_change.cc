#include "api/definition_change.h"

#include "base/text.h"
#include "definition/rules.h"
#include "http/problem.h"

namespace kehu::api {
namespace {

// Each loss of the race means that somebody else won it, so this many in a row take as many rivals.
constexpr int kAttempts = 100;

absl::StatusOr<definition::Defined> attempt(App& app, const DefinitionChange& change, MakeBody make) {
  const auto project = app.engine().project();
  const definition::Version* newest = project->find(change.kind, change.name);
  const auto body = make(*project, newest);
  if (!body.ok()) return body.status();
  const Definition record{.kind = change.kind,
                          .name = change.name,
                          .body = *body,
                          .actor = change.actor,
                          .base = change.seen.value_or(newest == nullptr ? Sequence() : newest->sequence)};
  return app.engine().define({&record, 1});
}

}  // namespace

absl::StatusOr<definition::Defined> change_definition(App& app, const DefinitionChange& change,
                                                      MakeBody make) {
  absl::StatusOr<definition::Defined> defined = attempt(app, change, make);
  for (int i = 1; i < kAttempts && absl::IsAborted(defined.status()) && !change.seen; ++i) {
    defined = attempt(app, change, make);
  }
  return defined;
}

absl::StatusOr<definition::Defined> delete_definition(App& app, const DefinitionChange& change) {
  const auto project = app.engine().project();
  // Without it the engine refuses as well, and misses what is there.
  const bool is_segment = change.kind == definition::kSegment;
  if (is_segment || change.kind == definition::kTag) {
    const auto kind = is_segment ? rule::Kind::kSegment : rule::Kind::kTag;
    if (auto status = definition::check_unused(*project, kind, change.name); !status.ok()) return status;
  }
  const definition::Version* newest = project->find(change.kind, change.name);
  const Definition record{.kind = change.kind,
                          .name = change.name,
                          .body = "",
                          .actor = change.actor,
                          .base = change.seen.value_or(newest == nullptr ? Sequence() : newest->sequence),
                          .deleted = true};
  return app.engine().define({&record, 1});
}

Response refused(App& app, const DefinitionChange& change, const absl::Status& why) {
  if (!absl::IsAborted(why)) return to_response(problem_of(why));
  const auto project = app.engine().project();
  const definition::Version* newest = project->find(change.kind, change.name);
  return to_response({.status = 409,
                      .code = "stale_version",
                      .title = "Somebody changed it meanwhile",
                      .detail = message_of(why),
                      .version = newest == nullptr ? 0 : newest->sequence.value()});
}

absl::StatusOr<std::optional<Sequence>> seen_version(const json::Value& body) {
  const json::Value version = body.find("version");
  if (!version.exists()) return std::nullopt;
  const auto number = version.as_int();
  if (!number || *number < 0) {
    return absl::InvalidArgumentError(
        "`version` must be a number: that of the version which the change was made of");
  }
  return Sequence(static_cast<uint64_t>(*number));
}

}  // namespace kehu::api
