#include "notation/numerals.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.h"

namespace kehu::notation {
namespace {

constexpr std::array<std::pair<std::string_view, int64_t>, 10> kDigits = {{{"一", 1},
                                                                           {"二", 2},
                                                                           {"两", 2},
                                                                           {"三", 3},
                                                                           {"四", 4},
                                                                           {"五", 5},
                                                                           {"六", 6},
                                                                           {"七", 7},
                                                                           {"八", 8},
                                                                           {"九", 9}}};
constexpr std::string_view kTen = "十";
constexpr std::string_view kUnits[] = {"分钟",   "小时", "个小时", "天",     "日",   "周",
                                       "个星期", "个月", "月",     "个季度", "季度", "年"};
constexpr std::pair<std::string_view, std::string_view> kHalves[] = {
    {"半年", "6个月"}, {"半个月", "15天"}, {"半天", "12小时"}, {"半小时", "30分钟"}, {"半个小时", "30分钟"}};

bool take(std::string_view& text, std::string_view word) {
  const bool here = text.starts_with(word);
  if (here) text.remove_prefix(word.size());
  return here;
}

std::optional<int64_t> take_digit(std::string_view& text) {
  for (const auto& [character, digit] : kDigits) {
    if (take(text, character)) return digit;
  }
  return std::nullopt;
}

// 三, 十, 十五, 三十, 三十五.
std::optional<int64_t> take_number(std::string_view& text) {
  const auto first = take_digit(text);
  if (!take(text, kTen)) return first;
  return first.value_or(1) * 10 + take_digit(text).value_or(0);
}

}  // namespace

std::string with_digits(std::string_view words) {
  for (const std::string_view prefix : {"最近", "过去", "近"}) {
    if (take(words, prefix)) break;
  }
  std::string_view length = words;
  if (length.ends_with("内")) length.remove_suffix(std::string_view("内").size());
  for (const auto& [half, written] : kHalves) {
    if (length == half) return cat("最近", written);
  }
  const auto number = take_number(length);
  if (!number) return "";
  for (const std::string_view unit : kUnits) {
    if (length == unit) return cat("最近", *number, unit);
  }
  return "";
}

}  // namespace kehu::notation
