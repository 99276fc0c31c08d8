#include "profile/properties.h"

#include <cctype>

#include "base/hash.h"

namespace kehu::profile {
namespace {

// Rounded half away from zero, like every fifth decimal.
Sum multiply(Decimal a, Decimal b) {
  const Sum product = Sum{a.units()} * b.units();
  const Sum half = Decimal::kScale / 2;
  return (product < 0 ? product - half : product + half) / Decimal::kScale;
}

std::optional<Sum> line_price(const std::optional<Decimal>& price, const std::optional<Decimal>& quantity) {
  if (!price) return std::nullopt;
  return multiply(*price, quantity.value_or(Decimal::from_units(Decimal::kScale)));
}

template <class... Decimals>
std::optional<Sum> first_of(const Decimals&... candidates) {
  std::optional<Sum> found;
  ((found = found ? found : (candidates ? std::optional<Sum>(candidates->units()) : std::nullopt)), ...);
  return found;
}

std::optional<Sum> sum_of_products(const json::RawValue& products, TextPool& pool) {
  std::optional<Sum> total;
  json::FieldReader elements(products.raw);
  for (json::Field element; elements.next(element);) {
    const OrderFields line = OrderFields::read(element.value.raw, pool);
    if (const auto price = line_price(line.price, line.quantity)) total = total.value_or(0) + *price;
  }
  return total;
}

// An id of any length stands for itself or, when it is too long to keep, for its hash.
std::string_view bounded_id(std::string_view id, TextPool& pool) {
  return id.size() <= OrderFields::kOrderIdBytes ? id : pool.keep("~" + hash128(id).hex());
}

std::string_view currency_code(std::string_view text, TextPool& pool) {
  if (text.size() != 3) return {};
  std::string code(text);
  for (char& c : code) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c < 'A' || c > 'Z') return {};
  }
  return code == text ? text : pool.keep(code);
}

}  // namespace

std::string_view TextPool::text_of(const json::RawValue& value) {
  switch (value.kind) {
    case json::Kind::kString: {
      const std::string_view text = value.as_string(unescaped_);
      return text.data() == unescaped_.data() ? keep(text) : text;
    }
    case json::Kind::kNumber:
    case json::Kind::kBool:
      return value.raw;
    default:
      return {};
  }
}

std::optional<Decimal> number_of(const json::RawValue& value, TextPool& pool) {
  if (!value.is_number() && !value.is_string()) return std::nullopt;
  return Decimal::parse(pool.text_of(value));
}

OrderFields OrderFields::read(std::string_view properties, TextPool& pool) {
  OrderFields fields;
  json::FieldReader reader(properties);
  for (json::Field field; reader.next(field);) {
    const std::string_view key = field.key;
    if (key == "order_id" || key == "orderId") {
      fields.id = bounded_id(pool.text_of(field.value), pool);
    } else if (key == "currency") {
      fields.currency = currency_code(pool.text_of(field.value), pool);
    } else if (key == "revenue") {
      fields.revenue = number_of(field.value, pool);
    } else if (key == "total") {
      fields.total = number_of(field.value, pool);
    } else if (key == "value") {
      fields.value = number_of(field.value, pool);
    } else if (key == "amount") {
      fields.amount = number_of(field.value, pool);
    } else if (key == "price") {
      fields.price = number_of(field.value, pool);
    } else if (key == "quantity") {
      fields.quantity = number_of(field.value, pool);
    } else if (key == "products") {
      fields.products = field.value;
    }
  }
  return fields;
}

std::optional<Sum> OrderFields::order_amount(TextPool& pool) const {
  const auto stated = first_of(revenue, total, value, amount);
  return stated ? stated : sum_of_products(products, pool);
}

std::optional<Sum> OrderFields::line_amount() const {
  const auto stated = first_of(revenue, amount, total, value);
  return stated ? stated : line_price(price, quantity);
}

}  // namespace kehu::profile
