#include "notation/keywords.h"

#include <algorithm>

namespace kehu::notation {
namespace {

template <class Visit>
void for_each_spelling(Visit visit) {
  for (const KeywordRow& row : kKeywords) {
    for (std::string_view word : row.english) visit(word, Language::kEnglish);
    for (std::string_view word : row.chinese) visit(word, Language::kChinese);
  }
}

bool is_one_word(std::string_view word) {
  const bool is_sign = !word.empty() && word[0] >= '!' && word[0] <= '>';
  return !word.empty() && !is_sign && word.find(' ') == std::string_view::npos;
}

// The longest first: 最近 before 最, 个月 before 月.
const std::vector<std::string_view>& chinese_words() {
  static const std::vector<std::string_view> words = [] {
    std::vector<std::string_view> all;
    for_each_spelling([&](std::string_view word, Language language) {
      if (language == Language::kChinese && !word.empty()) all.push_back(word);
    });
    std::ranges::stable_sort(all, std::ranges::greater(), &std::string_view::size);
    return all;
  }();
  return words;
}

// With the 万 or 亿 behind them.
size_t leading_number(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, [](char c) { return c >= '0' && c <= '9'; });
  const auto digits = static_cast<size_t>(end - text.begin());
  for (const std::string_view scale : {"万", "亿"}) {
    if (digits > 0 && text.substr(digits).starts_with(scale)) return digits + scale.size();
  }
  return digits;
}

// Words are short: joined_keywords refuses long ones, which bounds the recursion.
bool part(std::string_view rest, std::vector<std::string_view>& parts) {
  if (rest.empty()) return true;
  const auto goes_on_behind = [&](size_t size) {
    parts.push_back(rest.substr(0, size));
    if (part(rest.substr(size), parts)) return true;
    parts.pop_back();
    return false;
  };
  if (const size_t number = leading_number(rest); number > 0) return goes_on_behind(number);
  return std::ranges::any_of(chinese_words(), [&](std::string_view word) {
    return rest.starts_with(word) && goes_on_behind(word.size());
  });
}

constexpr size_t kJoinedBytes = 60;

}  // namespace

std::string_view spelling(Keyword keyword, Language language) {
  const KeywordRow& row = row_of(keyword);
  return language == Language::kEnglish ? row.english[0] : row.chinese[0];
}

Keyword keyword_of(Unit unit) {
  return static_cast<Keyword>(static_cast<size_t>(Keyword::kSecond) + static_cast<size_t>(unit));
}

bool is_keyword(std::string_view word) {
  const auto& words = keyword_words();
  return std::ranges::find(words, word) != words.end();
}

const std::vector<std::string>& keyword_words() {
  static const std::vector<std::string> words = [] {
    std::vector<std::string> all;
    for_each_spelling([&](std::string_view word, Language) {
      if (is_one_word(word)) all.emplace_back(word);
    });
    return all;
  }();
  return words;
}

std::vector<std::string_view> joined_keywords(std::string_view word) {
  std::vector<std::string_view> parts;
  if (word.size() > kJoinedBytes || is_keyword(word) || !part(word, parts)) parts.clear();
  return parts;
}

}  // namespace kehu::notation
