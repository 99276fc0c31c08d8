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

// normalise() with its reason.
NormalValue read_value(Normaliser normaliser, std::string_view value);

// As values of this normaliser were compared before guards, numbers and names around addresses were read:
// what finds an identifier that was stored in such a spelling. nullopt where that spelling was refused.
std::optional<std::string> old_spelling(Normaliser normaliser, std::string_view value);

}  // namespace kehu
