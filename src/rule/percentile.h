#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "rule/tree.h"
#include "rule/value.h"

// Numbers of a customer that mean something only among those of all others. Where the hundredths of a number
// begin is measured now and then, and is a fact to the evaluators; the customer's own number moves between
// two measurements.
namespace kehu::rule {

inline constexpr size_t kCuts = 99;
// Ascending, in units of 10^-4: the k-th of kCuts is the number of the customer whose place from below is
// floor(k·n / 100), counted from 0, among the n customers whose number is known.
using Cuts = std::vector<Sum>;

// 0 to 99: how many cuts the number has reached. Unknown, if the number is, or (nullptr) was never measured.
Value percentile(const Value& number, const Cuts* cuts);

// The three numbers of an rfm node of which it takes the fifths, from 1 to 5, 5 the most: how few days ago
// the last event was (as 0 - days), how many there were, and their sum. Known with events in the window only.
std::vector<Node> rfm_numbers(const Node& rfm);
// 1 to 5 of a known percentile.
inline int64_t fifth_of(const Value& percentile) {
  return static_cast<int64_t>(percentile.number / Decimal::kScale) / 20 + 1;
}

// A number whose cuts are asked for.
struct Measure {
  std::string key;  // equal exactly for what is the same number in one zone; stored
  Node number;      // without comments
};
std::string measure_key(const Node& number, std::string_view zone);
// What an expression needs, each once.
std::vector<Measure> measures_of(const Node& expression, std::string_view zone);

}  // namespace kehu::rule
