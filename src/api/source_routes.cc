#include <algorithm>

#include "absl/functional/function_ref.h"
#include "api/answers.h"
#include "api/app.h"
#include "api/definition_change.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "directory/credentials.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

constexpr SourceId kSourceOfEnvironment{1};

// The key that the server's environment gives this source, while nobody has taken it away.
std::optional<engine::WriteKey> key_of_environment(const App& app, const engine::Source& source) {
  const std::string& key = app.options().write_key;
  if (key.empty() || source.id != kSourceOfEnvironment) return std::nullopt;
  const Hash128 hash = directory::credential_hash(app.key(), key);
  const bool known = std::any_of(source.keys.begin(), source.keys.end(),
                                 [&](const engine::WriteKey& one) { return one.hash == hash; });
  if (known) return std::nullopt;
  // The operator chose it, and it may be short.
  const std::string hint =
      key.size() >= 20 ? directory::credential_hint(key) : cat(key.substr(0, key.size() / 3), "…");
  return engine::WriteKey{.hash = hash, .hint = hint, .created = {}, .revoked = {}};
}

void write_source(App& app, json::Writer& writer, const engine::Project& project,
                  const engine::Source& source, std::string_view new_key = {}) {
  writer.begin_object().field("name", source.name).field("id", source.id.value());
  writer.field("version", project.find(definition::kSource, source.name)->sequence.value());
  writer.field("channel", to_string(source.channel.name())).field("enabled", source.enabled);
  writer.field("events_per_second", source.events_per_second);
  writer.field("events_per_second_per_address", source.events_per_second_per_address);
  if (!new_key.empty()) writer.field("write_key", new_key);
  writer.key("keys").begin_array();
  for (const engine::WriteKey& key : source.keys) {
    writer.begin_object().field("hint", key.hint);
    if (key.created == Instant()) {
      writer.field("from", "environment");
    } else {
      writer.field("created", format_utc(key.created));
    }
    if (key.revoked) writer.field("revoked", format_utc(*key.revoked));
    writer.end_object();
  }
  if (const auto given = key_of_environment(app, source)) {
    writer.begin_object().field("hint", given->hint).field("from", "environment").end_object();
  }
  writer.end_array().end_object();
}

// What a person asks for of a source.
using Edit = absl::FunctionRef<absl::StatusOr<engine::Source>(const engine::Project& project)>;

// Makes the change and answers with the source as it is then; a new key is shown this once.
absl::StatusOr<Response> define(App& app, const DefinitionChange& change, Edit edit,
                                std::string_view new_key = {}) {
  const auto defined = change_definition(
      app, change,
      [&](const engine::Project& project, const definition::Version*) -> absl::StatusOr<std::string> {
        const auto source = edit(project);
        if (!source.ok()) return source.status();
        return engine::to_json(*source);
      });
  if (!defined.ok()) return refused(app, change, defined.status());
  const auto project = app.engine().project();
  const engine::Source* source = project->find(change.name);
  if (source == nullptr) return absl::NotFoundError("the source was deleted meanwhile");
  std::string out;
  json::Writer writer(out);
  write_source(app, writer, *project, *source, new_key);
  return Response::json(std::move(out), new_key.empty() ? 200 : 201);
}

engine::WriteKey key_entry(App& app, std::string_view key) {
  return {.hash = directory::credential_hash(app.engine().key(), key),
          .hint = directory::credential_hint(key),
          .created = app.engine().clock().now(),
          .revoked = {}};
}

// The limit of a source that a member of a request names; nullptr when it names none.
uint32_t* limit_of(engine::Source& source, std::string_view name) {
  if (name == "events_per_second") return &source.events_per_second;
  if (name == "events_per_second_per_address") return &source.events_per_second_per_address;
  return nullptr;
}

// What may stand there, for whoever sent something else.
std::string advice_for(std::string_view member) {
  engine::Source any;
  if (limit_of(any, member) != nullptr) {
    return cat(" must be a whole number from 0, which is no limit, to ", engine::Source::kEventsPerSecondMax);
  }
  return R"( is unknown or of the wrong kind: send {"enabled": true, "channel": "web", )"
         R"("events_per_second": 1000, "events_per_second_per_address": 50}; 0 is no limit)";
}

// False when the member is unknown or of the wrong kind.
bool set_member(engine::Source& source, const json::Value::Member& member) {
  const auto enabled = member.value.as_bool();
  const auto channel = member.value.as_string();
  const auto number = member.value.as_int();
  if (uint32_t* limit = limit_of(source, member.key)) {
    if (!number || *number < 0 || *number > engine::Source::kEventsPerSecondMax) return false;
    *limit = static_cast<uint32_t>(*number);
  } else if (member.key == "enabled" && enabled) {
    source.enabled = *enabled;
  } else if (member.key == "channel" && channel) {
    source.channel = read_channel(*channel);
  } else {
    return false;
  }
  return true;
}

absl::StatusOr<engine::Source> find_source(const engine::Project& project, std::string_view name) {
  if (const engine::Source* source = project.find(name)) return *source;
  return failure(absl::StatusCode::kNotFound, "there is no source \"", name,
                 "\": GET /api/v1/sources lists them");
}

absl::StatusOr<Response> create(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto name = document->root().find("name").as_string();
  const auto channel = document->root().find("channel").as_string();
  if (!name || !definition::is_source_name(*name)) {
    return to_response(Problem::bad_request(
        "invalid_name", "The name is not usable",
        R"(send {"name": "…", "channel": "web"}; a name has 1 to 64 bytes: letters and digits of any script, )"
        R"(and between them ., _, - and single spaces)"));
  }
  const std::string key = directory::random_write_key();
  const engine::Source source{.id = {},
                              .name = *name,
                              .channel = read_channel(channel.value_or("")),
                              .enabled = true,
                              .keys = {key_entry(app, key)}};
  // Nobody saw one of this name: of two who make it at once, the second is told.
  const DefinitionChange change{
      .kind = definition::kSource, .name = *name, .actor = command.actor, .seen = Sequence()};
  auto made = define(
      app, change, [&](const engine::Project&) { return source; }, key);
  if (!made.ok() || made->status != 409) return made;
  return to_response({.status = 409,
                      .code = "already_exists",
                      .title = "The source exists",
                      .detail = cat("a source \"", *name, "\" exists: give it a key of its own instead")});
}

absl::StatusOr<Response> change(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  const auto seen = seen_version(document->root());
  if (!seen.ok()) return seen.status();
  const std::string& name = command.parameter("source");
  engine::Source probe;
  for (const auto& member : document->root()) {
    if (member.key == "version" || set_member(probe, member)) continue;
    return to_response(Problem::bad_request("invalid_field", "This cannot be changed so",
                                            cat("`", member.key, "`", advice_for(member.key))));
  }
  return define(app, {.kind = definition::kSource, .name = name, .actor = command.actor, .seen = *seen},
                [&](const engine::Project& project) -> absl::StatusOr<engine::Source> {
                  auto source = find_source(project, name);
                  if (!source.ok()) return source;
                  for (const auto& member : document->root()) {
                    if (member.key != "version") set_member(*source, member);
                  }
                  return source;
                });
}

absl::StatusOr<Response> remove(App& app, const Command& command) {
  const DefinitionChange change{
      .kind = definition::kSource, .name = command.parameter("source"), .actor = command.actor};
  if (auto source = find_source(*app.engine().project(), change.name); !source.ok()) return source.status();
  const auto deleted = delete_definition(app, change);
  if (!deleted.ok()) return refused(app, change, deleted.status());
  return Response::no_content();
}

absl::StatusOr<Response> add_key(App& app, const Command& command) {
  const std::string& name = command.parameter("source");
  const std::string key = directory::random_write_key();
  return define(
      app, {.kind = definition::kSource, .name = name, .actor = command.actor},
      [&](const engine::Project& project) -> absl::StatusOr<engine::Source> {
        auto source = find_source(project, name);
        if (source.ok()) source->keys.push_back(key_entry(app, key));
        return source;
      },
      key);
}

std::string without_dots(std::string_view hint) {
  constexpr std::string_view kDots = "…";
  return std::string(hint.ends_with(kDots) ? hint.substr(0, hint.size() - kDots.size()) : hint);
}

// By the hint or, for who types, by less of it. More than the hint cannot be compared with what is kept of a
// key: only the whole key tells that its end is right.
bool begins_as(const engine::WriteKey& key, std::string_view name) {
  return !name.empty() && without_dots(key.hint).starts_with(name);
}

// The live keys that are named so: the one that is meant as a whole, or all that begin so.
std::vector<engine::WriteKey*> keys_named(App& app, engine::Source& source, const std::string& name) {
  const Hash128 hash = directory::credential_hash(app.key(), name);
  std::vector<engine::WriteKey*> named;
  for (engine::WriteKey& key : source.keys) {
    if (!key.revoked && (key.hash == hash || begins_as(key, name))) named.push_back(&key);
  }
  const auto whole =
      std::find_if(named.begin(), named.end(), [&](const auto* key) { return key->hash == hash; });
  if (whole != named.end()) named = {*whole};
  return named;
}

absl::StatusOr<engine::Source> without_key(App& app, engine::Source source, const std::string& name) {
  if (auto given = key_of_environment(app, source)) source.keys.push_back(*std::move(given));
  const auto named = keys_named(app, source, name);
  if (named.empty()) {
    return failure(absl::StatusCode::kNotFound, "the source has no live key that begins with ",
                   name.substr(0, 12), ", or that is this one: name it by its hint, or by the whole key");
  }
  if (named.size() > 1) {
    return failure(absl::StatusCode::kAlreadyExists, named.size(), " live keys of the source begin with ",
                   name.substr(0, 12), ": name the key by more of its characters, or by all of them");
  }
  named.front()->revoked = app.engine().clock().now();
  std::erase_if(source.keys,
                [](const engine::WriteKey& key) { return key.created == Instant() && !key.revoked; });
  return source;
}

absl::StatusOr<Response> revoke_key(App& app, const Command& command) {
  const std::string& name = command.parameter("source");
  const std::string key = without_dots(command.parameter("hint"));
  std::optional<std::string> ambiguous;
  auto answer = define(app, {.kind = definition::kSource, .name = name, .actor = command.actor},
                       [&](const engine::Project& project) -> absl::StatusOr<engine::Source> {
                         auto source = find_source(project, name);
                         if (source.ok()) source = without_key(app, *std::move(source), key);
                         if (absl::IsAlreadyExists(source.status())) ambiguous = message_of(source.status());
                         return source;
                       });
  if (!ambiguous) return answer;
  return to_response({.status = 409,
                      .code = "ambiguous_key",
                      .title = "More than one key is named so",
                      .detail = *ambiguous});
}

void list(App& app, const Request&, Responder responder) {
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("sources").begin_array();
  for (const engine::Source& source : project->sources()) write_source(app, writer, *project, source);
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

}  // namespace

void add_source_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc source{FieldDoc::Where::kPath, "source", "string", "name of the source", true};
  const AnswerDoc unknown{404, "No such source", "application/problem+json", "Problem"};
  const AnswerDoc created{201, "With its write key, which is shown this once", "application/json", "Source"};
  routes.push_back({.pattern = "/api/v1/sources",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "The sources of events",
                            .group = "sources",
                            .answers = with_admin_answers({{200, "The sources"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/sources",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, create)},
       .doc = {.summary = "Makes a source with a write key",
               .group = "sources",
               .body_content_type = "application/json",
               .body_schema = "NewSource",
               .answers = with_admin_answers(
                   {created, {409, "The name is taken", "application/problem+json", "Problem"}})}});
  routes.push_back(
      {.method = Method::kPatch,
       .pattern = "/api/v1/sources/:source",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, change)},
       .doc = {.summary = "Enables or disables a source, changes its default channel or its limits",
               .group = "sources",
               .fields = {source},
               .body_content_type = "application/json",
               .body_schema = "SourceChange",
               .answers = with_admin_answers({{200, "The source", "application/json", "Source"}, unknown})}});
  routes.push_back({.method = Method::kDelete,
                    .pattern = "/api/v1/sources/:source",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_worker(app, remove)},
                    .doc = {.summary = "Deletes a source: its keys open nothing any more, its events stay",
                            .group = "sources",
                            .fields = {source},
                            .answers = with_admin_answers({{204, "It is deleted"}, unknown})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/sources/:source/keys",
                    .permission = Permission::kChangeDefinitions,
                    .action = NoBody{on_worker(app, add_key)},
                    .doc = {.summary = "Gives a source a further write key, for rotation",
                            .group = "sources",
                            .fields = {source},
                            .answers = with_admin_answers({created, unknown})}});
  routes.push_back(
      {.method = Method::kDelete,
       .pattern = "/api/v1/sources/:source/keys/:hint",
       .permission = Permission::kChangeDefinitions,
       .action = NoBody{on_worker(app, revoke_key)},
       .doc = {.summary = "Revokes a write key, named by its hint or by all of it",
               .group = "sources",
               .fields = {source,
                          {FieldDoc::Where::kPath, "hint", "string", "first characters of the key", true}},
               .answers = with_admin_answers(
                   {{200, "The source", "application/json", "Source"},
                    unknown,
                    {409, "More than one key begins so", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
