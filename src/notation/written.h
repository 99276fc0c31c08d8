#pragma once

#include <string>
#include <string_view>

#include "base/civil_day.h"
#include "notation/format.h"
#include "rule/window.h"

// Single words of a rule, as the lexer reads them back.
namespace kehu::notation {

std::string written_text(std::string_view text);  // in double quotes
std::string written_name(std::string_view name);  // in backticks where it needs them
std::string written_path(std::string_view path);
std::string written_date(CivilDay day);                        // 2026-01-31
std::string written_unit(rule::Unit unit, Language language);  // "month" of "this month"
std::string written_span(rule::Span span, Language language);  // "30 days"
// Where a span says how long something may take: 30天内.
std::string written_limit(rule::Span span, Language language);

}  // namespace kehu::notation
