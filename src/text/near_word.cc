#include "text/near_word.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/text.h"

namespace kehu::text {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

// The number of edits between two words without regard to case: insert, delete, replace, swap two
// neighbours. d[i][j] is that of the first i letters of one and the first j of the other; each depends on
// the neighbours to the left and above and, for a swap, on the one two further. The whole table is kept:
// words are short, and this runs only for a message about a mistake.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      const size_t replaced = d[i - 1][j - 1] + (lower(a[i - 1]) != lower(b[j - 1]));
      d[i][j] = std::min({replaced, d[i - 1][j] + 1, d[i][j - 1] + 1});
      const bool swapped =
          i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

// A third of the letters, and always one.
size_t most_changes(size_t letters) { return std::max<size_t>(1, letters / 3); }

}  // namespace

bool may_be_near(size_t word, size_t candidate) {
  return std::max(word, candidate) - std::min(word, candidate) <= most_changes(word);
}

std::string_view near_word(std::string_view word, absl::Span<const std::string> candidates) {
  std::string_view best;
  size_t least = most_changes(word.size()) + 1;
  for (const std::string& candidate : candidates) {
    if (!may_be_near(word.size(), candidate.size())) continue;
    const size_t changes = distance(word, candidate);
    if (changes >= least) continue;
    least = changes;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, absl::Span<const std::string> candidates) {
  const std::string_view best = near_word(word, candidates);
  return best.empty() ? std::string() : cat("; did you mean \"", best, "\"?");
}

std::string list_of(absl::Span<const std::string> words, size_t limit) {
  std::string out;
  for (size_t i = 0; i < words.size() && i < limit; ++i) {
    const bool last = i + 1 == words.size();
    out.append(i == 0 ? "\"" : last ? " and \"" : ", \"").append(words[i]).append("\"");
  }
  if (words.size() > limit) out.append(cat(" and ", words.size() - limit, " more"));
  return out;
}

}  // namespace kehu::text
