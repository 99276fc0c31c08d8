#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The words of scripts, in both languages; docs/scripts.md has the same table.
namespace kehu::script {

// clang-format off
enum class Word : uint8_t {
  kAt, kAdvance, kRules, kUser, kVisitor, kDoes, kHas, kIs, kNot, kIn, kNotIn, kOn, kAnd, kAgo, kExpect, kTag,
  kOf, kSize, kUnknown, kMerge, kUnmerge, kRestart, kEvents, kSegment, kList, kSecond, kMinute, kHour, kDay, kWeek,
};

struct WordRow {
  Word word;
  std::array<std::string_view, 2> english;
  std::array<std::string_view, 4> chinese;
};

// In the order of Word.
inline constexpr WordRow kWords[] = {
    {Word::kAt, {"at"}, {"时间", "于"}},
    {Word::kAdvance, {"advance"}, {"过", "前进"}},
    {Word::kRules, {"rules"}, {"规则"}},
    {Word::kUser, {"user"}, {"用户"}},
    {Word::kVisitor, {"visitor"}, {"访客"}},
    {Word::kDoes, {"does"}, {"做", "做了"}},
    {Word::kHas, {"has"}, {"有"}},
    {Word::kIs, {"is"}, {"是"}},
    {Word::kNot, {"not"}, {"非", "不"}},
    {Word::kIn, {"in"}, {"属于"}},
    {Word::kNotIn, {}, {"不属于"}},
    {Word::kOn, {"on"}, {"经"}},
    {Word::kAnd, {"and"}, {"和", "与"}},
    {Word::kAgo, {"ago"}, {"前", "以前"}},
    {Word::kExpect, {"expect"}, {"期望", "应当"}},
    {Word::kTag, {"tag"}, {"标签"}},
    {Word::kOf, {"of"}, {"的"}},
    {Word::kSize, {"size"}, {"人数"}},
    {Word::kUnknown, {"unknown"}, {"未知"}},
    {Word::kMerge, {"merge"}, {"合并"}},
    {Word::kUnmerge, {"unmerge"}, {"拆分"}},
    {Word::kRestart, {"restart"}, {"重启"}},
    {Word::kEvents, {"events"}, {"事件"}},
    {Word::kSegment, {"segment"}, {"分群", "人群"}},
    {Word::kList, {"list"}, {"名单"}},
    {Word::kSecond, {"second", "seconds"}, {"秒"}},
    {Word::kMinute, {"minute", "minutes"}, {"分钟"}},
    {Word::kHour, {"hour", "hours"}, {"小时", "个小时"}},
    {Word::kDay, {"day", "days"}, {"天", "日"}},
    {Word::kWeek, {"week", "weeks"}, {"周", "个星期"}},
};
// clang-format on

inline std::optional<Word> word_of(std::string_view text) {
  for (const WordRow& row : kWords) {
    for (const std::string_view spelling : row.english) {
      if (!spelling.empty() && spelling == text) return row.word;
    }
    for (const std::string_view spelling : row.chinese) {
      if (!spelling.empty() && spelling == text) return row.word;
    }
  }
  return std::nullopt;
}

// What somebody may have meant.
inline std::vector<std::string> every_word() {
  std::vector<std::string> words;
  for (const WordRow& row : kWords) {
    for (const std::string_view spelling : row.english) {
      if (!spelling.empty()) words.emplace_back(spelling);
    }
  }
  return words;
}

}  // namespace kehu::script
