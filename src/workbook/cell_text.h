#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kehu::workbook {

// How a number is shown: as it is, or as a date, a time of day, or both.
enum class NumberFormat : uint8_t { kPlain, kDate, kTime, kElapsed };

// Of the formats that every workbook has, by their numbers.
NumberFormat built_in_format(int id);
// Of a format by its code: "yyyy\-mm\-dd", "[h]:mm", `yyyy"年"m"月"d"日"`.
NumberFormat format_of(std::string_view code);

// A number as text: at most 15 digits, which is what a spreadsheet keeps; whole numbers of more digits in
// scientific notation, since their last digits are gone. A text that is no number stays.
std::string number_text(std::string_view value);

// A number of days as text in ISO's form: "2026-11-01", "2026-11-01 10:00:00", "10:00:00". `from_1904`: the
// workbook counts from 1904 on and not from 1900. A number that is no date stays a number.
std::string date_text(std::string_view value, NumberFormat format, bool from_1904);

// "_x000D_" → a carriage return: how control characters stand in XML.
std::string without_escapes(std::string_view text);

}  // namespace kehu::workbook
