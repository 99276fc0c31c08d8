#include "engine/project.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::engine {
namespace {

absl::Status wrong(std::string_view what) {
  return failure(absl::StatusCode::kInvalidArgument, "source definition: ", what);
}

absl::StatusOr<WriteKey> parse_key(const json::Value& value) {
  WriteKey key;
  const auto hash = Hash128::from_hex(value.find("hash").as_string().value_or(""));
  const auto created = parse_iso8601(value.find("created").as_string().value_or(""));
  if (!hash || !created) return wrong("a key needs `hash` (32 hexadecimal digits) and `created` (a time)");
  key.hash = *hash;
  key.created = *created;
  key.hint = value.find("hint").as_string().value_or("");
  if (const auto revoked = value.find("revoked").as_string()) key.revoked = parse_iso8601(*revoked);
  return key;
}

}  // namespace

std::string to_json(const Source& source) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("id", source.id.value()).field("name", source.name);
  writer.field("channel", to_string(source.channel)).field("enabled", source.enabled);
  writer.field("events_per_second", source.events_per_second);
  writer.field("events_per_second_per_address", source.events_per_second_per_address);
  writer.key("keys").begin_array();
  for (const WriteKey& key : source.keys) {
    writer.begin_object().field("hash", key.hash.hex()).field("hint", key.hint);
    writer.field("created", format_utc(key.created));
    if (key.revoked) writer.field("revoked", format_utc(*key.revoked));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

absl::StatusOr<Source> parse_source(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  Source source;
  const auto id = root.find("id").as_int();
  const auto name = root.find("name").as_string();
  if (!id || *id < 1 || *id > UINT32_MAX) return wrong("`id` must be a positive integer");
  if (!name || name->empty()) return wrong("`name` must be a text");
  source.id = SourceId(static_cast<uint32_t>(*id));
  source.name = *name;
  source.channel = parse_channel(root.find("channel").as_string().value_or("unknown"));
  source.enabled = root.find("enabled").as_bool().value_or(true);
  const std::pair<std::string_view, uint32_t*> limits[] = {
      {"events_per_second", &source.events_per_second},
      {"events_per_second_per_address", &source.events_per_second_per_address}};
  for (const auto& [limit, value] : limits) {
    const int64_t number = root.find(limit).as_int().value_or(0);
    if (number < 0 || number > Source::kEventsPerSecondMax) return wrong(cat("`", limit, "` is too large"));
    *value = static_cast<uint32_t>(number);
  }
  for (const auto& member : root.find("keys")) {
    auto key = parse_key(member.value);
    if (!key.ok()) return key.status();
    source.keys.push_back(*std::move(key));
  }
  return source;
}

std::string to_json(const seal::EnvelopeKey& key) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("version", key.version.value()).field("created", format_utc(key.created));
  writer.field("public_key", key.public_key);
  writer.field("sealed_private_key", absl::Base64Escape(to_absl(key.sealed_private))).end_object();
  return out;
}

absl::StatusOr<seal::EnvelopeKey> parse_envelope_key(std::string_view text) {
  auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  const json::Value root = document->root();
  const auto version = root.find("version").as_int();
  const auto created = parse_iso8601(root.find("created").as_string().value_or(""));
  const auto public_key = root.find("public_key").as_string();
  const auto sealed = root.find("sealed_private_key").as_string();
  seal::EnvelopeKey key;
  if (!version || *version < 1 || *version > UINT32_MAX || !created || !public_key || !sealed ||
      !absl::Base64Unescape(to_absl(*sealed), &key.sealed_private)) {
    return failure(
        absl::StatusCode::kInvalidArgument,
        "envelope key definition: it needs `version`, `created`, `public_key` and `sealed_private_key`");
  }
  key.version = seal::EnvelopeVersion(static_cast<uint32_t>(*version));
  key.created = *created;
  key.public_key = *public_key;
  return key;
}

Project::Project(std::shared_ptr<const Settings> settings, std::vector<Source> sources,
                 std::vector<seal::EnvelopeKey> envelope_keys)
    : settings_(std::move(settings)), sources_(std::move(sources)), envelope_keys_(std::move(envelope_keys)) {
  std::sort(sources_.begin(), sources_.end(), [](const Source& a, const Source& b) { return a.id < b.id; });
  for (size_t i = 0; i < sources_.size(); ++i) {
    for (const WriteKey& key : sources_[i].keys) {
      if (sources_[i].enabled && !key.revoked) by_key_.emplace(key.hash, i);
    }
  }
}

const Source* Project::source_of_key(const Hash128& hash) const {
  const auto it = by_key_.find(hash);
  return it == by_key_.end() ? nullptr : &sources_[it->second];
}

const Source* Project::find(SourceId id) const {
  const auto it =
      std::find_if(sources_.begin(), sources_.end(), [id](const Source& s) { return s.id == id; });
  return it == sources_.end() ? nullptr : &*it;
}

const Source* Project::find(std::string_view name) const {
  const auto it =
      std::find_if(sources_.begin(), sources_.end(), [name](const Source& s) { return s.name == name; });
  return it == sources_.end() ? nullptr : &*it;
}

std::string_view Project::name_of(SourceId id) const {
  const Source* source = find(id);
  return source == nullptr ? std::string_view() : std::string_view(source->name);
}

SourceId Project::next_source_id() const {
  return sources_.empty() ? SourceId(1) : sources_.back().id.next();
}

std::shared_ptr<const Project> Project::with(std::shared_ptr<const Settings> settings) const {
  return std::make_shared<const Project>(std::move(settings), sources_, envelope_keys_);
}

std::shared_ptr<const Project> Project::with(Source source) const {
  std::vector<Source> sources = sources_;
  std::erase_if(sources, [&](const Source& s) { return s.id == source.id; });
  sources.push_back(std::move(source));
  return std::make_shared<const Project>(settings_, std::move(sources), envelope_keys_);
}

std::shared_ptr<const Project> Project::with(seal::EnvelopeKey key) const {
  std::vector<seal::EnvelopeKey> keys = envelope_keys_;
  std::erase_if(keys, [&](const seal::EnvelopeKey& k) { return k.version == key.version; });
  const auto behind = std::find_if(keys.begin(), keys.end(),
                                   [&](const seal::EnvelopeKey& k) { return k.version > key.version; });
  keys.insert(behind, std::move(key));
  return std::make_shared<const Project>(settings_, sources_, std::move(keys));
}

}  // namespace kehu::engine
