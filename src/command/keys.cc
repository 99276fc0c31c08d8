#include <algorithm>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "directory/credentials.h"
#include "directory/data_directory.h"
#include "host/runtime.h"
#include "json/document.h"
#include "json/writer.h"
#include "os/posix_file_system.h"

namespace kehu::command {
namespace {

std::string text_at(const json::Value& value, std::string_view name) {
  return value.find(name).as_string().value_or("");
}

// A write key of a source, whole when it can be known.
struct ShownKey {
  std::string source;
  std::string key;
  std::string note;
  bool whole = false;
};

std::vector<ShownKey> keys_of(const json::Value& sources, const std::string& first_key) {
  std::vector<ShownKey> keys;
  const std::string first_hint = directory::credential_hint(first_key);
  for (const auto& source : sources.find("sources")) {
    const std::string name = text_at(source.value, "name");
    const bool enabled = source.value.find("enabled").as_bool().value_or(true);
    for (const auto& key : source.value.find("keys")) {
      if (key.value.find("revoked").exists()) continue;
      const std::string hint = text_at(key.value, "hint");
      const bool first = source.value.find("id").as_int() == 1 && hint == first_hint;
      const std::string made = text_at(key.value, "created");
      const std::string note = first          ? "made with the directory"
                               : made.empty() ? "of the server's environment"
                                              : "made " + made;
      keys.push_back(
          {name, first ? first_key : hint, enabled ? note : note + ", the source is disabled", first});
    }
  }
  return keys;
}

std::string to_text(const std::string& token, const std::vector<ShownKey>& keys) {
  std::string out = cat("admin token  ", token, "\n\nwrite keys\n");
  bool hidden = false;
  for (const ShownKey& key : keys) {
    out += cat("  ", key.source, "  ", key.key, "  (", key.note, ")\n");
    hidden = hidden || !key.whole;
  }
  if (keys.empty())
    out += "  none: `kehu source key add NAME` makes one, `kehu source add NAME` a source with one\n";
  if (hidden) {
    out +=
        "\nOf keys that were made later only the first characters are kept: they were shown when they were "
        "made.\n"
        "`kehu source key add NAME` makes another one.\n";
  }
  out +=
      "\nA server that was started with KEHU_ADMIN_TOKEN takes that token instead of this one; "
      "KEHU_WRITE_KEY "
      "is one more key.\n";
  return out;
}

std::string to_json(const std::string& token, const std::vector<ShownKey>& keys) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("admin_token", token).key("write_keys").begin_array();
  for (const ShownKey& key : keys) {
    writer.begin_object().field("source", key.source).field(key.whole ? "key" : "hint", key.key);
    writer.field("note", key.note).end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

absl::Status run_keys(const KeysCommand& command) {
  const auto body = call_once({.data = command.data, .url = {}}, {.path = "/api/v1/sources"});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  // The key file exists by now; who may read it may know what follows from it.
  const auto key = directory::DataDirectory::read_key(os::posix_file_system(), command.data);
  if (!key.ok()) return key.status();
  const std::string token = directory::derived_admin_token(*key);
  const std::vector<ShownKey> keys = keys_of(document->root(), directory::derived_write_key(*key));
  return print(command.json ? to_json(token, keys) : to_text(token, keys));
}

}  // namespace kehu::command
