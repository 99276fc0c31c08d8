#include <algorithm>

#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "codec/record.h"
#include "engine/credentials.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::api {
namespace {

constexpr size_t kNameBytesMax = 64;

void write_source(json::Writer& writer, const engine::Source& source, std::string_view new_key = {}) {
  writer.begin_object().field("name", source.name).field("id", source.id.value());
  writer.field("channel", to_string(source.channel)).field("enabled", source.enabled);
  writer.field("events_per_second", source.events_per_second);
  writer.field("events_per_second_per_address", source.events_per_second_per_address);
  if (!new_key.empty()) writer.field("write_key", new_key);
  writer.key("keys").begin_array();
  for (const engine::WriteKey& key : source.keys) {
    writer.begin_object().field("hint", key.hint).field("created", format_utc(key.created));
    if (key.revoked) writer.field("revoked", format_utc(*key.revoked));
    writer.end_object();
  }
  writer.end_array().end_object();
}

// Logs the source's new definition and answers with it; a new key is shown this once.
absl::StatusOr<Response> define(App& app, const engine::Source& source, const std::string& actor,
                                std::string_view new_key = {}) {
  const std::string body = engine::to_json(source);
  RecordBatch batch;
  codec::add_record(batch, RecordKind::kDefinition, [&](std::string& out) {
    codec::append_definition({.kind = "source", .name = source.name, .body = body, .actor = actor}, out);
  });
  if (const auto ack = app.engine().submit_and_wait(std::move(batch)); !ack.ok()) {
    return ack.status();
  }
  std::string out;
  json::Writer writer(out);
  write_source(writer, source, new_key);
  return Response::json(std::move(out), new_key.empty() ? 200 : 201);
}

engine::WriteKey key_entry(App& app, std::string_view key) {
  return {.hash = engine::credential_hash(app.engine().key(), key),
          .hint = engine::credential_hint(key),
          .created = app.engine().clock().now(),
          .revoked = {}};
}

bool is_channel(std::string_view name) {
  return parse_channel(name) != Channel::kUnknown || name == "unknown";
}

// The limit of a source that a member of a request names; nullptr when it names none.
uint32_t* limit_of(engine::Source& source, std::string_view name) {
  if (name == "events_per_second") return &source.events_per_second;
  if (name == "events_per_second_per_address") return &source.events_per_second_per_address;
  return nullptr;
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
  } else if (member.key == "channel" && channel && is_channel(*channel)) {
    source.channel = parse_channel(*channel);
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
  if (!name || name->empty() || name->size() > kNameBytesMax) {
    return to_response(
        Problem::bad_request("invalid_name", "The name is not usable",
                             R"(send {"name": "…", "channel": "web"}; a name has 1 to 64 bytes)"));
  }
  if (channel && !is_channel(*channel)) {
    return to_response(Problem::bad_request(
        "invalid_channel", "There is no such channel",
        "one of web, app, mini_program, shop, service, server, device, partner, unknown"));
  }
  const auto project = app.engine().project();
  if (project->find(*name) != nullptr) {
    return to_response({.status = 409,
                        .code = "already_exists",
                        .title = "The source exists",
                        .detail = cat("a source \"", *name, "\" exists: give it a key of its own instead")});
  }
  const std::string key = engine::random_write_key();
  return define(app,
                {.id = project->next_source_id(),
                 .name = *name,
                 .channel = channel ? parse_channel(*channel) : Channel::kUnknown,
                 .enabled = true,
                 .keys = {key_entry(app, key)}},
                command.actor, key);
}

absl::StatusOr<Response> change(App& app, const Command& command) {
  const auto document = json::Document::parse(command.body);
  if (!document.ok()) return document.status();
  auto found = find_source(*app.engine().project(), command.parameter("source"));
  if (!found.ok()) return found.status();
  engine::Source& source = *found;
  for (const auto& member : document->root()) {
    if (set_member(source, member)) continue;
    return to_response(Problem::bad_request(
        "invalid_field", "This cannot be changed so",
        cat("`", member.key,
            R"(` is unknown or of the wrong kind: send {"enabled": true, "channel": "web", )",
            R"("events_per_second": 1000, "events_per_second_per_address": 50}; 0 is no limit)")));
  }
  return define(app, source, command.actor);
}

absl::StatusOr<Response> add_key(App& app, const Command& command) {
  auto found = find_source(*app.engine().project(), command.parameter("source"));
  if (!found.ok()) return found.status();
  engine::Source& source = *found;
  const std::string key = engine::random_write_key();
  source.keys.push_back(key_entry(app, key));
  return define(app, source, command.actor, key);
}

absl::StatusOr<Response> revoke_key(App& app, const Command& command) {
  auto found = find_source(*app.engine().project(), command.parameter("source"));
  if (!found.ok()) return found.status();
  engine::Source& source = *found;
  const std::string hint = command.parameter("hint").substr(0, 8);
  const auto key = std::find_if(source.keys.begin(), source.keys.end(), [&](const engine::WriteKey& k) {
    return !k.revoked && k.hint.substr(0, 8) == hint;
  });
  if (key == source.keys.end()) {
    return failure(absl::StatusCode::kNotFound, "the source has no live key that begins with ", hint);
  }
  key->revoked = app.engine().clock().now();
  return define(app, source, command.actor);
}

void list(App& app, const Request&, Responder responder) {
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("sources").begin_array();
  for (const engine::Source& source : project->sources()) write_source(writer, source);
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

}  // namespace

void add_source_routes(App& app, std::vector<Route>& routes) {
  const FieldDoc source{FieldDoc::Where::kPath, "source", "string", "name of the source", true};
  const AnswerDoc unknown{404, "No such source", "application/problem+json", "Problem"};
  const AnswerDoc created{201, "With its write key, which is shown this once", "application/json", "Source"};
  routes.push_back({.pattern = "/api/v1/sources",
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "The sources of events",
                            .group = "sources",
                            .answers = with_admin_answers({{200, "The sources"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/sources",
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
       .action = BufferedBody{16 << 10, on_worker(app, change)},
       .doc = {.summary = "Enables or disables a source, changes its default channel or its limits",
               .group = "sources",
               .fields = {source},
               .body_content_type = "application/json",
               .body_schema = "SourceChange",
               .answers = with_admin_answers({{200, "The source", "application/json", "Source"}, unknown})}});
  routes.push_back({.method = Method::kPost,
                    .pattern = "/api/v1/sources/:source/keys",
                    .action = NoBody{on_worker(app, add_key)},
                    .doc = {.summary = "Gives a source a further write key, for rotation",
                            .group = "sources",
                            .fields = {source},
                            .answers = with_admin_answers({created, unknown})}});
  routes.push_back(
      {.method = Method::kDelete,
       .pattern = "/api/v1/sources/:source/keys/:hint",
       .action = NoBody{on_worker(app, revoke_key)},
       .doc = {.summary = "Revokes a write key, named by its first eight characters",
               .group = "sources",
               .fields = {source,
                          {FieldDoc::Where::kPath, "hint", "string", "first characters of the key", true}},
               .answers = with_admin_answers({{200, "The source", "application/json", "Source"}, unknown})}});
}

}  // namespace kehu::api
