#include "base/text.h"
#include "command/administration.h"
#include "command/answers.h"
#include "command/rule_files.h"
#include "notation/format.h"
#include "os/posix_file_system.h"
#include "os/whole_file.h"

// Rules of files, without an installation: nothing is known of its events, and any other segment or tag may
// be there.
namespace kehu::command {

absl::Status check_rules(const RulesCommand& command) {
  absl::Status result;
  size_t count = 0;
  for (const std::string& file : command.files) {
    const auto definitions = read_rule_file(file);
    if (definitions.ok()) {
      count += definitions->size();
      continue;
    }
    if (!result.ok()) {
      result = failure(result.code(), message_of(result), "\n", message_of(definitions.status()));
    } else {
      result = failure(absl::StatusCode::kFailedPrecondition, message_of(definitions.status()));
    }
  }
  if (!result.ok()) return result;
  return print(cat(count, count == 1 ? " definition" : " definitions", ", no problem\n"));
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
