#include <cstdio>

#include "base/text.h"
#include "codec/settings_json.h"
#include "command/administration.h"
#include "command/answers.h"
#include "directory/data_directory.h"
#include "host/runtime.h"
#include "json/document.h"
#include "json/writer.h"
#include "mapping/row_mapper.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

namespace kehu::command {
namespace {

constexpr const char* kPath = "/api/v1/settings";

std::string standard_input() {
  std::string text;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), stdin)) text.append(buffer, size);
  return text;
}

std::string names_of(const json::Value& settings) {
  std::string out;
  for (const auto& member : settings) out += cat(out.empty() ? "" : ", ", member.key);
  return out;
}

absl::Status no_setting(const std::string& key, const json::Value& settings) {
  return failure(absl::StatusCode::kInvalidArgument, "there is no setting \"", key, "\"; there are ",
                 names_of(settings));
}

// A word that is no JSON is the text that it is: `settings set time_zone UTC`.
std::string as_json(const std::string& word) {
  if (json::Document::parse(word).ok()) return word;
  std::string out;
  json::Writer(out).value(word);
  return out;
}

// The settings with one of them replaced.
std::string changed(const json::Value& settings, const std::string& key, const std::string& value) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  bool found = false;
  for (const auto& member : settings) {
    writer.raw_field(member.key, member.key == key ? std::string_view(value) : member.value.raw());
    found = found || member.key == key;
  }
  // The server names what it does not know.
  if (!found) writer.raw_field(key, value);
  writer.end_object();
  return out;
}

absl::StatusOr<std::string> whole_text(const std::string& what) {
  if (what == "-") return standard_input();
  if (what.starts_with('{')) {
    return absl::InvalidArgumentError(
        "whole settings come as a file or, with -, by standard input; one of them as KEY VALUE");
  }
  return os::read_whole_file(os::posix_file_system(), what);
}

absl::StatusOr<std::string> new_settings(Caller& caller, const SettingsCommand& command) {
  if (!command.value) return whole_text(command.what);
  const auto now = body_of(caller.call({.path = kPath}));
  if (!now.ok()) return now.status();
  const auto document = json::Document::parse(*now);
  if (!document.ok()) return document.status();
  return changed(document->root(), command.what, as_json(*command.value));
}

bool is_missing(const Where& where) {
  return !where.data.empty() && !directory::DataDirectory::exists(os::posix_file_system(), where.data);
}

// A directory that is not there yet is made with them: some, like the cipher, can only be chosen then.
absl::Status found_directory(const SettingsCommand& command) {
  std::string text;
  if (command.value) {
    json::Writer(text).begin_object().raw_field(command.what, as_json(*command.value)).end_object();
  } else {
    auto whole = whole_text(command.what);
    if (!whole.ok()) return whole.status();
    text = *std::move(whole);
  }
  // Before anything is made.
  if (const auto settings = codec::settings_from_json(text); !settings.ok()) return settings.status();
  auto runtime = host::Runtime::open({.directory = command.where.data, .settings_text = text});
  return runtime.ok() ? (*runtime)->stop() : runtime.status();
}

absl::Status put_settings(Caller& caller, const SettingsCommand& command) {
  const auto text = new_settings(caller, command);
  if (!text.ok()) return text.status();
  const auto body = body_of(caller.call({.method = "PUT", .path = kPath, .headers = kJson, .body = *text}));
  return body.ok() ? absl::OkStatus() : body.status();
}

}  // namespace

absl::Status get_settings(const SettingsCommand& command) {
  const bool may_begin =
      is_missing(command.where) &&
      directory::DataDirectory::may_begin(os::posix_file_system(), command.where.data).ok();
  // Those that a directory is made with.
  const auto body =
      may_begin ? codec::settings_to_json(Settings::defaults()) : call_once(command.where, {.path = kPath});
  if (!body.ok()) return body.status();
  if (command.what.empty()) return print(mapping::pretty(*body));
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  const json::Value value = document->root().find(command.what);
  if (!value.exists()) return no_setting(command.what, document->root());
  return print(mapping::pretty(value.raw()));
}

absl::Status set_settings(const SettingsCommand& command) {
  if (command.what.empty())
    return absl::InvalidArgumentError("say what to set: FILE, - for standard input, or KEY VALUE");
  if (is_missing(command.where)) {
    if (auto status = found_directory(command); !status.ok()) return status;
    return print(cat(command.where.data, " is made with these settings"));
  }
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  absl::Status status = put_settings(**caller, command);
  status.Update((*caller)->close());
  if (!status.ok()) return status;
  return print("the settings are changed; they count for the events that follow");
}

}  // namespace kehu::command
