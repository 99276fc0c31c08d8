#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "base/civil_day.h"
#include "base/sql_literal.h"
#include "rule/tree.h"
#include "rule/window.h"

namespace kehu::translation {

// How a value lies in SQL.
enum class Form : uint8_t {
  kTruth,    // BOOLEAN
  kNumber,   // BIGINT or HUGEINT, in units of 10^-4
  kText,     // VARCHAR
  kInstant,  // BIGINT, microseconds
  kTagged,   // VARCHAR, what tagged.h writes
  kList,     // VARCHAR, a JSON array of texts
};
Form form_of(rule::Type type);

// A value as SQL; NULL is the unknown. With several values a list of those that are known.
struct Term {
  Form form = Form::kTruth;
  std::string sql;
  bool several = false;
};

// Literals.
Term text_term(std::string_view text);
Term instant_term(Instant t);

// dividend / divisor as rule::divided() has it; NULL when the divisor is 0. Both stand twice in the text.
std::string divided(std::string_view dividend, std::string_view divisor);

// Values of one zone, brought into the form that a place asks for, and compared.
class Terms {
 public:
  explicit Terms(const BusinessZone& zone) : zone_(sql_literal(zone.name())) {}

  const std::string& zone() const { return zone_; }  // a literal

  Term as(const Term& term, Form form);
  // As a list of the values that are known.
  Term listed(const Term& term);
  // What is made of one value that stands in it more than once: its SQL is written, and computed, once, so
  // that what is nested does not grow with each level.
  std::string once(const std::string& sql, absl::FunctionRef<std::string(const std::string& value)> make);
  // A value that may be a list as several texts.
  Term opened(const Term& term);
  // Without those of several values that are not known.
  Term known(const Term& term);
  // Whether a condition holds for one choice of values of the terms. Never NULL.
  Term any_of(absl::Span<const Term> terms,
              absl::FunctionRef<std::string(absl::Span<const std::string> names)> condition);
  // What a function makes of each value.
  Term each_of(const Term& term, Form form, absl::FunctionRef<std::string(const std::string& value)> value);
  // What a function makes of each choice of values of two terms.
  Term each_of(const Term& a, const Term& b, Form form,
               absl::FunctionRef<std::string(const std::string& a, const std::string& b)> value);

 private:
  std::string one_as(const std::string& sql, Form from, Form to) const;
  std::string next_name();

  std::string zone_;
  int names_ = 0;
};

}  // namespace kehu::translation
