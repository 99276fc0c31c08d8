#include "base/text.h"
#include "translation/functions.h"
#include "translation/translator.h"

// Functions of events: each asks the walk for a few aggregates, which are columns of the customers, and makes its
// value of them. A customer without events has NULL there.
namespace kehu::translation {
namespace {

using rule::Node;
using rule::Op;

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr size_t kExactTexts = 256;  // of a customer; beyond, a sample

std::string or_zero(const std::string& column) { return cat("coalesce(", column, ", 0)"); }

}  // namespace

std::string Translator::flag(const Node& events, const rule::Window& window) {
  std::string condition_text;
  if (!events.of.empty()) {
    const std::string* outer = std::exchange(event_, &events.text);
    if (outer != nullptr) fail(absl::InvalidArgumentError("a condition of events asks for other events"));
    condition_text = condition(events.of[0]);
    event_ = outer;
  }
  return statement_.rows.flag(events.text, extent(window), condition_text);
}

std::string Translator::filtered(const std::string& aggregate, const std::string& flag) {
  return statement_.rows.total(cat(aggregate, " FILTER (WHERE ", flag, ")"));
}

std::string Translator::count(const std::string& flag) { return or_zero(filtered("count(*)", flag)); }

std::string Translator::day_of(const std::string& micros) const {
  return cat(kDayFunction, "(", micros, ", ", terms_.zone(), ")");
}

Term Translator::total(const Node& node) {
  if (node.op == Op::kSequence) return sequence(node);
  if (node.op == Op::kStage) return stage(node);
  const std::string events = flag(node.of[0], node.window);
  switch (node.op) {
    case Op::kDid:
      return {Form::kTruth, cat("(", count(events), " > 0)")};
    case Op::kCount:
      return {Form::kNumber, cat("(", count(events), " * 10000)")};
    case Op::kDistinct:
    case Op::kTop:
      return counted_texts(node, events);
    case Op::kFirst:
    case Op::kLast:
      if (!node.text.empty()) return end_value(node, events);
      return {Form::kInstant, filtered(node.op == Op::kFirst ? "min(t)" : "max(t)", events)};
    case Op::kNth: {
      const int64_t which = node.number.units() / Decimal::kScale;
      return {Form::kInstant, cat(filtered(cat("min(t, ", which, ")"), events), "[", which, "]")};
    }
    case Op::kShare:
      return share(node, events);
    case Op::kActiveDays:
      return {Form::kNumber,
              cat("(", or_zero(filtered(cat("count(DISTINCT ", day_of("t"), ")"), events)), " * 10000)")};
    case Op::kInterval:
      return interval(events);
    default:
      return numbers(node, events);
  }
}

// Of a path with several values the values of one event are put together first.
Term Translator::numbers(const Node& node, const std::string& events) {
  const Term all = terms_.as(statement_.rows.property(node.text, node.of[0].text), Form::kNumber);
  const auto total = [&](const char* function, const char* of_list) {
    return filtered(cat(function, "(", all.several ? cat(of_list, "(", all.sql, ")") : all.sql, ")"), events);
  };
  if (node.op == Op::kMin) return {Form::kNumber, total("min", "list_min")};
  if (node.op == Op::kMax) return {Form::kNumber, total("max", "list_max")};
  const std::string sum = total("sum", "list_sum");
  if (node.op == Op::kSum) return {Form::kNumber, or_zero(sum)};
  const std::string count = all.several ? total("sum", "len") : total("count", "");
  return {Form::kNumber, divided(sum, count)};
}

// How often each text stands there, as a map, and what comes of it.
Term Translator::counted_texts(const Node& node, const std::string& events) {
  const Term texts = terms_.as(statement_.rows.property(node.text, node.of[0].text), Form::kText);
  const std::string counted =
      texts.several
          ? cat("list_aggregate(flatten(", filtered(cat("list(", texts.sql, ")"), events), "), 'histogram')")
          : filtered(cat("histogram(", texts.sql, ")"), events);
  if (node.op == Op::kDistinct) return {Form::kNumber, cat("(", or_zero(cat("cardinality(", counted, ")")), " * 10000)")};
  return {Form::kText, cat("list_sort(list_transform(map_entries(", counted,
                           "), lambda e: {'n': -CAST(e.value AS BIGINT), 'k': e.key}))[1].k")};
}

// Of equal times the greatest text.
Term Translator::end_value(const Node& node, const std::string& events) {
  const Term value = statement_.rows.property(node.text, node.of[0].text);
  const std::string text = terms_.as(value, Form::kText).sql;
  const char* time = node.op == Op::kFirst ? "-t" : "t";
  return {Form::kTagged, filtered(cat("arg_max(", value.sql, ", {'t': ", time, ", 'x': ", text, "})"), events)};
}

Term Translator::share(const Node& node, const std::string& events) {
  Node all = node.of[0];
  all.of.clear();
  const std::string part = count(events);
  return {Form::kNumber, divided(cat("(", part, " * 10000)"), count(flag(all, node.window)))};
}

Term Translator::interval(const std::string& events) {
  const std::string between =
      cat("(CAST(", filtered("max(t)", events), " - ", filtered("min(t)", events), " AS HUGEINT) * 10000)");
  const std::string gaps = cat("((", count(events), " - 1) * ", kMicrosPerDay, ")");
  return {Form::kNumber, cat("CASE WHEN ", count(events), " > 1 THEN ", divided(between, gaps), " END")};
}

Term Translator::days_since(const Node& node) {
  const int64_t today = zone_.day_of(statement_.question.now).value();
  return terms_.each_of(as(node.of[0], Form::kInstant), {Form::kNumber, "NULL"}, Form::kNumber,
                        [&](const std::string& t, const std::string&) {
                          return cat("((", today, " - ", day_of(t), ") * 10000)");
                        });
}

}  // namespace kehu::translation
