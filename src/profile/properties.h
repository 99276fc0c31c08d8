#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/money.h"
#include "json/fields.h"
#include "json/text.h"

// Values of properties and traits, as the sections of a part want them.
namespace kehu::profile {

// Texts that live as long as the fold that met them: views into the event where nothing is escaped, else
// copies.
class TextPool {
 public:
  void clear() { copies_.clear(); }
  std::string_view keep(std::string_view text) { return copies_.emplace_back(text); }
  // The text of a string; numbers and booleans as written; empty for everything else.
  std::string_view text_of(const json::RawValue& value);

 private:
  std::deque<std::string> copies_;
  std::string unescaped_;
};

// A number, or a text that is one ("12.50"): files and careless clients quote their amounts.
std::optional<Decimal> number_of(const json::RawValue& value, TextPool& pool);

// The fields of an order event that matter here (Segment's ecommerce specification).
struct OrderFields {
  std::string_view id;        // at most kOrderIdBytes; empty when there is none
  std::string_view currency;  // three upper-case letters or empty
  std::optional<Decimal> revenue, total, value, amount, price, quantity;
  json::RawValue products;

  static constexpr size_t kOrderIdBytes = 64;
  static OrderFields read(std::string_view properties, TextPool& pool);

  // What the whole order costs: revenue, total, value or amount, the first that is there; else the sum of its
  // products. nullopt when nothing says so.
  std::optional<Sum> order_amount(TextPool& pool) const;
  // What one line costs: revenue, amount, total or value; else price × quantity.
  std::optional<Sum> line_amount() const;
};

}  // namespace kehu::profile
