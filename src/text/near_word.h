#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace kehu::text {

// What somebody who wrote `word` probably meant: the nearest candidate, or an empty text when none is near
// (at most a third of the letters changed; case does not count).
std::string_view near_word(std::string_view word, absl::Span<const std::string> candidates);

// Whether words of these lengths (bytes) may be near: `word` is the one that was written.
bool may_be_near(size_t word, size_t candidate);

// The same in a message: "; did you mean \"CustomerID\"?", or an empty text.
std::string did_you_mean(std::string_view word, absl::Span<const std::string> candidates);

// "a", "b" and "c", at most `limit` of them.
std::string list_of(absl::Span<const std::string> words, size_t limit = 12);

}  // namespace kehu::text
