#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace kehu::text {

// A regular expression in RE2's syntax: linear time whatever the input. Cheap to copy; safe to share between
// threads. The only face of RE2.
class Pattern {
 public:
  // kInvalidArgument says what is wrong with the expression.
  static absl::StatusOr<Pattern> compile(std::string_view expression);

  bool found_in(std::string_view text) const;

  // Names of the groups in order; unnamed groups have empty names.
  const std::vector<std::string>& group_names() const { return group_names_; }
  // The whole text must match. Fills `groups` (as many as group_names) with views into `text`; a group that
  // took no part has a null data pointer.
  bool capture(std::string_view text, absl::Span<std::string_view> groups) const;

 private:
  struct Compiled;
  std::shared_ptr<const Compiled> compiled_;
  std::vector<std::string> group_names_;
};

}  // namespace kehu::text
