#pragma once

#include <string>
#include <string_view>

#include "model/event.h"

// What programs that take an identifier for a number, or guard it against that, did to it; undone where the
// identifier is still there. All of it is decided by the text alone, so that every door decides the same.
namespace kehu {

// An identifier that came as a number: of JSON, or of a column of numbers.
struct PlainNumber {
  LeftOut left_out = LeftOut::kNo;  // kDigitsLost when the text does not say which number it was
  std::string text;  // the number without exponent and trailing zeros; empty when it was that already
};

// 2001, 2001.0, 2.001e3 and 20010e-1 are 2001; 12.50 is 12.5. Digits are lost where a binary floating-point
// number no longer tells integers apart (from 2^53 on), but for decimals written with two places or more; and
// where six significant digits are all that is left of a longer number: 1.23457e+10.
PlainNumber plain_number(std::string_view text);

// The same for a text that reads as the number a spreadsheet or a data frame made of it:
// - "2001.0", "2001.00" (no leading zero): 2001;
// - scientific notation with a point or a sign (1.3911112222E+10; not 12e45, which is somebody's id): the
// number when
//   every digit is there, kDigitsLost when they are not (1.39111E+10) or when it is 2^53 or more.
// Any other text gives kNo and an empty text. ~2 ns for a text that does not begin with a digit.
PlainNumber number_in_text(std::string_view text);

// Takes off, from outside in: blanks and invisible characters; Excel's guards ="0123" and '0123; a pair of
// quotation marks of any kind around the whole; as many coats as there are.
std::string_view without_guards(std::string_view text);

}  // namespace kehu
