#include <algorithm>
#include <utility>

#include "base/text.h"
#include "notation/characters.h"
#include "script/token.h"

namespace kehu::script {
namespace {

using notation::Character;
using notation::character_at;

constexpr char32_t kLeftQuote = 0x201c, kRightQuote = 0x201d;
constexpr std::string_view kSigns = "{}[](),:=<>!";

bool is_of_word(char32_t c) {
  if (notation::is_letter(c) || notation::is_digit(c)) return true;
  return c < 0x80 && std::string_view("-.+@/*").find(static_cast<char>(c)) != std::string_view::npos;
}

class Lexer {
 public:
  Lexer(const Lines& lines, std::vector<Token>& tokens)
      : text_(lines.text), tokens_(tokens), place_(lines.place) {}

  std::optional<Problem> run() {
    while (!problem_) {
      skip();
      token_ = {.place = place_};
      if (now().bytes == 0) break;
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
    if (c.code == '\n') place_ = {.line = place_.line + 1, .column = 1};
  }
  void skip() {
    while (now().bytes > 0 && (notation::is_blank(now().code) || now().code == '#')) {
      if (now().code == '#') {
        while (now().bytes > 0 && now().code != '\n') step();
      } else {
        step();
      }
    }
  }
  void finish(Token::Kind kind) {
    token_.kind = kind;
    tokens_.push_back(std::exchange(token_, {}));
  }
  void fail(std::string message, std::string expected) {
    problem_ = {token_.place, std::move(message), std::move(expected), ""};
  }

  void read() {
    const char32_t c = now().code;
    if (c == '"' || c == '`') return read_quoted(c);
    if (c == kLeftQuote || c == kRightQuote) return read_quoted(kRightQuote);
    if (is_of_word(c)) return read_word();
    notation::append_utf8(c, token_.text);
    if (c >= 0x80 || kSigns.find(static_cast<char>(c)) == std::string_view::npos) {
      return fail(cat("the sign ", token_.text, " means nothing in a script"),
                  "texts in double quotes, and names with other signs in backticks");
    }
    step();
    if (c == '!' && now().code == '=') {
      token_.text = "!=";
      step();
    }
    finish(Token::Kind::kSign);
  }

  void read_word() {
    for (char32_t before = 0;; step()) {
      const char32_t c = now().code;
      const bool of_time = c == ':' && notation::is_digit(before) && notation::is_digit(ahead());
      if (!is_of_word(c) && !of_time) break;
      notation::append_utf8(c, token_.text);
      before = c;
    }
    finish(Token::Kind::kWord);
  }

  void read_quoted(char32_t close) {
    for (step(); now().code != close; step()) {
      if (now().bytes == 0 || now().code == '\n') {
        return fail("a text is not closed in its line", "a quote behind the text; a line break in it is \\n");
      }
      const bool escaped = now().code == '\\';
      if (escaped) step();
      if (escaped && now().code == 'n') {
        token_.text.push_back('\n');
      } else {
        token_.text.append(text_.substr(at_, now().bytes));
      }
    }
    step();
    finish(close == '`' ? Token::Kind::kName : Token::Kind::kText);
  }

  std::string_view text_;
  std::vector<Token>& tokens_;
  size_t at_ = 0;
  Place place_;
  Token token_;
  std::optional<Problem> problem_;
};

bool carries_on(std::string_view line) {
  return line.empty() || std::string_view(" \t\r#}])").find(line[0]) != std::string_view::npos;
}

}  // namespace

std::vector<Lines> split_statements(std::string_view text) {
  std::vector<Lines> statements;
  uint32_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
    ++number;
    const std::string_view line = text.substr(begin, end - begin);
    const bool blank = line.find_first_not_of(" \t\r\n") == std::string_view::npos;
    if (!blank && !carries_on(line)) {
      statements.push_back({.text = line, .place = {.line = number}, .begin = begin});
    } else if (!statements.empty()) {
      Lines& last = statements.back();
      last.text = text.substr(last.begin, end - last.begin);
    } else if (!blank && line[0] != '#') {
      // Indented without anything before it: a statement all the same.
      statements.push_back({.text = line, .place = {.line = number}, .begin = begin});
    }
    begin = end;
  }
  return statements;
}

std::optional<Problem> read_tokens(const Lines& lines, std::vector<Token>& tokens) {
  return Lexer(lines, tokens).run();
}

}  // namespace kehu::script
