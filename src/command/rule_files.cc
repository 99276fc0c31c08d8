#include "command/rule_files.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "definition/rules.h"
#include "json/document.h"
#include "json/writer.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"
#include "rule/check.h"

namespace kehu::command {
namespace {

namespace fs = std::filesystem;

using Key = std::pair<rule::Kind, std::string>;

struct Placed {
  const fs::path* file;
  const rule::Definition* definition;
};

// None is there twice, and none names itself in a circle. What they name besides may be in another file, or
// in the project.
absl::Status check_together(const std::vector<Placed>& all) {
  std::map<Key, Placed> by_name;
  std::vector<const rule::Definition*> rules;
  for (const Placed& placed : all) {
    const rule::Definition& rule = *placed.definition;
    const auto [first, is_new] = by_name.emplace(Key{rule.kind, rule.name}, placed);
    if (!is_new) {
      return failure(absl::StatusCode::kFailedPrecondition, in_place(*placed.file, rule.place), ": ",
                     rule::to_string(rule.kind), " ", rule.name,
                     " is there already: ", in_place(*first->second.file, first->second.definition->place),
                     "; take one of both away");
    }
    rules.push_back(&rule);
  }
  const auto objection = definition::objection_to(rules, definition::Unlisted::kElsewhere);
  if (!objection) return absl::OkStatus();
  const auto& part = objection->parts[0];
  const Placed& placed = by_name.at({part.kind, part.name});
  return failure(absl::StatusCode::kFailedPrecondition,
                 in_place(*placed.file, definition::place_of(*placed.definition, part.pointer)), ": ",
                 objection->message);
}

// Where the definitions of a directory stand.
absl::StatusOr<std::map<Key, fs::path>> places(const fs::path& directory) {
  std::map<Key, fs::path> found;
  std::error_code error;
  fs::recursive_directory_iterator at(directory, error), end;
  for (; !error && at != end; at.increment(error)) {
    if (!at->is_regular_file() || !is_rule_file(at->path())) continue;
    const auto definitions = read_rule_file(at->path());
    if (!definitions.ok()) return definitions.status();
    for (const rule::Definition& definition : *definitions) {
      found.emplace(Key{definition.kind, definition.name}, at->path());
    }
  }
  return found;
}

}  // namespace

std::string in_place(const fs::path& file, rule::Place place) {
  return cat(file.string(), ":", place.line, ":", place.column);
}

bool is_rule_file(const fs::path& path) { return path.extension() == ".kehu"; }

absl::StatusOr<std::vector<rule::Definition>> read_rule_file(const fs::path& path) {
  const auto text = os::read_whole_file(os::posix_file_system(), path.string());
  if (!text.ok()) return text.status();
  std::vector<rule::Definition> definitions;
  const auto refused = [&](const rule::Problem& problem) {
    return failure(absl::StatusCode::kFailedPrecondition, in_place(path, problem.place), ": ",
                   rule::to_text(problem));
  };
  if (const auto problem = notation::parse_file(*text, definitions)) return refused(*problem);
  // What it names may be in another file, or in the project: that is checked there.
  for (const rule::Definition& definition : definitions) {
    if (const auto problem = rule::check(definition, {})) return refused(*problem);
  }
  std::vector<Placed> all;
  for (const rule::Definition& definition : definitions) all.push_back({&path, &definition});
  if (auto status = check_together(all); !status.ok()) return status;
  return definitions;
}

absl::StatusOr<size_t> write_rule_files(const fs::path& directory,
                                        const std::vector<rule::Definition>& definitions) {
  const auto known = places(directory);
  if (!known.ok()) return known.status();
  std::map<fs::path, std::string> texts;
  for (const auto& [key, path] : *known) texts[path];  // also those whose definitions are gone
  for (const rule::Definition& definition : definitions) {
    const auto place = known->find({definition.kind, definition.name});
    std::string& text = texts[place == known->end() ? directory / "rules.kehu" : place->second];
    text += notation::format(definition, notation::Language::kEnglish);
  }
  std::error_code error;
  fs::create_directories(directory, error);
  for (const auto& [path, text] : texts) {
    if (auto status = os::replace_whole_file(os::posix_file_system(), path.string(), text); !status.ok()) {
      return status;
    }
  }
  return texts.size();
}

absl::StatusOr<std::vector<RuleWarning>> warnings_of(Caller& caller, const fs::path& path) {
  const auto text = os::read_whole_file(os::posix_file_system(), path.string());
  if (!text.ok()) return text.status();
  std::string request;
  json::Writer(request).begin_object().field("file", *text).end_object();
  const auto body = body_of(
      caller.call({.method = "POST", .path = "/api/v1/rules/check", .headers = kJson, .body = request}));
  if (!body.ok()) return failure(body.status().code(), path.string(), ": ", message_of(body.status()));
  const auto answer = json::Document::parse(*body);
  if (!answer.ok()) return answer.status();
  std::vector<RuleWarning> warnings;
  for (const auto& entry : answer->root().find("warnings")) {
    const json::Value& one = entry.value;
    warnings.push_back({.file = path.string(),
                        .line = one.find("line").as_int().value_or(0),
                        .column = one.find("column").as_int().value_or(0),
                        .message = one.find("message").as_string().value_or(""),
                        .suggestion = one.find("suggestion").as_string().value_or("")});
  }
  return warnings;
}

std::string to_text(const std::vector<RuleWarning>& warnings) {
  std::string out;
  for (const RuleWarning& one : warnings) {
    out += cat(one.file, ":", one.line, ":", one.column, ": warning: ", one.message);
    out += one.suggestion.empty() ? "\n" : cat("; did you mean ", one.suggestion, "?\n");
  }
  return out;
}

namespace {

// What an installation says besides; without one nothing is known of events.
absl::StatusOr<std::string> warnings_text(const RulesCommand& command) {
  if (command.where.data.empty() && command.where.url.empty()) return "";
  auto caller = open_caller({.where = command.where});
  if (!caller.ok()) return caller.status();
  std::string out;
  absl::Status status;
  for (const std::string& file : command.files) {
    const auto warnings = warnings_of(**caller, file);
    status.Update(warnings.status());
    if (warnings.ok()) out += to_text(*warnings);
  }
  status.Update((*caller)->close());
  if (!status.ok()) return status;
  return out;
}

}  // namespace

// Any other segment or tag that they name may be there.
absl::Status check_rules(const RulesCommand& command) {
  std::string refusals;
  std::vector<std::pair<fs::path, std::vector<rule::Definition>>> files;
  for (const std::string& file : command.files) {
    auto definitions = read_rule_file(file);
    if (definitions.ok()) {
      files.emplace_back(file, *std::move(definitions));
    } else {
      refusals += cat(refusals.empty() ? "" : "\n", message_of(definitions.status()));
    }
  }
  std::vector<Placed> all;
  for (const auto& [path, definitions] : files) {
    for (const rule::Definition& definition : definitions) all.push_back({&path, &definition});
  }
  if (const absl::Status status = check_together(all); refusals.empty() && !status.ok()) return status;
  if (!refusals.empty()) return failure(absl::StatusCode::kFailedPrecondition, refusals);
  const auto warnings = warnings_text(command);
  if (!warnings.ok()) return warnings.status();
  return print(
      cat(*warnings, all.size(), all.size() == 1 ? " definition" : " definitions", ", no problem\n"));
}

absl::Status format_rules(const RulesCommand& command) {
  for (const std::string& file : command.files) {
    const auto definitions = read_rule_file(file);
    if (!definitions.ok())
      return failure(absl::StatusCode::kFailedPrecondition, message_of(definitions.status()));
    std::string text;
    for (const rule::Definition& definition : *definitions) {
      text += notation::format(definition,
                               command.chinese ? notation::Language::kChinese : notation::Language::kEnglish);
    }
    const absl::Status status =
        command.write ? os::replace_whole_file(os::posix_file_system(), file, text) : print(text);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace kehu::command
