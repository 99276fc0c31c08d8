#pragma once

// The functions that translated rules call, beside those of DuckDB: what JSON, zones and hashes mean to the
// other evaluators has no spelling in SQL. Whoever runs the statements adds them to the database
// (query/rule_functions.h).
namespace kehu::translation {

inline constexpr char kValueFunction[] = "kehu_rule_value";      // (json, path) → tagged text
inline constexpr char kValuesFunction[] = "kehu_rule_values";    // (json, path) → list of tagged texts
inline constexpr char kNumberFunction[] = "kehu_rule_number";    // (tagged text) → units of 10^-4
inline constexpr char kTextFunction[] = "kehu_rule_text";        // (tagged text, zone) → text
inline constexpr char kInstantFunction[] = "kehu_rule_instant";  // (tagged text, zone) → microseconds
inline constexpr char kDayFunction[] = "kehu_rule_day";          // (microseconds, zone) → days since 1970
inline constexpr char kHourFunction[] = "kehu_rule_hour";        // (microseconds, zone) → 0 to 23
inline constexpr char kWeekdayFunction[] = "kehu_rule_weekday";  // (microseconds, zone) → 1 to 7
inline constexpr char kHolidayFunction[] = "kehu_rule_holiday";  // (microseconds, zone) → name or NULL
inline constexpr char kWorkdayFunction[] = "kehu_rule_workday";  // (microseconds, zone) → 1 or 0
inline constexpr char kPlusFunction[] = "kehu_rule_plus";  // (microseconds, count, unit, zone) → microseconds
// (traits of an event, microseconds, source) → what origins (translate.h) say of those that it writes; null
// of those that it takes away
inline constexpr char kOriginsFunction[] = "kehu_rule_origins";
inline constexpr char kElementsFunction[] = "kehu_rule_elements";  // (tagged text) → list of tagged texts
inline constexpr char kQuotedFunction[] = "kehu_rule_quoted";      // (text) → JSON
inline constexpr char kHashFunction[] = "kehu_rule_hash";          // (text) → 48 bits
inline constexpr char kKeptFunction[] = "kehu_rule_kept";  // (tagged text) → what is kept of it (kValueBytes)

// Events are lists of three numbers each: microseconds, a bit for each step that it can take, and a number
// that the events of one sequence have in common. (events, steps, span's count, its unit, from, to, now,
// zone) → 1 or 0; step_walk.h
inline constexpr char kSequenceFunction[] = "kehu_rule_sequence";
inline constexpr char kStageFunction[] = "kehu_rule_stage";  // (events, steps) → how many steps were taken

}  // namespace kehu::translation
