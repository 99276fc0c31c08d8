#include "text/money_text.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/plain_text.h"

namespace kehu::text {
namespace {

constexpr size_t kLongestText = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void trim(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
}

bool take_front(std::string_view& text, std::string_view piece) {
  if (!text.starts_with(piece)) return false;
  text.remove_prefix(piece.size());
  trim(text);
  return true;
}

bool take_back(std::string_view& text, std::string_view piece) {
  if (!text.ends_with(piece)) return false;
  text.remove_suffix(piece.size());
  trim(text);
  return true;
}

// A minus or plus in front. False when it would be the second minus.
bool take_sign(std::string_view& text, bool& negative) {
  if (take_front(text, "-")) return !std::exchange(negative, true);
  take_front(text, "+");
  return true;
}

// Adds the currency that stands before or behind the number. False when the text is no currency, or another
// one than the other side's.
bool take_currency(std::string_view piece, CurrencyCode& currency) {
  trim(piece);
  if (piece.empty()) return true;
  const CurrencyCode read = read_currency(piece);
  if (read.empty() || is_digit(piece.front()) || (!currency.empty() && currency != read)) return false;
  currency = read;
  return true;
}

// Sizes of the runs of digits between grouping marks: "1,299" has 1 and 3. Groups have three digits and
// the first one to three, or, with commas, two and a last one of three, as in India. Any other division is
// a mistyped number, and what it was to be is left open instead of guessed.
bool are_groups(const std::vector<size_t>& sizes, std::string_view mark) {
  if (sizes.size() == 1) return sizes[0] > 0;
  if (sizes.front() == 0 || sizes.front() > 3 || sizes.back() != 3) return false;
  const size_t middle = sizes.size() > 2 ? sizes[1] : 3;
  if (middle != 3 && (middle != 2 || sizes.front() > 2 || mark != ",")) return false;
  return std::all_of(sizes.begin() + 1, sizes.end() - 1, [middle](size_t size) { return size == middle; });
}

// Collects the digits of a whole number with marks of at most one kind; false when they are no groups.
bool read_groups(std::string_view whole, std::string& digits) {
  std::vector<size_t> sizes{0};
  std::string_view mark;
  while (!whole.empty()) {
    if (is_digit(whole.front())) {
      ++sizes.back();
      digits.push_back(whole.front());
      whole.remove_prefix(1);
      continue;
    }
    const size_t next = whole.find_first_of("0123456789");
    if (next == std::string_view::npos) return false;
    const std::string_view here = whole.substr(0, next);
    if (!mark.empty() && here != mark) return false;
    mark = here;
    if (mark != "," && mark != "." && mark != " " && mark != "'" && mark != "’" && mark != "_") return false;
    sizes.push_back(0);
    whole.remove_prefix(next);
  }
  return are_groups(sizes, mark);
}

// Finds where the decimal mark stands, or npos. The rules are in the header; the hard case is one comma
// alone, which is read as grouping only where the digits around it could be groups.
size_t find_decimal_mark(std::string_view number) {
  const size_t comma = number.rfind(',');
  const size_t point = number.rfind('.');
  if (comma != std::string_view::npos && point != std::string_view::npos) return std::max(comma, point);
  const size_t mark = comma != std::string_view::npos ? comma : point;
  if (mark == std::string_view::npos || number.find(number[mark]) != mark) return std::string_view::npos;
  if (number[mark] == '.' || number.find_first_of(" '_") < mark || number.find("’") < mark) return mark;
  const bool groups = number.size() - mark - 1 == 3 && mark >= 1 && mark <= 3 && number.front() != '0';
  return groups ? std::string_view::npos : mark;
}

// Reads a number with its marks, without sign and currency.
std::optional<Decimal> read_number(std::string_view number) {
  if (number.empty()) return std::nullopt;
  const size_t mark = find_decimal_mark(number);
  const std::string_view whole = number.substr(0, mark);
  const std::string_view fraction =
      mark == std::string_view::npos ? std::string_view() : number.substr(mark + 1);
  std::string digits;
  if (!whole.empty() && !read_groups(whole, digits)) return std::nullopt;
  if (!std::all_of(fraction.begin(), fraction.end(), is_digit)) return std::nullopt;
  if (digits.empty() && fraction.empty()) return std::nullopt;
  // "1,2345" is neither groups nor an amount with a decimal comma that anybody writes.
  if (mark != std::string_view::npos && number[mark] == ',' && fraction.size() > 3) return std::nullopt;
  if (digits.empty()) digits = "0";
  return Decimal::parse(fraction.empty() ? digits : digits + "." + std::string(fraction));
}

// The product is made in 128 bits and compared with the range before it becomes an amount, so it cannot
// overflow.
std::optional<Decimal> scaled(std::optional<Decimal> amount, int64_t factor) {
  if (!amount) return std::nullopt;
  const Sum units = Sum{amount->units()} * factor;
  if (units > Decimal::kMaxUnits || units < -Decimal::kMaxUnits) return std::nullopt;
  return Decimal::from_units(static_cast<int64_t>(units));
}

struct Pieces {
  bool negative = false;
  int64_t factor = 1;
  CurrencyCode currency;
  std::string_view number;
};

int64_t take_factor(std::string_view& behind) {
  trim(behind);
  if (take_front(behind, "万") || take_front(behind, "萬")) return 10'000;
  return take_front(behind, "亿") || take_front(behind, "億") ? 100'000'000 : 1;
}

// Takes sign, currency and number of a folded text apart, from outside to inside: parentheses or a minus
// at the end, then a sign in front, then all that stands before the first and behind the last digit. What
// lies between is the number with its marks. Two minuses are refused, since nobody can say whether they
// mean one or none.
std::optional<Pieces> take_apart(std::string_view text) {
  Pieces out;
  if (text.starts_with('(') && text.ends_with(')')) {
    text = text.substr(1, text.size() - 2);
    trim(text);
    out.negative = true;
  } else if (text.ends_with(",-") || text.ends_with(".-")) {
    text.remove_suffix(2);
  } else if (take_back(text, "-")) {
    out.negative = true;
  }
  if (!take_sign(text, out.negative)) return std::nullopt;
  size_t first = text.find_first_of("0123456789");
  const size_t last = text.find_last_of("0123456789");
  if (first == std::string_view::npos) return std::nullopt;
  // ".5" and "R$.5", but not "Rs.5".
  std::string_view before = text.substr(0, first);
  if (before == "." || (before.size() > 1 && before.ends_with('.') && read_currency(before).empty())) {
    before.remove_suffix(1);
    --first;
  }
  std::string_view behind = text.substr(last + 1);
  if (behind == "." || behind == ",") behind = {};
  trim(before);
  if (take_back(before, "-") && std::exchange(out.negative, true)) return std::nullopt;
  out.factor = take_factor(behind);
  if (!take_currency(before, out.currency) || !take_currency(behind, out.currency)) return std::nullopt;
  out.number = text.substr(first, last + 1 - first);
  return out;
}

}  // namespace

// Nearly all amounts are plain numbers, which need no folding and no allocation (~20 ns).
std::optional<MoneyText> read_money(std::string_view text) {
  if (text.size() > kLongestText) return std::nullopt;
  if (const auto plain = Decimal::parse(text)) return MoneyText{*plain, {}};
  const std::string folded = fold_text(text);
  if (const auto plain = Decimal::parse(folded)) return MoneyText{*plain, {}};
  const auto pieces = take_apart(folded);
  if (!pieces) return std::nullopt;
  auto amount = scaled(read_number(pieces->number), pieces->factor);
  if (!amount) return std::nullopt;
  if (pieces->negative) amount = Decimal::from_units(-amount->units());
  return MoneyText{*amount, pieces->currency};
}

}  // namespace kehu::text
