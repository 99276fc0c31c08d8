#include "translation/translate.h"

#include "base/text.h"
#include "rule/nodes.h"
#include "translation/functions.h"
#include "translation/translator.h"

namespace kehu::translation {
namespace {

using rule::Node;
using rule::Op;

// All digits, however large.
std::string units_text(Sum units) {
  const bool negative = units < 0;
  std::string digits;
  do {
    const auto last = static_cast<int>(units % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (last < 0 ? -last : last)));
    units /= 10;
  } while (units != 0);
  return negative ? "-" + digits : digits;
}

const char* to_string(bool flag) { return flag ? "true" : "false"; }

Form form_of(Answer answer) {
  switch (answer) {
    case Answer::kTruth:
      return Form::kTruth;
    case Answer::kText:
      return Form::kText;
    case Answer::kTagged:
      return Form::kTagged;
    case Answer::kNumber:
      return Form::kNumber;
  }
  return Form::kTagged;
}

// The customers with what their events add up to beside them, then a layer for each definition.
std::string customers_of(const Statement& statement) {
  const Question& question = statement.question;
  const bool nobody = question.partial && question.customers.empty();
  std::string sql = nobody ? "SELECT CAST(NULL AS VARCHAR) AS customer_id WHERE false"
                           : cat("SELECT * FROM ", question.customers);
  if (!statement.rows.empty()) {
    const std::string rows = statement.rows.sql(question.events);
    sql = nobody ? rows
                 : cat("SELECT * FROM (", sql, question.partial ? ") FULL JOIN (" : ") LEFT JOIN (", rows,
                       ") USING (customer_id)");
  }
  for (const std::string& stored : statement.stored) {
    sql = cat("SELECT * FROM (", sql, question.partial ? ") FULL JOIN (" : ") LEFT JOIN (", stored,
              ") USING (customer_id)");
  }
  for (const std::string& layer : statement.layers) sql = cat("SELECT *, ", layer, " FROM (", sql, ")");
  return sql;
}

}  // namespace

absl::StatusOr<std::string> translate(const Node& expression, const Question& question) {
  Statement statement(question);
  Translator translator(statement, question.zone);
  const Term value = question.answer == Answer::kTruth ? Term{Form::kTruth, translator.condition(expression)}
                                                       : translator.as(expression, form_of(question.answer));
  if (!statement.status.ok()) return statement.status;
  if (value.several)
    return failure(absl::StatusCode::kInvalidArgument,
                   "it has several values for one customer: ask for them by a condition");
  return cat("SELECT customer_id, ", value.sql, " AS value FROM (", customers_of(statement), ")");
}

Term Translator::value(const Node& node) {
  if (rule::is_condition(node.op)) return test(node);
  if (rule::is_aggregate(node.op)) return total(node);
  switch (node.op) {
    case Op::kPlus:
    case Op::kMinus:
      return node.of[0].op == Op::kSpan || node.of[1].op == Op::kSpan ? moved(node) : plus(node);
    case Op::kDaysSince:
      return days_since(node);
    case Op::kPercentile:
      return percentile(node.of[0]);
    case Op::kRfm:
      return rfm(node);
    case Op::kAge:
      return age(node);
    case Op::kBand:
      return band(node);
    case Op::kCase:
      return cases(node);
    default:
      return fact(node);
  }
}

Term Translator::fact(const Node& node) {
  switch (node.op) {
    case Op::kBool:
      return {Form::kTruth, to_string(node.number.units() != 0)};
    case Op::kNumber:
      return {Form::kNumber, cat("CAST(", node.number.units(), " AS BIGINT)")};
    case Op::kText:
      return text_term(node.text);
    case Op::kDate:
      return instant_term(zone_.start_of(node.window.from));
    case Op::kNow:
      return instant_term(statement_.question.now);
    case Op::kToday:
      return instant_term(zone_.start_of(zone_.day_of(statement_.question.now)));
    case Op::kTrait: {
      const bool several = rule::has_several(node);
      return {Form::kTagged,
              cat(several ? kValuesFunction : kValueFunction, "(traits, ", sql_literal(node.text), ")"),
              several};
    }
    case Op::kTraitTime:
      return {Form::kInstant, cat("CAST(substr(", origin(node.text, "time"), ", 2) AS BIGINT)")};
    case Op::kTraitSource:
      return terms_.as({Form::kTagged, origin(node.text, "source")}, Form::kText);
    case Op::kListed:
    case Op::kListValue:
      return listed(node);
    case Op::kTag:
      return definition(rule::Kind::kTag, node.text);
    case Op::kSegment:
      return definition(rule::Kind::kSegment, node.text);
    case Op::kProperty:
      return property(node.text);
    case Op::kChannel:
      return {Form::kText, "channel"};
    case Op::kSource:
      return {Form::kText, "nullif(source, '')"};
    case Op::kEventHour:
      return {Form::kNumber, cat(kHourFunction, "(t, ", terms_.zone(), ") * 10000")};
    case Op::kEventWeekday:
      return {Form::kNumber, cat(kWeekdayFunction, "(t, ", terms_.zone(), ") * 10000")};
    case Op::kEventHoliday:
      return {Form::kText, cat(kHolidayFunction, "(t, ", terms_.zone(), ")")};
    case Op::kEventWorkday:
      return {Form::kTruth, cat("(", kWorkdayFunction, "(t, ", terms_.zone(), ") = 1)")};
    default:
      fail(failure(absl::StatusCode::kInvalidArgument, rule::to_string(node.op), " is no value"));
      return {Form::kTruth, "false"};
  }
}

// Tagged texts begin with a quote.
Term Translator::listed(const Node& node) const {
  const bool asks_value = node.op == Op::kListValue;
  const list::Standing* standing = list::find(statement_.question.lists, node.text);
  if (standing == nullptr) {
    return asks_value ? Term{Form::kTagged, "CAST(NULL AS VARCHAR)"} : Term{Form::kTruth, "false"};
  }
  const auto member = [](const std::string& path) {
    return cat(kValueFunction, "(traits, ", sql_literal(path), ")");
  };
  const std::string on_it = cat("coalesce(", member(standing->nonce_path()), " = ",
                                sql_literal("\"" + standing->nonce), ", false)");
  if (!asks_value) return {Form::kTruth, on_it};
  return {Form::kTagged, cat("CASE WHEN ", on_it, " THEN ", member(standing->value_path()), " END")};
}

// Texts of JSON.
std::string Translator::origin(const std::string& trait, const char* what) const {
  return cat("nullif(", kValueFunction, "(origins, ", sql_literal(cat(trait, ".", what)), "), '\"')");
}

Term Translator::property(const std::string& path) {
  if (event_ != nullptr) return statement_.rows.property(path, *event_);
  fail(failure(absl::StatusCode::kInvalidArgument, "the property ", path, " stands outside of an event"));
  return {Form::kTagged, "NULL"};
}

// What stands where a path does: of events of one name (empty: any).
Term Translator::chosen(const std::string& path, const std::string& event) {
  if (!rule::is_event_text(path)) return statement_.rows.property(path, event);
  return fact({.op = path == rule::kChannelPath ? Op::kChannel : Op::kSource});
}

// The answer of another definition is a column, so that it is written once however often it is named.
Term Translator::definition(rule::Kind kind, const std::string& name) {
  const bool segment = kind == rule::Kind::kSegment;
  const auto found =
      statement_.question.definition ? statement_.question.definition(kind, name) : std::nullopt;
  if (!found) {
    if (segment)
      return {Form::kTruth, cat("coalesce(list_contains(segments, ", sql_literal(name), "), false)")};
    return {Form::kTagged, cat("tags[", sql_literal(name), "]")};
  }
  const std::string key = cat(segment ? "s" : "t", name);
  if (const auto written = statement_.definitions.find(key); written != statement_.definitions.end()) {
    return written->second;
  }
  if (found->body->op == Op::kSql) return statement_.definitions[key] = stored_tag(name, found->version);
  if (!statement_.open.insert(key).second) {
    fail(failure(absl::StatusCode::kInvalidArgument, "the definition ", name, " depends on itself"));
    return {Form::kTruth, "false"};
  }
  Translator translator(statement_, found->zone);
  Term term =
      segment ? Term{Form::kTruth, translator.condition(*found->body)} : translator.value(*found->body);
  const std::string column = cat("d", statement_.layers.size());
  statement_.layers.push_back(cat(term.sql, " AS ", column));
  statement_.open.erase(key);
  term.sql = column;
  return statement_.definitions[key] = term;
}

// As it was set last: a fact like a trait.
Term Translator::stored_tag(const std::string& name, uint64_t version) {
  const auto& stored = statement_.question.stored_tag;
  if (!stored) return {Form::kTagged, "CAST(NULL AS VARCHAR)"};
  const std::string column = cat("b", statement_.stored.size());
  statement_.stored.push_back(cat("SELECT customer_id, value AS ", column, " FROM ", stored(name, version)));
  return {Form::kTagged, column};
}

Term Translator::plus(const Node& node) {
  const char* sign = node.op == Op::kPlus ? " + " : " - ";
  return terms_.each_of(as(node.of[0], Form::kNumber), as(node.of[1], Form::kNumber), Form::kNumber,
                        [&](const std::string& a, const std::string& b) {
                          return cat("(CAST(", a, " AS HUGEINT)", sign, b, ")");
                        });
}

// An instant and a span, which may stand first.
Term Translator::moved(const Node& node) {
  const bool span_first = node.of[0].op == Op::kSpan;
  const rule::Span& span = node.of[span_first ? 0 : 1].span;
  const int64_t count = node.op == Op::kPlus ? span.count : -span.count;
  return terms_.each_of(as(node.of[span_first ? 1 : 0], Form::kInstant), Form::kInstant,
                        [&](const std::string& t) {
                          return cat(kPlusFunction, "(", t, ", ", count, ", ", static_cast<int>(span.unit),
                                     ", ", terms_.zone(), ")");
                        });
}

// The number is a column, since each cut is compared with it.
Term Translator::percentile(const Node& of) {
  const auto& measured = statement_.question.cuts;
  const rule::Cuts* cuts = measured ? measured(rule::measure_key(of, zone_.name())) : nullptr;
  if (cuts == nullptr || cuts->empty()) return {Form::kNumber, "CAST(NULL AS BIGINT)"};
  const Term term = as(of, Form::kNumber);
  // A list is no number, unless it is one value.
  const std::string number =
      term.several ? cat("CASE WHEN len(", term.sql, ") = 1 THEN (", term.sql, ")[1] END") : term.sql;
  const std::string column = cat("n", statement_.layers.size());
  statement_.layers.push_back(cat("CAST(", number, " AS HUGEINT) AS ", column));
  std::string list;
  for (const Sum cut : *cuts) {
    list += cat(list.empty() ? "" : ", ", "CAST('", units_text(cut), "' AS HUGEINT)");
  }
  return {Form::kNumber, cat("CASE WHEN ", column, " IS NOT NULL THEN len(list_filter([", list,
                             "], lambda c: c <= ", column, ")) * 10000 END")};
}

Term Translator::rfm(const Node& node) {
  std::string score;
  for (const Node& number : rule::rfm_numbers(node)) {
    score += cat(score.empty() ? "(" : " || ", "CAST(", percentile(number).sql, " // 200000 + 1 AS VARCHAR)");
  }
  return {Form::kText, score + ")"};
}

// The literals of a band have one form.
Term Translator::band(const Node& node) {
  const Form form = value(node.of[1]).form;
  const auto found = [&](const std::string& number) {
    std::string sql = cat("CASE WHEN ", number, " IS NULL THEN NULL");
    for (size_t i = 1; i + 1 < node.of.size(); i += 2) {
      sql += cat(" WHEN ", number, " < ", value(node.of[i + 1]).sql, " THEN ", value(node.of[i]).sql);
    }
    if (node.of.size() % 2 == 0) sql += cat(" ELSE ", value(node.of.back()).sql);
    return sql + " END";
  };
  const Term bands = terms_.each_of(as(node.of[0], Form::kNumber), form,
                                    [&](const std::string& of) { return terms_.once(of, found); });
  return terms_.known(bands);
}

// Values of one form keep it; others are tagged.
Term Translator::cases(const Node& node) {
  std::vector<Term> values;
  const bool has_rest = node.of.size() % 2 == 1;
  for (size_t i = 1; i < node.of.size(); i += 2) values.push_back(value(node.of[i]));
  if (has_rest) values.push_back(value(node.of.back()));
  Form form = values[0].form;
  bool several = false;
  for (const Term& term : values) {
    if (term.form != form) form = Form::kTagged;
    several = several || term.several;
  }
  for (Term& term : values) {
    term = terms_.as(term, form);
    if (several) term = terms_.listed(term);
  }
  std::string sql = "CASE";
  for (size_t i = 0; i + 1 < node.of.size(); i += 2) {
    sql += cat(" WHEN ", condition(node.of[i]), " THEN ", values[i / 2].sql);
  }
  if (has_rest) sql += cat(" ELSE ", values.back().sql);
  return {form, sql + " END", several};
}

}  // namespace kehu::translation
