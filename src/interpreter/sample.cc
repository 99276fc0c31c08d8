#include "interpreter/sample.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/hash.h"
#include "base/text.h"
#include "interpreter/selection.h"

namespace kehu::interpreter {
namespace {

constexpr uint64_t kHashMask = 0xffff'ffff'ffff;  // as NameId

uint64_t hash_of(std::string_view text) { return hash64(text) & kHashMask; }

std::vector<std::string> all_texts(std::string_view path, const Selected& events, const Asked& asked) {
  std::vector<std::string> out;
  for (const Event* event : events) {
    for (std::string& text : texts_at(path, *event, asked)) out.push_back(std::move(text));
  }
  return out;
}

template <class T>
void keep_smallest(std::set<T>& set) {
  while (set.size() > kSampledTexts) set.erase(std::prev(set.end()));
}

// How many there are for each one in the sample, times as many as are looked at
// (aggregate::estimate_distinct).
Sum estimated(size_t found, uint64_t largest_hash) {
  const double space = static_cast<double>(kHashMask) + 1;
  const double all = static_cast<double>(kSampledTexts - 1) * space / (static_cast<double>(largest_hash) + 1);
  return std::llround(all * static_cast<double>(found) / static_cast<double>(kSampledTexts));
}

}  // namespace

Sum distinct(const rule::Node& function, const Asked& asked) {
  std::set<uint64_t> sample;
  for (const std::string& text : all_texts(function.text, selected(function.of[0], asked), asked)) {
    sample.insert(hash_of(text));
  }
  const bool beyond = sample.size() > kSampledTexts;
  keep_smallest(sample);
  std::set<uint64_t> found;
  const Selected events = selected(function.of[0], function.window, asked);
  for (const std::string& text : all_texts(function.text, events, asked)) {
    if (sample.contains(hash_of(text))) found.insert(hash_of(text));
  }
  const Sum count = beyond ? estimated(found.size(), *sample.rbegin()) : static_cast<int64_t>(found.size());
  return count * Decimal::kScale;
}

rule::Value top(const rule::Node& function, const Asked& asked) {
  const auto kept = [](const std::string& text) {
    const std::string_view cut = cut_utf8(text, rule::kValueBytes);
    return std::pair(hash_of(cut), std::string(cut));
  };
  std::set<std::pair<uint64_t, std::string>> sample;
  for (const std::string& text : all_texts(function.text, selected(function.of[0], asked), asked)) {
    sample.insert(kept(text));
  }
  keep_smallest(sample);
  std::map<std::string, size_t> counts;  // by code point
  const Selected events = selected(function.of[0], function.window, asked);
  for (const std::string& text : all_texts(function.text, events, asked)) {
    if (sample.contains(kept(text))) ++counts[kept(text).second];
  }
  std::vector<std::string> texts;
  for (const auto& [text, count] : counts) texts.push_back(text);
  std::stable_sort(texts.begin(), texts.end(),
                   [&](const std::string& a, const std::string& b) { return counts[a] > counts[b]; });
  if (function.op == rule::Op::kTop) return texts.empty() ? rule::Value() : rule::Value::of(texts[0]);
  const auto most = static_cast<size_t>(function.number.units() / Decimal::kScale);
  return rule::Value::list(absl::MakeSpan(texts).subspan(0, most));
}

}  // namespace kehu::interpreter
