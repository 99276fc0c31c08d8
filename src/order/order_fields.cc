#include "order/order_fields.h"

#include <algorithm>

#include "aggregate/ring.h"
#include "base/hash.h"
#include "json/document.h"
#include "model/spreadsheet.h"
#include "text/money_text.h"

namespace kehu::order {
namespace {

constexpr std::pair<std::string_view, OrderStep> kSteps[] = {
    {"Order Completed", OrderStep::kCompleted}, {"Order Updated", OrderStep::kUpdated},
    {"Order Refunded", OrderStep::kRefunded},   {"Order Cancelled", OrderStep::kCancelled},
    {"Order Line", OrderStep::kLine},
};

// How deep products are looked for, in lists in a text in a list and so on.
constexpr int kProductDepth = 4;
// The first character of a text that is a list, one product, or again a text.
constexpr std::string_view kProductTexts = "[{\"";
constexpr size_t kNoProducts = std::string_view::npos;

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

// Rounds half away from zero, as Decimal does with a fifth decimal.
Sum multiply(Sum a, Sum b) {
  const Sum product = a * b;
  const Sum half = Decimal::kScale / 2;
  return (product < 0 ? product - half : product + half) / Decimal::kScale;
}

// What files make of ids is undone, as it is for identifiers: 1001.0 and ="1001" are 1001. An id that has
// lost its digits is none: of two orders 3.01235E+12 nobody knows whether they are one, and the order
// counts without an id.
std::string_view read_id(const json::RawValue& value, aggregate::TextPool& pool) {
  if (value.is_number()) {
    return plain_number(value.raw).left_out == LeftOut::kNo ? pool.text_of(value) : std::string_view();
  }
  const std::string_view text = without_guards(pool.text_of(value));
  const PlainNumber number = number_in_text(text);
  if (number.left_out != LeftOut::kNo) return {};
  return number.text.empty() ? text : pool.keep(number.text);
}

// An id of any length stands for itself or, when it is too long to keep, for its hash, so that its events
// still find each other.
std::string_view bounded_id(std::string_view id, aggregate::TextPool& pool) {
  return id.size() <= OrderFields::kOrderIdBytes ? id : pool.keep("~" + hash128(id).hex());
}

}  // namespace

OrderStep order_step(std::string_view standard_event) {
  for (const auto& [event, step] : kSteps) {
    if (event == standard_event) return step;
  }
  return OrderStep::kNone;
}

OrderWords::OrderWords(const EventMeaning& meaning, Want want)
    : step_(order_step(meaning.means)), only_with_id_(meaning.only_with_id), currency_(meaning.currency) {
  for (const Role role : {Role::kAmount, Role::kOrderId, Role::kCurrency, Role::kProducts}) {
    add(role, meaning.of(role), slots_, want);
  }
  const auto of_product = [this](const json::FieldPath& path) {
    return product_.add(path, property::Slot(product_.size()));
  };
  for (const Role role : {Role::kPrice, Role::kQuantity}) {
    if (step_ == OrderStep::kLine) add(role, meaning.of(role), slots_, want);
    add(role, meaning.of(role), product_slots_, of_product);
  }
}

void OrderWords::add(Role role, const std::vector<std::string>& names, Slots& slots, Want want) {
  for (const std::string& name : names) {
    const auto path = json::FieldPath::parse(name);
    if (path.ok()) slots[static_cast<size_t>(role)].push_back(want(*path));
  }
}

void OrderReader::Amount::add(const Amount& other) {
  stated = stated || other.stated;
  if (currency.empty()) currency = other.currency;
  if (other.sum) sum = aggregate::wrapping_add(sum.value_or(0), *other.sum);
}

OrderReader::Amount OrderReader::amount_of(const json::RawValue& value) const {
  Amount out;
  if (value.is_null()) return out;
  if (value.is_number()) {
    out.stated = true;
    if (const auto number = Decimal::parse(value.raw)) out.sum = number->units();
    return out;
  }
  const std::string_view text = value.is_string() ? pool_->text_of(value) : value.raw;
  if (value.is_string() && is_blank(text)) return out;
  out.stated = true;
  if (!value.is_string()) return out;
  if (const auto money = text::read_money(text)) {
    out.sum = money->amount.units();
    out.currency = money->currency;
  }
  return out;
}

// Gives the amount of the first candidate that has one. A candidate that says something which is no amount
// does not end the search, but is remembered: an amount that could not be read is shown, and is not a
// zero.
OrderReader::Amount OrderReader::amount_in(Role role, const Candidates& in) const {
  bool stated = false;
  for (const property::Slot slot : in.of(role)) {
    const Amount amount = amount_at(in.fields.values(slot));
    if (amount.sum) return amount;
    stated = stated || amount.stated;
  }
  return Amount{.sum = std::nullopt, .currency = {}, .stated = stated};
}

// A path through a list adds up what it reaches. All of it must be amounts: a sum that leaves one line out
// would be a wrong amount that looks like a right one.
OrderReader::Amount OrderReader::amount_at(absl::Span<const property::FieldValue> values) const {
  Amount amount;
  bool all = true;
  for (const property::FieldValue& value : values) {
    const Amount one = amount_of(value.raw());
    all = all && (one.sum || !one.stated);
    amount.add(one);
  }
  if (!all) amount.sum.reset();
  return amount;
}

// A quantity that is left out is one. A quantity that is there and cannot be read makes the amount unread.
OrderReader::Amount OrderReader::price_times_quantity(const Candidates& in) const {
  Amount price = amount_in(Role::kPrice, in);
  if (!price.sum) return price;
  const Amount quantity = amount_in(Role::kQuantity, in);
  if (quantity.stated && !quantity.sum) {
    price.sum.reset();
  } else {
    price.sum = multiply(*price.sum, quantity.sum.value_or(Decimal::kScale));
  }
  return price;
}

// Lists in lists and lists as texts are opened; of an object that is no product itself, the members are.
// Such nesting is what no path can say, so products are not in the walk over the event: they are opened
// only where an order states no amount, and each is walked with the paths of its price and quantity
// (docs/decisions/event-fields.md). The depth is bounded, as it is the input's and not ours.
void OrderReader::add_products(const json::RawValue& value, int depth, Amount& to) {
  if (depth == kProductDepth) return;
  if (value.is_string()) return add_product_text(value, depth, to);
  if (value.kind == json::Kind::kObject) {
    product_.read(&words_->product_, value.raw);
    const Amount product = price_times_quantity({product_, words_->product_slots_});
    if (product.stated && !product.sum) unread_product_ = true;
    to.add(product);
    if (product.stated || depth > 0) return;
  } else if (value.kind != json::Kind::kArray) {
    return;
  }
  json::FieldReader elements(value.raw);
  for (json::Field element; elements.next(element);) add_products(element.value, depth + 1, to);
}

void OrderReader::add_product_text(const json::RawValue& value, int depth, Amount& to) {
  const std::string_view text = pool_->text_of(value);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  const size_t kind = begin == std::string_view::npos ? kNoProducts : kProductTexts.find(text[begin]);
  if (kind == kNoProducts) return;
  if (!json::Document::parse(text).ok()) {
    to.stated = unread_product_ = true;
    return;
  }
  constexpr json::Kind kKinds[] = {json::Kind::kArray, json::Kind::kObject, json::Kind::kString};
  const bool text_in_text = kKinds[kind] == json::Kind::kString;
  add_products({kKinds[kind], pool_->keep(text.substr(begin))}, text_in_text ? depth + 1 : depth, to);
}

OrderReader::Amount OrderReader::products_amount(const Candidates& order) {
  for (const property::Slot slot : order.of(Role::kProducts)) {
    Amount amount;
    unread_product_ = false;
    for (const property::FieldValue& value : order.fields.values(slot)) add_products(value.raw(), 0, amount);
    if (unread_product_) amount.sum.reset();
    if (amount.stated) return amount;
  }
  return {};
}

std::string_view OrderReader::order_id(const Candidates& order) const {
  for (const property::Slot slot : order.of(Role::kOrderId)) {
    const auto values = order.fields.values(slot);
    const std::string_view text = values.empty() ? std::string_view() : read_id(values.back().raw(), *pool_);
    if (!text.empty()) return bounded_id(text, *pool_);
  }
  return {};
}

// What is stated goes before the sign beside the amount, and that before what the settings say. When a
// code is stated and none can be read, the currency stays unknown: guessing one would add the amount to
// the wrong money.
std::string_view OrderReader::currency(const Candidates& order, const Amount& amount, bool& unread) const {
  unread = false;
  for (const property::Slot slot : order.of(Role::kCurrency)) {
    const auto values = order.fields.values(slot);
    if (values.empty() || values.back().raw().is_null()) continue;
    const json::RawValue& value = values.back().raw();
    const std::string_view text = pool_->text_of(value);
    if (value.is_string() && is_blank(text)) continue;
    const text::CurrencyCode code = text::read_currency(text);
    if (!code.empty()) return code.view() == text ? text : pool_->keep(code.view());
    unread = true;
  }
  if (unread) return {};
  if (!amount.currency.empty()) return pool_->keep(amount.currency.view());
  return words_->currency();
}

// The fold and SQL both read orders by this function, so that they cannot differ in the first amount with
// a comma (docs/decisions/vocabulary.md). Products are opened only where the order states no amount that
// can be read.
OrderFields OrderReader::read(const OrderWords& words, const property::EventFields& fields,
                              aggregate::TextPool& pool) {
  words_ = &words;
  pool_ = &pool;
  const Candidates order{fields, words.slots_};
  Amount amount = amount_in(Role::kAmount, order);
  if (!amount.sum) {
    const bool stated = amount.stated;
    amount = words.step() == OrderStep::kLine ? price_times_quantity(order) : products_amount(order);
    amount.stated = amount.stated || stated;
  }
  OrderFields out;
  out.id = order_id(order);
  out.amount = amount.sum;
  out.amount_unread = amount.stated && !amount.sum;
  out.currency = currency(order, amount, out.currency_unread);
  return out;
}

}  // namespace kehu::order
