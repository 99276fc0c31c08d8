#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/money.h"
#include "json/fields.h"
#include "json/text.h"

// Values of properties and traits, as the sections of a part want them.
namespace kehu::aggregate {

// Texts that live as long as the fold that met them: views into the event where nothing is escaped, else
// copies.
class TextPool {
 public:
  void clear() { copies_.clear(); }
  std::string_view keep(std::string_view text) { return copies_.emplace_back(text); }
  // The text of a string; a number, however it is written: 1, 1.0 and 1e0 are 1, -0.0 is 0; a boolean; empty
  // for everything else.
  std::string_view text_of(const json::RawValue& value);

 private:
  std::string_view number_text(std::string_view number);

  std::deque<std::string> copies_;
  std::string unescaped_;
};

// A number, or a text that is one as people write it (base/money_text.h).
std::optional<Decimal> number_of(const json::RawValue& value, TextPool& pool);

}  // namespace kehu::aggregate
