#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "command/caller.h"
#include "rule/tree.h"

// Segments and tags as *.kehu files (docs/rules.md), beside the JSON files of other definitions.
namespace kehu::command {

bool is_rule_file(const std::filesystem::path& path);
// "rules.kehu:3:12".
std::string in_place(const std::filesystem::path& file, rule::Place place);
// FailedPrecondition says file, line and column, what was expected and what was probably meant.
absl::StatusOr<std::vector<rule::Definition>> read_rule_file(const std::filesystem::path& path);

// What an installation warns of in a rule file, though it means something.
struct RuleWarning {
  std::string file;
  int64_t line = 0;
  int64_t column = 0;
  std::string message;
  std::string suggestion;  // may be empty
};
absl::StatusOr<std::vector<RuleWarning>> warnings_of(Caller& caller, const std::filesystem::path& path);
// "rules.kehu:3:12: warning: no event \"Order Complete\" was seen yet; did you mean Order Completed?\n" each.
std::string to_text(const std::vector<RuleWarning>& warnings);

// Writes the definitions into the files of the directory that have them already, and others into rules.kehu.
// Answers how many files were written. The files' comments are those that the definitions have.
absl::StatusOr<size_t> write_rule_files(const std::filesystem::path& directory,
                                        const std::vector<rule::Definition>& definitions);

}  // namespace kehu::command
