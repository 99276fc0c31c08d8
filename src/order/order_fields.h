#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "aggregate/properties.h"
#include "base/money.h"
#include "json/fields.h"
#include "model/vocabulary.h"
#include "text/currency.h"

// What an order event says, in whatever words.
namespace kehu::order {

enum class OrderStep : uint8_t { kNone, kCompleted, kUpdated, kRefunded, kCancelled, kLine };
// kNone for events that are no step of an order.
OrderStep order_step(std::string_view standard_event);

// Where an event has its fields, compiled from its meaning. Immutable.
class OrderWords {
 public:
  explicit OrderWords(const EventMeaning& meaning);

  OrderStep step() const { return step_; }
  bool only_with_id() const { return only_with_id_; }
  std::string_view currency() const { return currency_; }

 private:
  friend class OrderReader;
  struct Candidate {
    json::FieldPath path;
    bool plain = false;  // a name, found while walking the object once for all candidates
  };
  using Range = std::pair<size_t, size_t>;
  Range range(Role role) const { return ranges_[static_cast<size_t>(role)]; }
  void add(Role role, const std::vector<std::string>& names);

  OrderStep step_;
  bool only_with_id_;
  std::string currency_;
  std::vector<Candidate> candidates_;  // by role, in the order in which they are tried
  std::array<Range, kRoleCount> ranges_{};
  absl::flat_hash_map<uint64_t, absl::InlinedVector<uint8_t, 2>> by_key_;
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
  OrderFields read(const OrderWords& words, std::string_view properties, aggregate::TextPool& pool);

 private:
  using Values = std::vector<json::RawValue>;
  struct Amount {
    std::optional<Sum> sum;
    text::CurrencyCode currency;
    bool stated = false;
    void add(const Amount& other);
  };

  void scan(std::string_view container, Values& values) const;
  std::string_view order_id(std::string_view properties) const;
  Amount amount_in(Role role, std::string_view container, const Values& values) const;
  Amount amount_of(const json::RawValue& value) const;
  Amount price_times_quantity(std::string_view container, const Values& values) const;
  Amount products_amount(std::string_view properties);
  void add_products(const json::RawValue& value, int depth, Amount& to);
  void add_product_text(const json::RawValue& value, int depth, Amount& to);
  std::string_view currency(std::string_view properties, const Amount& amount, bool& unread) const;

  const OrderWords* words_ = nullptr;
  aggregate::TextPool* pool_ = nullptr;
  Values values_;
  Values product_values_;
  bool unread_product_ = false;
};

}  // namespace kehu::order
