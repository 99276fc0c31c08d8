#include "translation/terms.h"

#include "base/text.h"
#include "translation/functions.h"

namespace kehu::translation {
namespace {

const char* type_of(Form form) {
  switch (form) {
    case Form::kTruth:
      return "BOOLEAN";
    case Form::kNumber:
    case Form::kInstant:
      return "BIGINT";
    case Form::kText:
    case Form::kTagged:
    case Form::kList:
      return "VARCHAR";
  }
  return "VARCHAR";
}

std::string unknown(Form form) { return cat("CAST(NULL AS ", type_of(form), ")"); }

// 125000 → 12.5: the digits of a decimal without the zeros that say nothing.
std::string number_text(const std::string& sql) {
  return cat("rtrim(rtrim(CAST(CAST(", sql, " AS DECIMAL(38,0)) * 0.0001 AS VARCHAR), '0'), '.')");
}

std::string truth_text(const std::string& sql, const char* yes, const char* no) {
  return cat("CASE ", sql, " WHEN true THEN '", yes, "' WHEN false THEN '", no, "' END");
}

// Most are texts, whose function is DuckDB's own.
std::string text_of(const std::string& tagged, const std::string& otherwise) {
  return cat("CASE WHEN starts_with(", tagged, ", '\"') THEN substr(", tagged, ", 2) ELSE ", otherwise,
             " END");
}

std::string call(const char* function, const std::string& sql) { return cat(function, "(", sql, ")"); }

}  // namespace

Form form_of(rule::Type type) {
  switch (type) {
    case rule::Type::kBool:
      return Form::kTruth;
    case rule::Type::kNumber:
      return Form::kNumber;
    case rule::Type::kInstant:
      return Form::kInstant;
    default:
      return Form::kText;
  }
}

Term text_term(std::string_view text) { return {Form::kText, sql_literal(text)}; }
Term instant_term(Instant t) { return {Form::kInstant, cat("CAST(", t.micros(), " AS BIGINT)")}; }

std::string divided(std::string_view dividend, std::string_view divisor) {
  return cat("((", dividend, " + CASE WHEN ", dividend, " < 0 THEN -(", divisor, " // 2) ELSE ", divisor,
             " // 2 END) // nullif(", divisor, ", 0))");
}

std::string Terms::next_name() { return cat("x", names_++); }

std::string Terms::one_as(const std::string& sql, Form from, Form to) const {
  if (from == to) return sql;
  if (from == Form::kList) return to == Form::kText || to == Form::kTagged ? sql : unknown(to);
  const bool asks_data = from == Form::kTagged || from == Form::kText;
  const std::string tagged = from == Form::kText ? cat("('\"' || ", sql, ")") : sql;
  switch (to) {
    case Form::kTruth:
      return from == Form::kTagged ? cat("CASE ", sql, " WHEN 't' THEN true WHEN 'f' THEN false END")
                                   : unknown(to);
    case Form::kNumber:
      return asks_data ? call(kNumberFunction, tagged) : unknown(to);
    case Form::kInstant:
      return asks_data ? call(kInstantFunction, cat(tagged, ", ", zone_)) : unknown(to);
    case Form::kText:
      if (from == Form::kNumber) return number_text(sql);
      if (from == Form::kTruth) return truth_text(sql, "true", "false");
      if (from == Form::kInstant) return call(kTextFunction, cat("('@' || ", sql, "), ", zone_));
      return text_of(sql, call(kTextFunction, cat(sql, ", ", zone_)));
    case Form::kTagged:
      if (from == Form::kNumber) return number_text(sql);
      if (from == Form::kTruth) return truth_text(sql, "t", "f");
      return from == Form::kInstant ? cat("('@' || ", sql, ")") : tagged;
    case Form::kList:
      return unknown(to);
  }
  return sql;
}

Term Terms::as(const Term& term, Form form) {
  if (term.form == form) return term;
  if (!term.several) return {form, one_as(term.sql, term.form, form)};
  const std::string x = next_name();
  const std::string y = next_name();
  return {form,
          cat("list_filter(list_transform(", term.sql, ", lambda ", x, ": ", one_as(x, term.form, form),
              "), lambda ", y, ": ", y, " IS NOT NULL)"),
          true};
}

Term Terms::any_of(absl::Span<const Term> terms,
                   absl::FunctionRef<std::string(absl::Span<const std::string> names)> condition) {
  std::vector<std::string> names;
  for (const Term& term : terms) names.push_back(term.several ? next_name() : term.sql);
  std::string sql = cat("coalesce(", condition(names), ", false)");
  for (size_t i = terms.size(); i-- > 0;) {
    if (!terms[i].several) continue;
    sql = cat("coalesce(list_bool_or(list_transform(", terms[i].sql, ", lambda ", names[i], ": ", sql,
              ")), false)");
  }
  return {Form::kTruth, sql};
}

std::string Terms::once(const std::string& sql,
                        absl::FunctionRef<std::string(const std::string& value)> make) {
  const std::string x = next_name();
  return cat("list_transform([", sql, "], lambda ", x, ": ", make(x), ")[1]");
}

Term Terms::opened(const Term& term) {
  if (!term.several) return {Form::kTagged, call(kElementsFunction, term.sql), true};
  const std::string x = next_name();
  return {Form::kTagged,
          cat("flatten(list_transform(", term.sql, ", lambda ", x, ": ", call(kElementsFunction, x), "))"),
          true};
}

Term Terms::known(const Term& term) {
  if (!term.several) return term;
  const std::string x = next_name();
  return {term.form, cat("list_filter(", term.sql, ", lambda ", x, ": ", x, " IS NOT NULL)"), true};
}

Term Terms::listed(const Term& term) {
  if (term.several) return term;
  const std::string x = next_name();
  return {term.form, cat("list_filter([", term.sql, "], lambda ", x, ": ", x, " IS NOT NULL)"), true};
}

Term Terms::each_of(const Term& term, Form form,
                    absl::FunctionRef<std::string(const std::string& value)> value) {
  if (!term.several) return {form, value(term.sql)};
  const std::string x = next_name();
  return {form, cat("list_transform(", term.sql, ", lambda ", x, ": ", value(x), ")"), true};
}

Term Terms::each_of(const Term& a, const Term& b, Form form,
                    absl::FunctionRef<std::string(const std::string& a, const std::string& b)> value) {
  if (!a.several && !b.several) return {form, value(a.sql, b.sql)};
  const std::string x = next_name();
  const std::string y = next_name();
  return {form,
          cat("flatten(list_transform(", listed(a).sql, ", lambda ", x, ": list_transform(", listed(b).sql,
              ", lambda ", y, ": ", value(x, y), ")))"),
          true};
}

}  // namespace kehu::translation
