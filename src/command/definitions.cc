#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "command/rule_files.h"
#include "definition/kind.h"
#include "definition/rules.h"
#include "definition/seen_versions.h"
#include "json/document.h"
#include "json/writer.h"
#include "mapping/row_mapper.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"
#include "rule/tree_json.h"
#include "toml/to_json.h"

namespace kehu::command {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPath = "/api/v1/definitions";
// Hidden, so that it is taken for no definition.
constexpr const char* kSeenFile = ".kehu-versions.json";

struct File {
  std::string path;                           // for messages
  std::string files;                          // "settings", "sources"
  std::string name;                           // "" of a single one
  std::string body;                           // JSON
  std::optional<rule::Definition> rule = {};  // of a file in the notation
};

std::string place_of_part(const File& file, std::string_view pointer) {
  if (!file.rule) return pointer.empty() ? file.path : cat(file.path, ": ", pointer);
  return in_place(file.path, definition::place_of(*file.rule, pointer));
}

bool is_definition_file(const fs::path& path) {
  return path.extension() == ".json" || path.extension() == ".toml" || is_rule_file(path);
}

absl::StatusOr<std::string> read_body(const fs::path& path) {
  const auto text = os::read_whole_file(os::posix_file_system(), path.string());
  if (!text.ok()) return text.status();
  if (path.extension() == ".toml") return toml::to_json(*text, path.string());
  const auto document = json::Document::parse(*text);
  if (document.ok()) return *text;
  return failure(document.status().code(), path.string(), ": ", message_of(document.status()));
}

// "settings.json" is a single one, "sources/web.toml" one of many.
absl::StatusOr<File> place_of(const fs::path& directory, const fs::path& path) {
  const fs::path inside = fs::relative(path, directory);
  File file{.path = path.string(), .files = {}, .name = {}, .body = {}};
  const bool alone = !inside.has_parent_path();
  file.files = alone ? inside.stem().string() : inside.parent_path().string();
  if (!alone) file.name = inside.stem().string();
  std::string places;
  for (const definition::Kind& kind : definition::kinds()) {
    if (kind.files.empty()) continue;
    if (kind.files == file.files && kind.single == alone) return file;
    places += cat(places.empty() ? "" : ", ", kind.files, kind.single ? ".json" : "/NAME.json");
  }
  return failure(absl::StatusCode::kInvalidArgument, path.string(),
                 " is no place of a definition; there are ", places, ", each also as .toml");
}

absl::Status add_rules(const fs::path& path, std::vector<File>& files) {
  const auto definitions = read_rule_file(path);
  if (!definitions.ok()) return definitions.status();
  for (const rule::Definition& definition : *definitions) {
    files.push_back({.path = path.string(),
                     .files = cat(rule::to_string(definition.kind), "s"),
                     .name = definition.name,
                     .body = rule::to_json(definition),
                     .rule = definition});
  }
  return absl::OkStatus();
}

// Other files, as a repository has them, are passed over, and so are hidden ones.
absl::StatusOr<std::vector<fs::path>> paths_in(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    const bool hidden = at->path().filename().string().starts_with('.');
    if (hidden && at->is_directory()) at.disable_recursion_pending();
    if (!hidden && at->is_regular_file() && is_definition_file(at->path())) paths.push_back(at->path());
  }
  if (error) return failure(absl::StatusCode::kNotFound, directory, ": ", error.message());
  std::ranges::sort(paths);
  return paths;
}

// One definition has one place.
absl::Status check_once(const std::vector<File>& files) {
  std::map<std::pair<std::string_view, std::string_view>, const File*> seen;
  for (const File& file : files) {
    const std::pair<std::string_view, std::string_view> key(file.files, file.name);
    const auto [first, is_new] = seen.emplace(key, &file);
    if (is_new) continue;
    return failure(absl::StatusCode::kFailedPrecondition, place_of_part(file, ""), ": ", file.files,
                   file.name.empty() ? "" : cat("/", file.name),
                   " is there already: ", place_of_part(*first->second, ""), "; take one of both away");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<File>> read_directory(const std::string& directory) {
  const auto paths = paths_in(directory);
  if (!paths.ok()) return paths.status();
  std::vector<File> files;
  for (const fs::path& path : *paths) {
    if (is_rule_file(path)) {
      if (auto status = add_rules(path, files); !status.ok()) return status;
      continue;
    }
    auto file = place_of(directory, path);
    if (!file.ok()) return file.status();
    auto body = read_body(path);
    if (!body.ok()) return body.status();
    file->body = *std::move(body);
    files.push_back(*std::move(file));
  }
  if (files.empty()) {
    return failure(absl::StatusCode::kNotFound, directory, " holds no definitions",
                   paths->empty() ? "" : cat(": ", paths->front().string(), " has comments alone"), "; ",
                   "`kehu export` writes those that there are");
  }
  if (auto status = check_once(files); !status.ok()) return status;
  return files;
}

std::string title_of(std::string_view files, std::string_view name) {
  return cat(files, name.empty() ? "" : "/", name);
}

std::string seen_path(const std::string& directory) { return (fs::path(directory) / kSeenFile).string(); }

// nullopt: the directory does not say what it was made of.
absl::StatusOr<std::optional<definition::SeenVersions>> read_seen(const std::string& directory) {
  const std::string path = seen_path(directory);
  const auto text = os::read_whole_file(os::posix_file_system(), path);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  auto seen = definition::parse_seen_versions(*text);
  if (seen.ok()) return *std::move(seen);
  return failure(seen.status().code(), path, ": ", message_of(seen.status()),
                 "; without this file `kehu apply` takes the place of whatever is there");
}

absl::Status write_seen(const std::string& directory, const definition::SeenVersions& seen) {
  return os::replace_whole_file(os::posix_file_system(), seen_path(directory), definition::to_text(seen));
}

// Those that an answer of the API names.
definition::SeenVersions versions_of(const json::Value& answer) {
  definition::SeenVersions seen{.installation = answer.find("installation").as_string().value_or(""),
                                .by_file = {}};
  for (const auto& file : answer.find("files")) {
    const auto version = file.value.find("version").as_int();
    if (!version) continue;
    const std::string files = file.value.find("files").as_string().value_or("");
    seen.by_file[title_of(files, file.value.find("name").as_string().value_or(""))] =
        static_cast<uint64_t>(*version);
  }
  return seen;
}

std::string request_of(const std::vector<File>& files, const std::optional<definition::SeenVersions>& seen,
                       bool dry_run) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("dry_run", dry_run);
  if (seen) writer.field("installation", seen->installation);
  writer.key("files").begin_array();
  for (const File& file : files) {
    writer.begin_object().field("files", file.files).field("name", file.name);
    if (seen) {
      const auto version = seen->by_file.find(title_of(file.files, file.name));
      if (version != seen->by_file.end()) writer.field("version", version->second);
    }
    writer.raw_field("body", file.body).end_object();
  }
  writer.end_array().end_object();
  return out;
}

// What a server refuses of one file, with its place: "/files/3/body/body/of/0" is a part of the fourth.
absl::StatusOr<std::string> answer_to(const absl::StatusOr<client::Response>& response,
                                      const std::vector<File>& files) {
  const auto body = body_of(response);
  if (body.ok() || !response.ok()) return body;
  const auto problem = json::Document::parse(response->body);
  std::string pointer = problem.ok() ? problem->root().find("pointer").as_string().value_or("") : "";
  constexpr std::string_view kFiles = "/files/", kBody = "/body";
  if (!pointer.starts_with(kFiles)) return body;
  std::string_view rest = std::string_view(pointer).substr(kFiles.size());
  size_t index = files.size();
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
  if (error != std::errc() || index >= files.size()) return body;
  rest.remove_prefix(static_cast<size_t>(end - rest.data()));
  if (rest.starts_with(kBody)) rest.remove_prefix(kBody.size());
  const absl::StatusCode code =
      files[index].rule ? absl::StatusCode::kFailedPrecondition : body.status().code();
  return failure(code, place_of_part(files[index], rest), ": ", message_of(body.status()));
}

std::string title_of(const json::Value& file) {
  return title_of(file.find("files").as_string().value_or(""), file.find("name").as_string().value_or(""));
}

std::string shown(const json::Value& value) {
  constexpr size_t kShownMax = 60;
  if (!value.exists()) return "nothing";
  return cat(cut_utf8(value.raw(), kShownMax), value.raw().size() > kShownMax ? "…" : "");
}

std::string change_text(const json::Value& file) {
  const std::string change = file.find("change").as_string().value_or("");
  if (change == "same") return "";
  std::string out = cat(title_of(file), "  ", change == "made" ? "new" : "changed", "\n");
  for (const auto& entry : file.find("differences")) {
    const json::Value& difference = entry.value;
    const std::string at = difference.find("at").as_string().value_or("");
    out += cat("  ", at.substr(std::min<size_t>(1, at.size())), ": ");
    if (change != "made") out += cat(shown(difference.find("before")), " -> ");
    out += cat(shown(difference.find("after")), "\n");
  }
  return out;
}

std::string plan_text(const json::Value& plan, const DefinitionsCommand& command) {
  std::string out;
  size_t changes = 0, same = 0;
  for (const auto& file : plan.find("files")) {
    const std::string text = change_text(file.value);
    (text.empty() ? same : changes) += 1;
    out += text;
  }
  for (const auto& each : plan.find("secrets")) {
    out += cat("webhooks/", field(each.value, "webhook"),
               "  secret, shown this once: ", field(each.value, "secret"), "\n");
  }
  const json::Value others = plan.find("only_here");
  if (command.dry_run || command.verbose) {
    for (const auto& file : others) out += cat(title_of(file.value), "  has no file; it stays\n");
  }
  out += cat(changes, changes == 1 ? " definition" : " definitions",
             command.dry_run ? " would be made or changed, " : " made or changed, ", same, " as they were");
  if (others.size() > 0) out += cat(", ", others.size(), others.size() == 1 ? " has" : " have", " no file");
  return out;
}

bool is_rule(const json::Value& file) {
  const std::string files = file.find("files").as_string().value_or("");
  return files == "segments" || files == "tags" || files == "checks";
}

fs::path path_of(const json::Value& file) {
  const std::string files = file.find("files").as_string().value_or("");
  const std::string name = file.find("name").as_string().value_or("");
  return name.empty() ? fs::path(files + ".json") : fs::path(files) / (name + ".json");
}

absl::Status write_file(const fs::path& path, const json::Value& file) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) return failure(absl::StatusCode::kUnavailable, path.string(), ": ", error.message());
  return os::replace_whole_file(os::posix_file_system(), path.string(),
                                cat(mapping::pretty(file.find("body").raw()), "\n"));
}

void tell(const std::string& text) { std::fprintf(stderr, "kehu: %s\n", printable(text).c_str()); }

// Sources of before names had a rule may be called anything.
bool can_be_file(const json::Value& file) {
  const std::string name = file.find("name").as_string().value_or("");
  return !name.starts_with('.') && name.find('/') == name.npos && name.find('\0') == name.npos;
}

// The same definition as TOML would be there twice, and `kehu apply` refuse the directory.
absl::Status check_twin(const fs::path& path) {
  fs::path twin = path;
  twin.replace_extension(".toml");
  std::error_code error;
  if (!fs::exists(twin, error)) return absl::OkStatus();
  return failure(absl::StatusCode::kFailedPrecondition, twin.string(),
                 " is there, and `kehu export` would write ", path.filename().string(),
                 " beside it: move it away, or export into another directory");
}

// Files of definitions that were deleted look as if somebody had added them.
void tell_of_others(const std::string& directory, const std::set<fs::path>& written) {
  const auto paths = paths_in(directory);
  if (!paths.ok()) return;
  for (const fs::path& path : *paths) {
    if (written.contains(path) || !place_of(directory, path).ok()) continue;
    tell(cat(path.string(),
             " is of nothing that is there: `kehu apply` would make it; remove it if it was deleted"));
  }
}

// What was applied is what the files are made of from now on. Versions of another installation stay: the
// directory goes on to follow that one.
void remember(const std::string& directory, definition::SeenVersions seen, const json::Value& answer) {
  definition::SeenVersions made = versions_of(answer);
  if (made.installation != seen.installation) return;
  made.by_file.merge(seen.by_file);
  if (const absl::Status status = write_seen(directory, made); !status.ok()) {
    tell(cat(message_of(status), ": the next `kehu apply` will find the files changed by somebody else"));
  }
}

// What the installation warns of in the rule files of a directory, which it took. An older one cannot say.
std::vector<RuleWarning> warnings_in(Caller& caller, const std::string& directory) {
  std::vector<RuleWarning> all;
  const auto paths = paths_in(directory);
  if (!paths.ok()) return all;
  for (const fs::path& path : *paths) {
    if (!is_rule_file(path)) continue;
    const auto warnings = warnings_of(caller, path);
    if (!warnings.ok()) {
      tell(cat("nothing is known of warnings: ", message_of(warnings.status())));
      break;
    }
    all.insert(all.end(), warnings->begin(), warnings->end());
  }
  return all;
}

// The API's answer with a member more, in front.
std::string with_warnings(const std::string& answer, const std::vector<RuleWarning>& warnings) {
  if (warnings.empty() || !answer.starts_with('{')) return answer;
  std::string out;
  json::Writer writer(out);
  writer.begin_array();
  for (const RuleWarning& one : warnings) {
    writer.begin_object().field("file", one.file).field("line", one.line).field("column", one.column);
    writer.field("message", one.message).field("suggestion", one.suggestion).end_object();
  }
  writer.end_array();
  return cat("{\"warnings\":", out, ",", answer.substr(1));
}

}  // namespace

absl::Status run_apply(const DefinitionsCommand& command) {
  const auto files = read_directory(command.directory);
  if (!files.ok()) return files.status();
  const auto seen = read_seen(command.directory);
  if (!seen.ok()) return seen.status();
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  const auto body = answer_to((*caller)->call({.method = "POST",
                                               .path = kPath,
                                               .headers = kJson,
                                               .body = request_of(*files, *seen, command.dry_run)}),
                              *files);
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (*seen && !command.dry_run && document.ok()) remember(command.directory, **seen, document->root());
  const bool plain = command.json || !document.ok();
  const auto warnings = warnings_in(**caller, command.directory);
  absl::Status status = print(plain ? with_warnings(*body, warnings)
                                    : to_text(warnings) + plan_text(document->root(), command));
  if (status.ok() && !command.dry_run) status = watch_backfill(**caller);
  const absl::Status closed = (*caller)->close();
  return status.ok() ? closed : status;
}

absl::Status run_export(const DefinitionsCommand& command) {
  const auto body = call_once(command.where, {.path = kPath});
  if (!body.ok()) return body.status();
  const auto document = json::Document::parse(*body);
  if (!document.ok()) return document.status();
  std::vector<rule::Definition> rules;
  std::map<fs::path, json::Value> files;
  for (const auto& file : document->root().find("files")) {
    if (is_rule(file.value)) {
      auto rule = rule::definition_from_json(file.value.find("body").raw());
      if (!rule.ok()) return rule.status();
      rules.push_back(*std::move(rule));
    } else if (can_be_file(file.value)) {
      files.emplace(fs::path(command.directory) / path_of(file.value), file.value);
    } else {
      tell(cat(title_of(file.value), " has a name that no file can have: it is left out"));
    }
  }
  for (const auto& [path, file] : files) {
    if (auto status = check_twin(path); !status.ok()) return status;
  }
  std::set<fs::path> written;
  for (const auto& [path, file] : files) {
    if (auto status = write_file(path, file); !status.ok()) return status;
    written.insert(path);
  }
  if (const auto rule_files = write_rule_files(command.directory, rules); !rule_files.ok()) {
    return rule_files.status();
  }
  if (auto status = write_seen(command.directory, versions_of(document->root())); !status.ok()) return status;
  tell_of_others(command.directory, written);
  return print(cat(written.size() + rules.size(), " definitions are in ", command.directory,
                   "; `kehu apply` makes what is changed there"));
}

}  // namespace kehu::command
