#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/event.h"
#include "model/settings.h"

namespace kehu {

// A value as its type compares it, or why it cannot be one of the type.
struct NormalValue {
  LeftOut left_out = LeftOut::kNo;  // kInvalid, kDigitsLost or kSeveral
  std::string text;                 // when it is kNo
};

// The value as it is compared and tokenised, or nullopt when the type cannot read it (read_value() says why).
// What programs did to it is undone first (model/spreadsheet.h). kTrim: without white space and quotation
// marks around it, and without invisible characters; kLowercase: that, in ASCII lower case; kEmail:
// email_address.h; kChinesePhone, kPhone: phone_number.h, other countries' numbers by their shape
// or by their country's plan; kIdCard: 18 characters with a right check digit, X upper case.
std::optional<std::string> normalise(Normaliser normaliser, std::string_view value);

// normalise() with its reason.
NormalValue read_value(Normaliser normaliser, std::string_view value);

// As values of this normaliser were compared before guards, numbers and names around addresses were read:
// what finds an identifier that was stored in such a spelling. nullopt where that spelling was refused.
std::optional<std::string> old_spelling(Normaliser normaliser, std::string_view value);

}  // namespace kehu
