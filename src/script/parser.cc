#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.h"
#include "json/text.h"
#include "json/writer.h"
#include "notation/parse.h"
#include "rule/check.h"
#include "script/statement.h"
#include "script/token.h"
#include "script/words.h"
#include "text/near_word.h"

namespace kehu::script {
namespace {

constexpr size_t kDepthMax = 20;  // of properties

struct UnitWord {
  std::optional<Word> word;
  rule::Unit unit;
};
constexpr UnitWord kUnits[] = {{Word::kSecond, rule::Unit::kSecond},
                               {Word::kMinute, rule::Unit::kMinute},
                               {Word::kHour, rule::Unit::kHour},
                               {Word::kDay, rule::Unit::kDay},
                               {Word::kWeek, rule::Unit::kWeek}};

std::string quoted(std::string_view text) {
  std::string out;
  json::Writer writer(out);
  writer.value(text);
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// As JSON writes them: 01, .5 and 1. are none.
bool is_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || !is_digit(digits[0]) || !is_digit(digits.back())) return false;
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) return false;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && text.find(".e") == text.npos &&
         text.find(".E") == text.npos;
}

// One statement. The first problem stops it: from then on nobody looks at what methods return.
class Parser {
 public:
  Parser(const std::vector<Token>& tokens, const std::vector<std::string>& types)
      : tokens_(tokens), types_(types) {}

  Statement statement() {
    Statement out{.place = token().place, .what = Restart()};
    if (accept(Word::kAt)) {
      out.what = set_clock();
    } else if (accept(Word::kAdvance)) {
      out.what = Advance{length()};
    } else if (accept(Word::kRules)) {
      out.what = RulesFile{name("the name of a file")};
    } else if (accept(Word::kEvents)) {
      out.what = EventsFile{name("the name of a file")};
    } else if (accept(Word::kList)) {
      out.what = upload();
    } else if (accept(Word::kExpect)) {
      expectation(out);
    } else if (accept(Word::kMerge)) {
      auto [winner, loser] = pair();
      out.what = Join{std::move(winner), std::move(loser)};
    } else if (accept(Word::kUnmerge)) {
      auto [who, other] = pair();
      out.what = Part{std::move(who), std::move(other)};
    } else if (!accept(Word::kRestart)) {
      deed(out);
    }
    if (!problem_ && token().kind != Token::Kind::kEnd) unexpected("the end of the line");
    return out;
  }
  std::optional<Problem>& problem() { return problem_; }

 private:
  const Token& token(size_t more = 0) const { return tokens_[std::min(at_ + more, tokens_.size() - 1)]; }
  bool at(Word word, size_t more = 0) const {
    return token(more).kind == Token::Kind::kWord && word_of(token(more).text) == word;
  }
  bool at_sign(std::string_view sign) const {
    return token().kind == Token::Kind::kSign && token().text == sign;
  }
  bool accept(Word word) {
    const bool here = !problem_ && at(word);
    at_ += here ? 1 : 0;
    return here;
  }
  bool accept_sign(std::string_view sign) {
    const bool here = !problem_ && at_sign(sign);
    at_ += here ? 1 : 0;
    return here;
  }
  void unexpected(std::string expected) {
    if (problem_) return;
    const Token& here = token();
    const bool end = here.kind == Token::Kind::kEnd;
    std::string meant;
    if (here.kind == Token::Kind::kWord && !word_of(here.text)) {
      meant = std::string(text::near_word(here.text, every_word()));
    }
    problem_ = {here.place, end ? "the statement ends here" : cat(here.text, " cannot stand here"),
                std::move(expected), std::move(meant)};
  }

  std::string name(std::string expected) {
    const Token& here = token();
    if (here.kind == Token::Kind::kEnd || here.kind == Token::Kind::kSign) {
      unexpected(std::move(expected));
      return {};
    }
    ++at_;
    return here.text;
  }

  Length length() {
    Length out;
    const std::string word = token().kind == Token::Kind::kWord ? token().text : "";
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out.count);
    if (error != std::errc() || out.count < 0 || out.count > 1'000'000) {
      unexpected("a number and a unit, such as 10 minutes");
      return out;
    }
    std::string unit(end, word.data() + word.size());
    // 10分钟, and 10分钟前.
    if (unit.ends_with("前")) {
      unit.resize(unit.size() - std::string_view("前").size());
      joined_ago_ = true;
    }
    if (unit.empty()) {
      ++at_;
      unit = token().text;
    }
    const auto known = word_of(unit);
    const auto found = std::ranges::find(kUnits, known, &UnitWord::word);
    if (found == std::end(kUnits)) {
      unexpected("seconds, minutes, hours, days or weeks");
      return out;
    }
    out.unit = found->unit;
    ++at_;
    return out;
  }

  Moment clock_time() {
    Moment moment{.date = {}, .time = {}, .ago = {}, .place = token().place};
    const auto is_written = [this](char sign) {
      return token().kind == Token::Kind::kWord && token().text.find(sign) != std::string::npos &&
             token().text[0] >= '0' && token().text[0] <= '9';
    };
    if (is_written('-')) moment.date = tokens_[at_++].text;
    if (moment.date.find('T') == std::string::npos && is_written(':')) moment.time = tokens_[at_++].text;
    if (moment.date.empty() && moment.time.empty()) {
      unexpected("a date and a time, such as 2026-03-01 09:00, or one of them");
    }
    return moment;
  }
  Moment when() {
    if (accept(Word::kAt)) return clock_time();
    Moment moment{.date = {}, .time = {}, .ago = {}, .place = token().place};
    if (token().kind != Token::Kind::kWord || token().text[0] < '0' || token().text[0] > '9') return moment;
    joined_ago_ = false;
    moment.ago = length();
    if (!joined_ago_ && !accept(Word::kAgo)) unexpected("ago");
    return moment;
  }
  SetClock set_clock() {
    SetClock out{.to = clock_time(), .zone = {}};
    if (accept(Word::kIn)) out.zone = name("a time zone, such as Asia/Shanghai");
    return out;
  }

  Person person() {
    const Token& first = token();
    Person out{.type = "user_id", .value = {}, .shown = {}, .place = first.place};
    const bool word = first.kind == Token::Kind::kWord;
    const bool value_follows = token(1).kind == Token::Kind::kText || token(1).kind == Token::Kind::kName ||
                               (token(1).kind == Token::Kind::kWord && !word_of(token(1).text));
    const bool of_type = word && std::ranges::find(types_, first.text) != types_.end();
    if (accept(Word::kUser)) {
      // What it is without a word.
    } else if (accept(Word::kVisitor)) {
      out.type = "anonymous_id";
    } else if (of_type && value_follows) {
      out.type = first.text;
      ++at_;
    } else if (word && word_of(first.text)) {
      unexpected("somebody, such as user u1, visitor a1 or phone 13800000000");
    }
    out.value = name("somebody, such as user u1, visitor a1 or phone 13800000000");
    out.shown = of_type || out.type != "user_id" ? cat(first.text, " ", out.value) : out.value;
    return out;
  }
  std::vector<Person> people() {
    std::vector<Person> out{person()};
    while (accept_sign(",") || accept(Word::kAnd)) out.push_back(person());
    return out;
  }
  std::pair<Person, Person> pair() {
    Person first = person();
    if (!accept(Word::kAnd)) unexpected("and somebody else");
    return {std::move(first), person()};
  }

  // "user u1 does …", "user u1 has …", "user u1 is …".
  void deed(Statement& out) {
    const bool starts = token().kind != Token::Kind::kWord || at(Word::kUser) || at(Word::kVisitor) ||
                        std::ranges::find(types_, token().text) != types_.end() || at(Word::kDoes, 1) ||
                        at(Word::kHas, 1) || at(Word::kIs, 1);
    if (!starts)
      return unexpected("a statement: at, advance, rules, segment, tag, list, user, expect, merge…");
    Person who = person();
    if (accept(Word::kDoes)) {
      out.what = does(std::move(who));
    } else if (accept(Word::kHas)) {
      out.what = has(std::move(who));
    } else if (accept(Word::kIs)) {
      Has same{.who = std::move(who), .traits = {}, .others = {person()}, .when = {}};
      same.when = when();
      out.what = std::move(same);
    } else {
      unexpected("does \"EVENT\", has {…} or is SOMEBODY");
    }
  }
  Does does(Person who) {
    Does out{.who = std::move(who), .event = {}, .channel = {}, .when = {}};
    if (token().kind != Token::Kind::kText) unexpected("the name of an event in double quotes");
    out.event = name("the name of an event in double quotes");
    if (at_sign("{")) out.properties = json(0);
    if (accept(Word::kOn)) out.channel = name("a channel, such as app");
    out.when = when();
    return out;
  }
  Has has(Person who) {
    Has out{.who = std::move(who), .traits = {}, .others = {}, .when = {}};
    at_sign("{") ? void(out.traits = json(0)) : void(out.others = people());
    out.when = when();
    return out;
  }

  // "list VIP has u1 = \"gold\", u2"; without anybody, nobody is on it any more.
  UploadList upload() {
    UploadList out{.name = name("a list"), .members = {}};
    if (token().kind == Token::Kind::kEnd) return out;
    if (!accept(Word::kHas)) unexpected("has SOMEBODY, or the end of the line");
    do {
      UploadList::Member& member = out.members.emplace_back();
      member.who = person();
      if (accept_sign("=")) member.value = name("a value");
    } while (accept_sign(",") || accept(Word::kAnd));
    return out;
  }

  void expectation(Statement& out) {
    if (accept(Word::kSize)) {
      accept(Word::kOf);
      out.what = size(name("a segment"));
      return;
    }
    if (accept(Word::kTag)) {
      ExpectTag tag{.tag = name("a tag"), .who = {}, .value = {}};
      if (!accept(Word::kOf)) unexpected("of somebody");
      tag.who = person();
      expected_value(tag);
      out.what = std::move(tag);
      return;
    }
    if (at(Word::kOf, 1) && at(Word::kSize, 2)) {  // 加购未支付 的 人数 = 3
      std::string segment = name("a segment");
      at_ += 2;
      out.what = size(std::move(segment));
      return;
    }
    std::vector<Person> who = people();
    if (accept(Word::kOf)) {  // 用户 u1 的 标签 偏好品类 = "snacks"
      if (!accept(Word::kTag)) unexpected("标签");
      ExpectTag tag{.tag = name("a tag"), .who = who[0], .value = {}};
      expected_value(tag);
      out.what = std::move(tag);
      return;
    }
    if (accept(Word::kIs)) {
      const bool same = !accept(Word::kNot);
      out.what = ExpectSame{who[0], person(), same};
      return;
    }
    ExpectIn in{.people = std::move(who), .segments = {}};
    in.in = !accept(Word::kNot);
    if (in.in && accept(Word::kNotIn)) {
      in.in = false;
    } else if (!accept(Word::kIn)) {
      unexpected("in SEGMENT, not in SEGMENT, or is SOMEBODY");
    }
    accept(Word::kSegment);
    do in.segments.push_back(name("a segment"));
    while (accept_sign(",") || accept(Word::kAnd));
    out.what = std::move(in);
  }
  ExpectSize size(std::string segment) {
    ExpectSize out{.segment = std::move(segment)};
    if (!accept_sign("=") && !accept(Word::kIs)) unexpected("= and a number");
    const std::string number = token().text;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.size);
    if (error != std::errc() || end != number.data() + number.size()) unexpected("a number");
    ++at_;
    return out;
  }
  void expected_value(ExpectTag& tag) {
    tag.equal = !accept_sign("!=");
    const bool is = tag.equal && accept(Word::kIs);
    if (is) tag.equal = !accept(Word::kNot);
    if (tag.equal && !is && !accept_sign("=")) unexpected("= and a value, or is unknown");
    if (accept(Word::kUnknown)) return;
    tag.value = name("a value, or unknown");
  }

  // Properties as JSON, whose names need no quotes.
  std::string json(size_t depth) {
    if (depth > kDepthMax) {
      unexpected("at most 20 levels of lists and objects");
      return {};
    }
    if (at_sign("{") || at_sign("[")) return container(depth);
    const Token& here = token();
    if (here.kind == Token::Kind::kText) return ++at_, quoted(here.text);
    const std::string_view word = here.text;
    if (here.kind == Token::Kind::kWord &&
        (is_number(word) || word == "true" || word == "false" || word == "null"))
      return ++at_, std::string(word);
    if (here.kind == Token::Kind::kWord && (word == "真" || word == "假"))
      return ++at_, word == "真" ? "true" : "false";
    unexpected("a text in double quotes, a number, true, false, null, […] or {…}");
    return {};
  }
  std::string container(size_t depth) {
    const bool object = at_sign("{");
    const std::string_view close = object ? "}" : "]";
    std::string out = tokens_[at_++].text;
    while (!problem_ && !accept_sign(close)) {
      if (out.size() > 1) {
        if (!accept_sign(",")) unexpected(object ? ", or }" : ", or ]");
        out += ',';
      }
      if (object) {
        out += quoted(name("the name of a property"));
        if (!accept_sign(":")) unexpected(": and a value");
        out += ':';
      }
      out += json(depth + 1);
    }
    return cat(out, close);
  }

  const std::vector<Token>& tokens_;
  const std::vector<std::string>& types_;
  size_t at_ = 0;
  bool joined_ago_ = false;
  std::optional<Problem> problem_;
};

bool is_definition(const Lines& lines) {
  const size_t end = lines.text.find_first_of(" \t\r\n`");
  const auto word = word_of(lines.text.substr(0, end));
  return word == Word::kSegment || word == Word::kTag;
}

// Definitions that stand side by side may name each other, so they are read as one file. Line breaks in front
// of them make their places those of the script.
std::optional<Problem> define(std::string_view text, Place place, std::vector<Statement>& statements) {
  std::string padded(place.line - 1, '\n');
  padded += text;
  Define define;
  if (auto problem = notation::parse_file(padded, define.rules)) return problem;
  for (const rule::Definition& definition : define.rules) {
    if (auto problem = rule::check(definition, {})) return problem;
  }
  statements.push_back({place, std::move(define)});
  return std::nullopt;
}

}  // namespace

std::optional<Problem> parse_script(std::string_view text, const std::vector<std::string>& types,
                                    std::vector<Statement>& statements) {
  if (!json::is_valid_utf8(text)) return Problem{{}, "the script is not UTF-8", "a text in UTF-8", ""};
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::vector<Lines> all = split_statements(text);
  for (size_t i = 0; i < all.size();) {
    size_t end = i;
    while (end < all.size() && is_definition(all[end])) ++end;
    if (end > i) {
      const size_t size = all[end - 1].begin + all[end - 1].text.size() - all[i].begin;
      if (auto problem = define(text.substr(all[i].begin, size), all[i].place, statements)) return problem;
      i = end;
      continue;
    }
    std::vector<Token> tokens;
    if (auto problem = read_tokens(all[i++], tokens)) return problem;
    Parser parser(tokens, types);
    Statement statement = parser.statement();
    if (parser.problem()) return parser.problem();
    statements.push_back(std::move(statement));
  }
  return std::nullopt;
}

}  // namespace kehu::script
