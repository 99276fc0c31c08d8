#include <array>

#include "absl/time/civil_time.h"
#include "base/text.h"
#include "rule/value.h"
#include "translation/functions.h"
#include "translation/translator.h"

// Conditions are never NULL: what is unknown makes the comparison around it false, and is false itself where
// a condition is asked for.
namespace kehu::translation {

using rule::Node;
using rule::Op;

Term Translator::side(const Node& node) {
  const Term term = value(node);
  const bool may_be_list =
      term.form == Form::kList || (term.form == Form::kTagged && rule::may_be_list(node));
  return may_be_list ? terms_.opened(term) : term;
}

std::string Translator::condition(const Node& node) {
  const std::array<Term, 1> term = {as(node, Form::kTruth)};
  return terms_.any_of(term, [](absl::Span<const std::string> names) { return names[0]; }).sql;
}

Term Translator::test(const Node& node) {
  switch (node.op) {
    case Op::kAnd:
      return joined(node, " AND ");
    case Op::kOr:
      return joined(node, " OR ");
    case Op::kNot:
      return {Form::kTruth, cat("(NOT ", condition(node.of[0]), ")")};
    case Op::kEqual:
      return compared(node, " = ");
    case Op::kNotEqual:
      return compared(node, " <> ");
    case Op::kLess:
      return compared(node, " < ");
    case Op::kAtMost:
      return compared(node, " <= ");
    case Op::kGreater:
      return compared(node, " > ");
    case Op::kAtLeast:
      return compared(node, " >= ");
    case Op::kBetween:
      return between(node);
    case Op::kIn:
      return in_list(node);
    case Op::kIsKnown:
      return is_known(node);
    case Op::kWithin:
      return within(node);
    case Op::kBirthday:
      return birthday(node);
    default:
      return text_test(node);
  }
}

Term Translator::joined(const Node& node, const char* word) {
  std::string sql;
  for (const Node& one : node.of) sql += cat(sql.empty() ? "(" : word, condition(one));
  return {Form::kTruth, sql + ")"};
}

Term Translator::compared(const Node& node, const char* sign) {
  const Form form = form_of(rule::comparison_type(node.of[0], node.of[1]));
  const std::array<Term, 2> sides = {side(node.of[0], form), side(node.of[1], form)};
  return terms_.any_of(sides,
                       [&](absl::Span<const std::string> names) { return cat(names[0], sign, names[1]); });
}

// One value that is at least the one and at most the other. The two ends may ask for it as different types.
Term Translator::between(const Node& node) {
  const Form from = form_of(rule::comparison_type(node.of[0], node.of[1]));
  const Form to = form_of(rule::comparison_type(node.of[0], node.of[2]));
  const std::array<Term, 3> terms = {side(node.of[0]), side(node.of[1], from), side(node.of[2], to)};
  return terms_.any_of(terms, [&](absl::Span<const std::string> names) {
    const Term one = {terms[0].form, names[0]};
    return cat(terms_.as(one, from).sql, " >= ", names[1], " AND ", terms_.as(one, to).sql, " <= ", names[2]);
  });
}

Term Translator::in_list(const Node& node) {
  std::vector<std::pair<Form, std::string>> lists;
  for (const Node& item : node.of[1].of) {
    const Form form = form_of(rule::comparison_type(node.of[0], item));
    const std::string sql = as(item, form).sql;
    if (lists.empty() || lists.back().first != form) {
      lists.emplace_back(form, sql);
    } else {
      lists.back().second += cat(", ", sql);
    }
  }
  std::string any;
  for (const auto& [form, list] : lists) {
    const std::array<Term, 1> term = {side(node.of[0], form)};
    const Term found = terms_.any_of(
        term, [&](absl::Span<const std::string> names) { return cat(names[0], " IN (", list, ")"); });
    any += cat(any.empty() ? "(" : " OR ", found.sql);
  }
  return {Form::kTruth, any.empty() ? "false" : any + ")"};
}

Term Translator::text_test(const Node& node) {
  const char* function = node.op == Op::kContains     ? "contains"
                         : node.op == Op::kStartsWith ? "starts_with"
                         : node.op == Op::kEndsWith   ? "ends_with"
                                                      : "regexp_matches";
  const std::array<Term, 2> sides = {side(node.of[0], Form::kText), side(node.of[1], Form::kText)};
  return terms_.any_of(sides, [&](absl::Span<const std::string> names) {
    return cat(function, "(", names[0], ", ", names[1], ")");
  });
}

Term Translator::is_known(const Node& node) {
  const Term term = value(node.of[0]);
  if (term.several) return {Form::kTruth, cat("coalesce(len(", term.sql, ") > 0, false)")};
  return {Form::kTruth, cat("(", term.sql, " IS NOT NULL)")};
}

Term Translator::within(const Node& node) {
  const rule::Extent bounds = extent(node.window);
  const std::array<Term, 1> term = {side(node.of[0], Form::kInstant)};
  return terms_.any_of(term, [&](absl::Span<const std::string> names) {
    return cat(names[0], " >= ", bounds.from.micros(), " AND ", names[0], " < ", bounds.to.micros());
  });
}

// The day of the year of a date in another one: the month's last, if it has no such.
std::string Translator::day_in(int64_t year, const std::string& born) const {
  return cat("make_date(", year, ", month(", born, "), least(day(", born, "), day(last_day(make_date(", year,
             ", month(", born, "), 1)))))");
}

std::string Translator::date_of(const std::string& micros) const {
  return cat("(DATE '1970-01-01' + CAST(", day_of(micros), " AS INTEGER))");
}

// The years between, less one before this year's birthday; NULL for who is not born.
Term Translator::age(const Node& node) {
  const CivilDay day = zone_.day_of(statement_.question.now);
  const int64_t year = (absl::CivilDay(1970, 1, 1) + day.value()).year();
  const std::string today = cat("DATE '1970-01-01' + ", day.value());
  return terms_.each_of(as(node.of[0], Form::kInstant), Form::kNumber, [&](const std::string& t) {
    return terms_.once(date_of(t), [&](const std::string& born) {
      return cat("CASE WHEN ", born, " <= ", today, " THEN (", year, " - year(", born, ") - CASE WHEN ",
                 day_in(year, born), " > ", today, " THEN 1 ELSE 0 END) * 10000 END");
    });
  });
}

// The day of the year of a date is tried in each year that the days ahead lie in.
Term Translator::birthday(const Node& node) {
  const Instant now = statement_.question.now;
  const CivilDay first = zone_.day_of(now);
  const CivilDay last = zone_.day_of(rule::plus(now, node.span, zone_));
  const auto year = [](CivilDay day) { return (absl::CivilDay(1970, 1, 1) + day.value()).year(); };
  const std::array<Term, 1> term = {side(node.of[0], Form::kInstant)};
  return terms_.any_of(term, [&](absl::Span<const std::string> names) {
    return terms_.once(date_of(names[0]), [&](const std::string& born) {
      std::string any;
      for (int64_t y = year(first); y <= year(last); ++y) {
        any += cat(any.empty() ? "(" : " OR ", day_in(y, born), " BETWEEN DATE '1970-01-01' + ",
                   first.value(), " AND DATE '1970-01-01' + ", last.value());
      }
      return any + ")";
    });
  });
}

}  // namespace kehu::translation
