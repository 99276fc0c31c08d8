#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "aggregate/properties.h"
#include "base/money.h"
#include "json/fields.h"
#include "model/vocabulary.h"
#include "property/event_fields.h"
#include "text/currency.h"

// What an order event says, in whatever words.
namespace kehu::order {

enum class OrderStep : uint8_t { kNone, kCompleted, kUpdated, kRefunded, kCancelled, kLine };
// kNone for events that are no step of an order.
OrderStep order_step(std::string_view standard_event);

// Where an event has its fields, compiled from its meaning. Immutable.
class OrderWords {
 public:
  // `want` is called for each path in the properties that an order of such words is read from, and says in
  // which slot it will be.
  using Want = absl::FunctionRef<property::Slot(const json::FieldPath&)>;
  OrderWords(const EventMeaning& meaning, Want want);

  OrderStep step() const { return step_; }
  bool only_with_id() const { return only_with_id_; }
  std::string_view currency() const { return currency_; }

 private:
  friend class OrderReader;
  // Where the candidates of a role are, in the order in which they are tried.
  using Slots = std::array<std::vector<property::Slot>, kRoleCount>;
  void add(Role role, const std::vector<std::string>& names, Slots& slots, Want want);

  OrderStep step_;
  bool only_with_id_;
  std::string currency_;
  Slots slots_;
  // Price and quantity of one product.
  property::PathTree product_;
  Slots product_slots_;
};

struct OrderFields {
  static constexpr size_t kOrderIdBytes = 64;

  std::string_view id;        // at most kOrderIdBytes; empty when there is none
  std::string_view currency;  // three capital letters or empty
  // Of the whole order, or of a line: the first stated amount that can be read; else price × quantity of the
  // products, or of the line.
  std::optional<Sum> amount;
  bool amount_unread = false;    // an amount was stated, and none could be read
  bool currency_unread = false;  // the same of the currency
};

// Reads order events. Keeps scratch: one per thread. Texts are views into the event or the pool.
class OrderReader {
 public:
  // `fields` hold what the words want.
  OrderFields read(const OrderWords& words, const property::EventFields& fields, aggregate::TextPool& pool);

 private:
  // What is read, and where it is there.
  struct Candidates {
    const property::EventFields& fields;
    const OrderWords::Slots& slots;
    absl::Span<const property::Slot> of(Role role) const { return slots[static_cast<size_t>(role)]; }
  };
  struct Amount {
    std::optional<Sum> sum;
    text::CurrencyCode currency;
    bool stated = false;
    void add(const Amount& other);
  };

  std::string_view order_id(const Candidates& order) const;
  Amount amount_in(Role role, const Candidates& in) const;
  Amount amount_at(absl::Span<const property::FieldValue> values) const;
  Amount amount_of(const json::RawValue& value) const;
  Amount price_times_quantity(const Candidates& in) const;
  Amount products_amount(const Candidates& order);
  void add_products(const json::RawValue& value, int depth, Amount& to);
  void add_product_text(const json::RawValue& value, int depth, Amount& to);
  std::string_view currency(const Candidates& order, const Amount& amount, bool& unread) const;

  const OrderWords* words_ = nullptr;
  aggregate::TextPool* pool_ = nullptr;
  property::EventFields product_;
  bool unread_product_ = false;
};

}  // namespace kehu::order
