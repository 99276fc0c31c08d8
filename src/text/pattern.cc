#include "text/pattern.h"

#include <re2/re2.h>

#include "absl/container/inlined_vector.h"
#include "base/text.h"

namespace kehu::text {

struct Pattern::Compiled {
  Compiled(std::string_view text, const re2::RE2::Options& options)
      : expression(re2::StringPiece(text.data(), text.size()), options) {}
  re2::RE2 expression;
};

absl::StatusOr<Pattern> Pattern::compile(std::string_view expression) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  Pattern pattern;
  pattern.compiled_ = std::make_shared<const Compiled>(expression, options);
  const re2::RE2& compiled = pattern.compiled_->expression;
  if (!compiled.ok()) {
    return failure(absl::StatusCode::kInvalidArgument,
                   "the regular expression is not valid: ", compiled.error());
  }
  pattern.group_names_.resize(static_cast<size_t>(compiled.NumberOfCapturingGroups()));
  for (const auto& [index, name] : compiled.CapturingGroupNames()) {
    pattern.group_names_[static_cast<size_t>(index) - 1] = name;
  }
  return pattern;
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), compiled_->expression);
}

bool Pattern::capture(std::string_view text, absl::Span<std::string_view> groups) const {
  absl::InlinedVector<re2::StringPiece, 24> found(groups.size() + 1);
  const re2::StringPiece whole(text.data(), text.size());
  if (!compiled_->expression.Match(whole, 0, whole.size(), re2::RE2::ANCHOR_BOTH, found.data(),
                                   static_cast<int>(found.size()))) {
    return false;
  }
  for (size_t i = 0; i < groups.size(); ++i) groups[i] = {found[i + 1].data(), found[i + 1].size()};
  return true;
}

}  // namespace kehu::text
