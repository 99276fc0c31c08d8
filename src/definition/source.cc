#include "definition/source.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "base/civil_day.h"
#include "codec/node.h"
#include "json/document.h"
#include "json/text.h"
#include "json/writer.h"

namespace kehu::definition {
namespace {

using codec::Node;
using codec::Reading;

constexpr size_t kNameBytesMax = 64;

void read_time(const Node& node, std::optional<Instant>& out) {
  std::string text;
  node.read(text);
  if (!text.empty()) out = parse_iso8601(text);
  if (node.exists() && !out) node.fail("a time", "write one such as \"2026-11-30T08:00:00Z\"");
}

WriteKey read_key(const Node& node) {
  WriteKey key;
  if (!node.is_object()) return key;
  node.expect_only({"hash", "hint", "created", "revoked"});
  std::string hash;
  node.find("hash").read(hash);
  const auto known = Hash128::from_hex(hash);
  if (!known) node.find("hash").fail("32 hexadecimal digits", "write the keyed hash of the key");
  key.hash = known.value_or(Hash128{});
  node.find("hint").read(key.hint);
  std::optional<Instant> created;
  read_time(node.find("created"), created);
  if (!created) node.find("created").fail("a time", "write when the key was made");
  key.created = created.value_or(Instant());
  read_time(node.find("revoked"), key.revoked);
  return key;
}

// Reads what files may say of a source. Its id and keys are no part of a file: they are given and made by
// the server.
void read_choices(const Node& root, Source& source) {
  std::string channel = "unknown";
  root.find("channel").read(channel);
  source.channel = read_channel(channel);
  root.find("enabled").read(source.enabled);
  root.find("events_per_second").read({0, Source::kEventsPerSecondMax}, source.events_per_second);
  root.find("events_per_second_per_address")
      .read({0, Source::kEventsPerSecondMax}, source.events_per_second_per_address);
}

void write_choices(const Source& source, json::Writer& writer) {
  writer.field("channel", to_string(source.channel.name())).field("enabled", source.enabled);
  writer.field("events_per_second", source.events_per_second);
  writer.field("events_per_second_per_address", source.events_per_second_per_address);
}

}  // namespace

// Scripts other than ASCII's are people's words: any of their characters will do.
bool is_source_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax || !json::is_valid_utf8(name)) return false;
  const auto is_letter = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto is_joint = [](char c) { return c == '.' || c == '_' || c == '-' || c == ' '; };
  return is_letter(name.front()) && is_letter(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return is_letter(c) || is_joint(c); }) &&
         name.find("  ") == name.npos;
}

std::string to_json(const Source& source) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("id", source.id.value()).field("name", source.name);
  write_choices(source, writer);
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
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  Reading reading{"source definition"};
  const Node root = Node::root(*document, reading);
  Source source;
  if (root.is_object()) {
    uint32_t id = 0;
    root.find("id").read({0, UINT32_MAX}, id);
    source.id = SourceId(id);
    root.find("name").read(source.name);
    if (source.name.empty()) root.find("name").fail("the name of the source", "write it as a text");
    read_choices(root, source);
    root.find("keys").each(
        [&](const std::string&, const Node& key) { source.keys.push_back(read_key(key)); });
  }
  if (!reading.status.ok()) return reading.status;
  return source;
}

std::string to_file(const Source& source) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_choices(source, writer);
  writer.end_object();
  return out;
}

absl::StatusOr<Source> source_from_file(std::string_view name, std::string_view text, const Source* before) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  Reading reading{"source"};
  const Node root = Node::root(*document, reading);
  Source source;
  if (root.is_object()) {
    root.expect_only({"channel", "enabled", "events_per_second", "events_per_second_per_address"});
    read_choices(root, source);
  }
  if (!reading.status.ok()) return reading.status;
  source.name = name;
  if (before != nullptr) {
    source.id = before->id;
    source.keys = before->keys;
  }
  return source;
}

}  // namespace kehu::definition
