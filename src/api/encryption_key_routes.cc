#include "api/answers.h"
#include "api/app.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "engine/project.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/envelope.h"

namespace kehu::api {
namespace {

// Each is kept for ever: apps that were not opened for years send for it.
constexpr size_t kKeysMax = 100;
// Of an int in the SDKs.
constexpr int64_t kVersionMax = INT32_MAX;

void write_key(json::Writer& writer, const engine::Project& project, const seal::EnvelopeKey& key) {
  writer.begin_object().field("pkv", key.version.value()).field("created", format_utc(key.created));
  writer.field("public_key", key.public_key);
  writer.field("offered", key.version == project.envelope_keys().back().version).end_object();
}

void list(App& app, const Request&, Responder responder) {
  const auto project = app.engine().project();
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("keys").begin_array();
  for (const seal::EnvelopeKey& key : project->envelope_keys()) write_key(writer, *project, key);
  writer.end_array().end_object();
  responder.send(Response::json(std::move(out)));
}

struct NewKey {
  std::optional<int64_t> version;
  std::optional<std::string> private_key;
};

absl::StatusOr<NewKey> parse_new_key(std::string_view body) {
  NewKey key;
  if (body.empty()) return key;
  const auto document = json::Document::parse(body);
  if (!document.ok()) return document.status();
  for (const json::Value::Member& member : document->root()) {
    const auto version = member.value.as_int();
    const auto pem = member.value.as_string();
    if (member.key == "pkv" && version && *version >= 1 && *version <= kVersionMax) {
      key.version = version;
    } else if (member.key == "private_key" && pem) {
      key.private_key = pem;
    } else {
      return failure(absl::StatusCode::kInvalidArgument, "`", member.key,
                     "` is unknown or of the wrong kind: send ",
                     R"(nothing, or {"pkv": 1, "private_key": "-----BEGIN PRIVATE KEY-----…"})");
    }
  }
  return key;
}

absl::StatusOr<seal::EnvelopeKey> new_pair(App& app, const engine::Project& project, const NewKey& wanted) {
  const auto& keys = project.envelope_keys();
  if (keys.size() >= kKeysMax) {
    return failure(absl::StatusCode::kFailedPrecondition, "the project has ", keys.size(),
                   " key pairs, and may not have more");
  }
  const int64_t version =
      wanted.version.value_or(keys.empty() ? 1 : int64_t{keys.back().version.value()} + 1);
  if (version > kVersionMax) {
    return failure(absl::StatusCode::kFailedPrecondition, "there is no pkv behind ", kVersionMax,
                   ": send one that is free");
  }
  const seal::EnvelopeKeyOptions options{.cipher = project.settings()->cipher,
                                         .version = seal::EnvelopeVersion(static_cast<uint32_t>(version)),
                                         .created = app.engine().clock().now()};
  if (!wanted.private_key) return seal::make_envelope_key(app.engine().key(), options);
  return seal::read_envelope_key(app.engine().key(), options, *wanted.private_key);
}

absl::Status taken(const seal::EnvelopeKey& key) {
  return failure(absl::StatusCode::kFailedPrecondition, "the project has a key pair pkv ",
                 key.version.value(), " already: what was encrypted for it could not be read any more");
}

absl::StatusOr<Response> add(App& app, const Command& command) {
  const auto wanted = parse_new_key(command.body);
  if (!wanted.ok()) return wanted.status();
  // Of two who make the next pair at once, the second makes the one behind it.
  for (;;) {
    const auto key = new_pair(app, *app.engine().project(), *wanted);
    if (!key.ok()) return key.status();
    const std::string body = definition::to_json(*key);
    const std::string name = cat(key->version.value());
    const Definition pair{.kind = definition::kEnvelopeKey,
                          .name = name,
                          .body = body,
                          .actor = command.actor,
                          .base = Sequence()};
    const auto defined = app.engine().define({&pair, 1});
    if (absl::IsAborted(defined.status()) && !wanted->version) continue;
    if (absl::IsAborted(defined.status())) return taken(*key);
    if (!defined.ok()) return defined.status();
    std::string out;
    json::Writer writer(out);
    write_key(writer, *app.engine().project(), *key);
    return Response::json(std::move(out), 201);
  }
}

}  // namespace

void add_encryption_key_routes(App& app, std::vector<Route>& routes) {
  routes.push_back({.pattern = "/api/v1/encryption-keys",
                    .permission = Permission::kReadDefinitions,
                    .action = NoBody{on_connection(app, list)},
                    .doc = {.summary = "The key pairs that mobile SDKs encrypt for; their public halves",
                            .group = "sources",
                            .answers = with_admin_answers({{200, "The key pairs"}})}});
  routes.push_back(
      {.method = Method::kPost,
       .pattern = "/api/v1/encryption-keys",
       .permission = Permission::kChangeDefinitions,
       .action = BufferedBody{16 << 10, on_worker(app, add)},
       .doc = {.summary = "Makes a key pair for mobile SDKs, or takes one that is in use already",
               .text =
                   "The remote configuration offers the pair with the highest `pkv`; what was encrypted for "
                   "another is still read. docs/clients/sensors.md",
               .group = "sources",
               .body_content_type = "application/json",
               .body_schema = "NewEncryptionKey",
               .answers = with_admin_answers(
                   {{201, "The new pair", "application/json", "EncryptionKey"},
                    {400, "A field is wrong; the detail names it", "application/problem+json", "Problem"},
                    {409, "The `pkv` is taken", "application/problem+json", "Problem"}})}});
}

}  // namespace kehu::api
