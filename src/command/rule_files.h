#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rule/tree.h"

// Segments and tags as *.kehu files (docs/rules.md), beside the JSON files of other definitions.
namespace kehu::command {

bool is_rule_file(const std::filesystem::path& path);
// FailedPrecondition says file, line and column, what was expected and what was probably meant.
absl::StatusOr<std::vector<rule::Definition>> read_rule_file(const std::filesystem::path& path);

// Writes the definitions into the files of the directory that have them already, and others into rules.kehu.
// Answers how many files were written. The files' comments are those that the definitions have.
absl::StatusOr<size_t> write_rule_files(const std::filesystem::path& directory,
                                        const std::vector<rule::Definition>& definitions);

}  // namespace kehu::command
