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
inline constexpr char kPlusFunction[] = "kehu_rule_plus";  // (microseconds, count, unit, zone) → microseconds
inline constexpr char kHashFunction[] = "kehu_rule_hash";  // (text) → its hash, for samples

}  // namespace kehu::translation
