#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "json/text.h"
#include "notation/characters.h"
#include "notation/keywords.h"
#include "notation/token.h"
#include "rule/nodes.h"

namespace kehu::notation {
namespace {

constexpr char32_t kLeftQuote = 0x201c, kRightQuote = 0x201d;

struct SignSpelling {
  std::string_view written;
  std::string_view means;
};
// The longer first.
constexpr std::array kSigns = {SignSpelling{"!=", "!="}, SignSpelling{"<=", "<="}, SignSpelling{">=", ">="},
                               SignSpelling{"≠", "!="},  SignSpelling{"≤", "<="},  SignSpelling{"≥", ">="},
                               SignSpelling{"=", "="},   SignSpelling{"<", "<"},   SignSpelling{">", ">"},
                               SignSpelling{"(", "("},   SignSpelling{")", ")"},   SignSpelling{"[]", "[]"},
                               SignSpelling{",", ","},   SignSpelling{".", "."},   SignSpelling{":", ":"},
                               SignSpelling{"+", "+"},   SignSpelling{"-", "-"}};
// What other languages write.
constexpr std::array kStrangers = {
    SignSpelling{"==", "="},    SignSpelling{"<>", "!="}, SignSpelling{"&&", "and"},
    SignSpelling{"||", "or"},   SignSpelling{"!", "not"}, SignSpelling{"'", "\"…\""},
    SignSpelling{"‘", "\"…\""}, SignSpelling{"//", "#"},  SignSpelling{"[", "("}};

class Lexer {
 public:
  Lexer(std::string_view text, std::vector<Token>& tokens) : text_(text), tokens_(tokens) {}

  std::optional<Problem> run() {
    if (!json::is_valid_utf8(text_)) return not_utf8();
    while (!problem_) {
      skip_blanks_and_comments();
      start();
      if (problem_ || now().bytes == 0) break;
      read();
    }
    tokens_.push_back(std::move(token_));
    return std::move(problem_);
  }

 private:
  Character now() const { return character_at(text_, at_); }
  char32_t ahead() const { return character_at(text_, at_ + now().bytes).code; }

  void step() {
    const Character c = now();
    at_ += c.bytes;
    ++place_.column;
    if (c.code != '\n') return;
    ++place_.line;
    place_.column = 1;
  }

  void fail(Place place, std::string message, std::string expected = "", std::string suggestion = "") {
    if (!problem_) problem_ = {place, std::move(message), std::move(expected), std::move(suggestion)};
  }
  std::optional<Problem> not_utf8() {
    const size_t valid = json::valid_utf8_prefix(text_);
    text_ = text_.substr(0, valid);
    while (at_ < valid) step();
    return Problem{place_, "a byte is not UTF-8", "a text in UTF-8", ""};
  }

  void forbidden(Place place) {
    fail(place, "a control character stands in a rule", "letters, signs, tabs and line breaks");
  }

  void start() {
    token_.place = place_;
    token_.begin = at_;
  }
  void finish(Token::Kind kind) {
    token_.kind = kind;
    tokens_.push_back(std::exchange(token_, {}));
  }

  void skip_blanks_and_comments() {
    for (;; step()) {
      if (now().code == '#') read_comment();
      if (problem_ || now().bytes == 0 || !is_blank(now().code)) return;
    }
  }
  void read_comment() {
    const bool trails = !tokens_.empty() && tokens_.back().place.line == place_.line;
    step();
    const size_t begin = at_;
    while (now().bytes > 0 && now().code != '\n') {
      if (rule::is_forbidden(now().code)) return forbidden(place_);
      step();
    }
    std::string_view line = text_.substr(begin, at_ - begin);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(' ')) line.remove_prefix(1);
    token_.comments.push_back({std::string(line), trails});
  }

  void read() {
    const char32_t c = now().code;
    if (rule::is_forbidden(c)) return forbidden(place_);
    if (is_letter(c)) return read_word();
    if (is_digit(c)) return read_number_or_date();
    if (c == '"' || c == '`') return read_quoted(text_.substr(at_, now().bytes));
    if (c == kLeftQuote || c == kRightQuote) return read_quoted("”");
    read_sign();
  }

  void read_word() {
    while (is_letter(now().code) || is_digit(now().code)) {
      append_utf8(now().code, token_.text);
      step();
    }
    const auto parts = joined_keywords(token_.text);
    if (parts.size() < 2) return finish(Token::Kind::kWord);
    read_parts(token_.text, parts.size());
  }

  // The word again, one token for each keyword and number.
  void read_parts(std::string whole, size_t count) {
    const auto parts = joined_keywords(whole);
    Place place = token_.place;
    const size_t begin = token_.begin;
    for (size_t i = 0; i < parts.size(); ++i) {
      token_.text = std::string(parts[i]);
      token_.place = place;
      token_.begin = begin;
      for (size_t at = 0; at < parts[i].size(); at += character_at(parts[i], at).bytes) ++place.column;
      if (i == 0) {
        token_.whole = whole;
        token_.parts = count;
      }
      if (!is_digit(static_cast<unsigned char>(parts[i][0]))) {
        finish(Token::Kind::kWord);
      } else if (i + 1 == parts.size()) {
        read_behind_digits();  // 大于1.5万
      } else {
        finish_digits(token_.text);
      }
    }
  }

  void read_digits() {
    for (; is_digit(now().code); step()) token_.text.push_back(static_cast<char>(now().code));
  }
  void read_number_or_date() {
    read_digits();
    if (token_.text.size() == 4 && now().code == '-' && is_digit(ahead())) return read_date();
    read_behind_digits();
  }
  void read_behind_digits() {
    if (now().code == '.' && is_digit(ahead())) {
      token_.text.push_back('.');
      step();
      read_digits();
    }
    int shift = 0;  // of the decimal point
    if (now().code == '%') shift = -2;
    if (now().code == U'万') shift = 4;
    if (now().code == U'亿') shift = 8;
    if (shift == 0) return finish_digits(token_.text);
    step();
    finish_number(token_.text, shift);
  }
  // As a part of a word has them: 30, 1万.
  void finish_digits(std::string digits) {
    for (const auto& [scale, shift] :
         {std::pair(std::string_view("万"), 4), std::pair(std::string_view("亿"), 8)}) {
      if (!digits.ends_with(scale)) continue;
      digits.resize(digits.size() - scale.size());
      return finish_number(std::move(digits), shift);
    }
    finish_number(std::move(digits), 0);
  }
  void finish_number(std::string digits, int shift) {
    const auto number = scaled(std::move(digits), shift);
    if (!number) {
      return fail(token_.place,
                  cat("the number ", token_.text, " has more than four decimal places, or is too large"),
                  "a number below 100000000000000 with at most four places");
    }
    token_.number = *number;
    finish(Token::Kind::kNumber);
  }
  // Exactly, or not at all.
  static std::optional<Decimal> scaled(std::string digits, int shift) {
    size_t point = std::min(digits.find('.'), digits.size());
    if (point < digits.size()) digits.erase(point, 1);
    if (shift < 0) digits.insert(0, static_cast<size_t>(-shift), '0');
    const size_t behind = point + static_cast<size_t>(shift < 0 ? 0 : shift);
    while (digits.size() < behind) digits.push_back('0');
    while (digits.size() > behind && digits.back() == '0') digits.pop_back();
    if (digits.size() > behind + 4) return std::nullopt;
    digits.insert(behind, ".");
    digits.append("0").erase(0, std::min(digits.find_first_not_of('0'), behind - 1));
    return Decimal::parse(digits);
  }

  void read_date() {
    while (is_digit(now().code) || now().code == '-') {
      token_.text.push_back(static_cast<char>(now().code));
      step();
    }
    const auto day = token_.text.size() == 10 ? parse_iso8601(token_.text) : std::nullopt;
    if (!day) {
      return fail(token_.place, cat("there is no date ", token_.text),
                  "a date from 1900 to 2199 such as 2026-01-31");
    }
    token_.day = BusinessZone().day_of(*day);
    finish(Token::Kind::kDate);
  }

  // What is quoted keeps its width: only the sign that opened it closes it.
  void read_quoted(std::string_view close) {
    const auto kind = now().code == '`' ? Token::Kind::kName : Token::Kind::kText;
    for (step(); !problem_ && !text_.substr(at_).starts_with(close);) {
      if (at_ == text_.size() || text_[at_] == '\n') return not_closed(kind);
      if (text_[at_] == '\\') {
        read_escape();
        continue;
      }
      if (rule::is_forbidden(now().code)) return forbidden(place_);
      token_.text.append(text_.substr(at_, now().bytes));
      step();
    }
    if (problem_) return;
    step();
    if (kind == Token::Kind::kName && token_.text.empty())
      return fail(token_.place, "a name is empty", "a name between backticks");
    finish(kind);
  }
  void not_closed(Token::Kind kind) {
    if (kind == Token::Kind::kText) {
      return fail(token_.place, "a text is not closed in its line",
                  "a quote behind the text; a line break in it is \\n");
    }
    fail(token_.place, "a name is not closed in its line", "a backtick behind the name");
  }

  void read_escape() {
    const Place place = place_;
    step();
    const char32_t c = now().code;
    step();
    if (c == 'n') return token_.text.push_back('\n');
    if (c == '"' || c == '\\' || c == '`') return token_.text.push_back(static_cast<char>(c));
    if (c == kLeftQuote || c == kRightQuote) return append_utf8(c, token_.text);
    const auto code = c == 'u' ? read_code() : std::nullopt;
    if (!code)
      return fail(place, "an escape is none",
                  "\\\", \\\\, \\n, \\` or \\u and four digits of a character, such as \\u4e2d");
    if (rule::is_forbidden(*code)) return forbidden(place);
    append_utf8(*code, token_.text);
  }
  std::optional<char32_t> read_code() {
    const auto high = read_unit();
    if (!high || *high < 0xd800 || *high > 0xdfff) return high;
    if (*high > 0xdbff || now().code != '\\' || ahead() != 'u') return std::nullopt;
    step();
    step();
    const auto low = read_unit();
    if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
    return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
  }
  std::optional<char32_t> read_unit() {
    char32_t unit = 0;
    for (int i = 0; i < 4; ++i, step()) {
      const char32_t c = now().code;
      const char32_t lower = c | 0x20;
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) return std::nullopt;
      unit = unit << 4 | (is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    return unit;
  }

  bool stands_here(std::string_view sign) const {
    size_t at = at_;
    for (size_t i = 0; i < sign.size();) {
      const Character want = character_at(sign, i), got = character_at(text_, at);
      if (got.bytes == 0 || got.code != want.code) return false;
      i += want.bytes;
      at += got.bytes;
    }
    return true;
  }
  void read_sign() {
    const auto here = [this](const SignSpelling& sign) { return stands_here(sign.written); };
    const auto stranger = std::ranges::find_if(kStrangers, here);
    const auto sign = std::ranges::find_if(kSigns, here);
    const bool longer = stranger != kStrangers.end() &&
                        (sign == kSigns.end() || stranger->written.size() > sign->written.size());
    if (longer) return unknown(stranger->written, stranger->means);
    if (sign == kSigns.end()) {
      std::string written;
      append_utf8(now().code, written);
      return unknown(written, "");
    }
    for (size_t i = 0; i < sign->written.size(); i += character_at(sign->written, i).bytes) step();
    token_.text = sign->means;
    finish(Token::Kind::kSign);
  }
  void unknown(std::string_view written, std::string_view suggestion) {
    fail(place_, cat("the sign ", written, " means nothing in a rule"),
         suggestion.empty() ? "texts in double quotes, and names with other signs in backticks" : "",
         std::string(suggestion));
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  size_t at_ = 0;
  Place place_;
  Token token_;
  std::optional<Problem> problem_;
};

}  // namespace

std::optional<Problem> read_tokens(std::string_view text, std::vector<Token>& tokens) {
  return Lexer(text, tokens).run();
}

bool is_bare_name(std::string_view name) {
  std::vector<Token> tokens;
  if (read_tokens(name, tokens) || tokens.size() != 2) return false;
  return tokens[0].kind == Token::Kind::kWord && tokens[0].text == name && tokens[0].comments.empty() &&
         tokens[1].comments.empty() && !is_keyword(name);
}

}  // namespace kehu::notation
