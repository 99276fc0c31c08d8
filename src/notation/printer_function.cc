#include <array>
#include <utility>

#include "base/text.h"
#include "notation/printer.h"
#include "rule/nodes.h"

namespace kehu::notation {
namespace {

constexpr std::pair<Op, Keyword> kFunctions[] = {{Op::kCount, Keyword::kCount},
                                                 {Op::kSum, Keyword::kSum},
                                                 {Op::kAverage, Keyword::kAverage},
                                                 {Op::kMin, Keyword::kMin},
                                                 {Op::kMax, Keyword::kMax},
                                                 {Op::kDistinct, Keyword::kDistinct},
                                                 {Op::kTop, Keyword::kTop},
                                                 {Op::kTopN, Keyword::kTop},
                                                 {Op::kFirst, Keyword::kFirst},
                                                 {Op::kLast, Keyword::kLast},
                                                 {Op::kNth, Keyword::kNth},
                                                 {Op::kShare, Keyword::kShare},
                                                 {Op::kActiveDays, Keyword::kActiveDays},
                                                 {Op::kInterval, Keyword::kInterval},
                                                 {Op::kDaysSince, Keyword::kDaysSince},
                                                 {Op::kAge, Keyword::kAge},
                                                 {Op::kBand, Keyword::kBand},
                                                 {Op::kSequence, Keyword::kSequence},
                                                 {Op::kStage, Keyword::kStage},
                                                 {Op::kPercentile, Keyword::kPercentile},
                                                 {Op::kRfm, Keyword::kRfm}};

// "ever" says the same as "did" without a window.
Keyword keyword_of(const Node& node) {
  for (const auto& [op, keyword] : kFunctions) {
    if (node.op == op) return keyword;
  }
  return node.window.kind == Window::Kind::kEver ? Keyword::kEver : Keyword::kDid;
}

}  // namespace

void Printer::agreement(const Node& node) {
  print(node.of[0], Level::kSummed);
  if (!node.text.empty()) {
    keyword(Keyword::kFrom);
    quoted(node.text);
  }
  keyword(Keyword::kAgrees);
  print(node.of[1], Level::kSummed);
  keyword(Keyword::kAtLeast);
  word(node.number.to_string());
}

void Printer::statement(const Node& node) {
  keyword(Keyword::kSql);
  std::string_view rest = node.text;
  for (size_t end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    quoted(std::string(rest.substr(0, end)));
    rest.remove_prefix(end + 1);
    new_line();
  }
  quoted(std::string(rest));
  keyword(Keyword::kEvery);
  const auto unit = written_unit(node.span.unit, language_);
  return is_chinese() ? append(unit) : word(unit);
}

void Printer::function(const Node& node) {
  if (node.op == Op::kSql) return statement(node);
  if (node.op == Op::kAgrees) return agreement(node);
  keyword(keyword_of(node));
  append("(");
  if (node.op == Op::kSequence || node.op == Op::kStage) {
    steps(node);
  } else if (node.op == Op::kBand) {
    bands(node);
  } else if (node.op == Op::kDaysSince || node.op == Op::kAge || node.op == Op::kPercentile) {
    whole(node.of[0]);
  } else {
    if (node.op == Op::kNth || node.op == Op::kTopN) append(cat(node.number.to_string(), ","));
    selection(node);
  }
  if (node.window.kind != Window::Kind::kEver) {
    append(",");
    window(node.window);
  }
  append(")");
}

void Printer::selection(const Node& node) {
  if (node.text.empty()) return events(node.of[0]);
  if (is_chinese()) events(node.of[0]);
  if (!is_chinese()) path(node.text);
  keyword(Keyword::kOf);
  if (is_chinese()) return path(node.text);
  events(node.of[0]);
}

void Printer::path(const std::string& path) {
  if (path == rule::kChannelPath) return keyword(Keyword::kChannel);
  if (path == rule::kSourcePath) return keyword(Keyword::kSource);
  word(written_path(path));
}

void Printer::events(const Node& node) {
  comments(node.comments);
  if (node.text.empty()) {
    keyword(Keyword::kAnyEvent);
  } else {
    quoted(node.text);
  }
  if (node.of.empty()) return;
  keyword(Keyword::kWhere);
  print(node.of[0], Level::kDisjunction);
}

void Printer::bands(const Node& node) {
  whole(node.of[0]);
  for (size_t i = 1; i < node.of.size(); i += 2) {
    append(",");
    const bool is_rest = i + 1 == node.of.size();
    if (is_rest) keyword(Keyword::kElse);
    whole(node.of[i]);
    if (is_rest) return;
    keyword(Keyword::kBelow);
    whole(node.of[i + 1]);
  }
}

void Printer::steps(const Node& node) {
  for (size_t i = 0; i < node.of.size(); ++i) {
    const Node& step = node.of[i];
    if (i > 0) keyword(Keyword::kThen);
    comments(step.comments);
    if (step.op == Op::kNotStep) word(is_chinese() ? row_of(Keyword::kNot).chinese[2] : "not");
    events(step.of[0]);
  }
  if (node.op == Op::kStage) return;
  if (!node.text.empty()) {
    keyword(Keyword::kBy);
    path(node.text);
  }
  if (node.span == Span()) return;
  keyword(Keyword::kWithin);
  word(written_limit(node.span, language_));
}

void Printer::window(const Window& window) {
  switch (window.kind) {
    case Window::Kind::kEver:
      return keyword(Keyword::kEver);
    case Window::Kind::kLast:
      keyword(Keyword::kLastWindow);
      return is_chinese() ? append(written_span(window.span, language_))
                          : word(written_span(window.span, language_));
    case Window::Kind::kToday:
      return keyword(Keyword::kToday);
    case Window::Kind::kYesterday:
      return keyword(Keyword::kYesterday);
    case Window::Kind::kThis:
    case Window::Kind::kPrevious:
      keyword(window.kind == Window::Kind::kThis ? Keyword::kThis : Keyword::kPrevious);
      return is_chinese() ? append(written_unit(window.span.unit, language_))
                          : word(written_unit(window.span.unit, language_));
    case Window::Kind::kSince:
      keyword(Keyword::kSince);
      return word(written_date(window.from));
    case Window::Kind::kBetween:
      keyword(Keyword::kBetween);
      word(written_date(window.from));
      keyword(Keyword::kTo);
      return word(written_date(window.to));
  }
}

}  // namespace kehu::notation
