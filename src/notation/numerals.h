#pragma once

#include <string>
#include <string_view>

namespace kehu::notation {

// A length of time whose number is written in Chinese characters, as the notation has it: 近三个月 →
// 最近3个月, 半年 → 最近6个月, 十五天 → 最近15天. Numbers up to 99; empty: it is none.
std::string with_digits(std::string_view words);

}  // namespace kehu::notation
