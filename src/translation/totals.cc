#include "base/text.h"
#include "rule/value.h"
#include "translation/functions.h"
#include "translation/translator.h"

// Functions of events: each asks the walk for a few aggregates, which are columns of the customers, and makes
// its value of them. A customer without events has NULL there.
namespace kehu::translation {
namespace {

using rule::Node;
using rule::Op;

constexpr int64_t kMicrosPerDay = 86'400'000'000;
constexpr size_t kExactTexts = 256;  // of a customer; beyond, a sample

std::string or_zero(const std::string& column) { return cat("coalesce(", column, ", 0)"); }

}  // namespace

std::string Translator::flag(const Node& events, const rule::Extent& bounds) {
  std::string condition_text;
  if (!events.of.empty()) {
    event_ = &events.text;
    condition_text = condition(events.of[0]);
    event_ = nullptr;
  }
  return statement_.rows.flag(events.text, bounds, condition_text);
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
  const std::string events = flag(node.of[0], extent(node.window));
  switch (node.op) {
    case Op::kDid:
      return {Form::kTruth, cat("(", count(events), " > 0)")};
    case Op::kCount:
      return {Form::kNumber, cat("(", count(events), " * 10000)")};
    case Op::kDistinct:
      return distinct(node, events);
    case Op::kTop:
    case Op::kTopN:
      return top(node, events);
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
  const Term all = terms_.as(chosen(node.text, node.of[0].text), Form::kNumber);
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

// How often each text stands there, as a map; NULL for none. Collecting the texts and counting them at the
// end takes two thirds of the time of one map for each customer that grows with every event.
std::string Translator::counted(const Term& texts, const std::string& events) {
  const std::string list = filtered(cat("list(", texts.sql, ")"), events);
  return cat("list_aggregate(", texts.several ? cat("flatten(", list, ")") : list, ", 'histogram')");
}

// Beyond so many texts in all of the customer's events those of the smallest hashes are looked at, and stand
// for the others.
Term Translator::distinct(const Node& node, const std::string& events) {
  const Term texts = terms_.as(chosen(node.text, node.of[0].text), Form::kText);
  const std::string found = counted(texts, events);
  const std::string ever = counted(texts, flag(node.of[0], extent({})));
  const auto hashes = [](const std::string& map) {
    return cat("list_transform(map_keys(", map, "), lambda k: ", kHashFunction, "(k))");
  };
  const std::string largest = cat("list_sort(", hashes(ever), ")[", kExactTexts, "]");
  const std::string sampled = cat("len(list_filter(", hashes(found), ", lambda h: h <= ", largest, "))");
  const std::string all = cat(kExactTexts - 1, "::DOUBLE * 281474976710656 / (", largest, " + 1)");
  return {Form::kNumber, cat("(CASE WHEN ", or_zero(cat("cardinality(", ever, ")")), " <= ", kExactTexts,
                             " THEN ", or_zero(cat("cardinality(", found, ")")), " ELSE CAST(floor(", all,
                             " * ", or_zero(sampled), " / ", kExactTexts, " + 0.5) AS BIGINT) END * 10000)")};
}

// The most frequent ones, of equals the first by code point.
Term Translator::top(const Node& node, const std::string& events) {
  const Term whole = terms_.as(chosen(node.text, node.of[0].text), Form::kText);
  const Term texts = terms_.each_of(whole, Form::kText, [](const std::string& text) {
    return cat("CASE WHEN strlen(", text, ") <= ", rule::kValueBytes, " THEN ", text, " ELSE substr(",
               kKeptFunction, "('\"' || ", text, "), 2) END");
  });
  const std::string found = cat("map_entries(", counted(texts, events), ")");
  const std::string ever = counted(texts, flag(node.of[0], extent({})));
  const auto rank = [](const std::string& text) {
    return cat("{'h': ", kHashFunction, "(", text, "), 'k': ", text, "}");
  };
  const std::string last =
      cat("list_sort(list_transform(map_keys(", ever, "), lambda k: ", rank("k"), "))[", kExactTexts, "]");
  const std::string sampled =
      cat("CASE WHEN cardinality(", ever, ") <= ", kExactTexts, " THEN ", found, " ELSE list_filter(", found,
          ", lambda e: ", rank("e.key"), " <= ", last, ") END");
  const std::string sorted =
      cat("list_sort(list_transform(", sampled, ", lambda e: {'n': -CAST(e.value AS BIGINT), 'k': e.key}))");
  if (node.op == Op::kTop) return {Form::kText, cat(sorted, "[1].k")};
  const std::string quoted = cat("list_transform(", sorted, "[1:", node.number.units() / Decimal::kScale,
                                 "], lambda e: ", kQuotedFunction, "(e.k))");
  return {Form::kList, cat("nullif('[' || array_to_string(", quoted, ", ',') || ']', '[]')")};
}

// Of equal times the greatest text is kept; a text rather than a number of the same spelling.
Term Translator::end_value(const Node& node, const std::string& events) {
  const Term value = terms_.as(chosen(node.text, node.of[0].text), Form::kTagged);
  const auto ranked = [&](const std::string& tagged) {
    const std::string kept = cat(kKeptFunction, "(", tagged, ")");
    return cat("{'x': ", terms_.as({Form::kTagged, kept}, Form::kText).sql, ", 'y': starts_with(", kept,
               ", '\"'), 'v': ", kept, "}");
  };
  const Term each = terms_.each_of(value, Form::kText, ranked);
  const std::string of_event = each.several ? cat("list_max(", each.sql, ")") : each.sql;
  const std::string known = each.several ? cat("len(", value.sql, ") > 0") : cat(value.sql, " IS NOT NULL");
  const char* time = node.op == Op::kFirst ? "-t" : "t";
  const std::string best =
      filtered(cat("max({'t': ", time, ", 'of': ", of_event, "})"), cat(events, " AND ", known));
  return {Form::kTagged, cat(best, ".of.v")};
}

Term Translator::share(const Node& node, const std::string& events) {
  Node all = node.of[0];
  all.of.clear();
  const std::string part = count(events);
  return {Form::kNumber, divided(cat("(", part, " * 10000)"), count(flag(all, extent(node.window))))};
}

Term Translator::interval(const std::string& events) {
  const std::string between =
      cat("(CAST(", filtered("max(t)", events), " - ", filtered("min(t)", events), " AS HUGEINT) * 10000)");
  const std::string gaps = cat("((", count(events), " - 1) * ", kMicrosPerDay, ")");
  return {Form::kNumber, cat("CASE WHEN ", count(events), " > 1 THEN ", divided(between, gaps), " END")};
}

Term Translator::days_since(const Node& node) {
  const int64_t today = zone_.day_of(statement_.question.now).value();
  return terms_.each_of(as(node.of[0], Form::kInstant), Form::kNumber, [&](const std::string& t) {
    return cat("((", today, " - ", day_of(t), ") * 10000)");
  });
}

}  // namespace kehu::translation
