#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "aggregate/entries.h"
#include "aggregate/wire.h"
#include "base/money.h"
#include "base/time.h"
#include "order/order_fields.h"
#include "order/order_totals.h"

// Orders by their id, and totals of all order events.
namespace kehu::order {

// The amount of a whole order, as a completed or updated event tells it. The later one wins; of one time, the
// larger.
struct OrderHeader {
  Instant time;
  Sum amount = 0;
  auto operator<=>(const OrderHeader&) const = default;
};

struct Order {
  std::string_view id;
  std::string_view currency;  // the greatest code that was sent
  Instant first;
  Instant last;
  bool completed = false;
  bool cancelled = false;
  bool refunded = false;
  bool refunded_whole = false;  // a refund that named no amount
  bool amount_unread = false;   // an event of it named an amount that could not be read
  bool currency_unread = false;
  std::optional<OrderHeader> header = std::nullopt;
  uint64_t lines = 0;
  Sum line_amount = 0;
  Sum refund_amount = 0;

  void merge(const Order& other);
  bool read(std::string_view payload);
  void write(aggregate::WireBuffer& out) const;
};

// Events whose amount or currency was there and could not be read.
struct Unread {
  uint64_t amounts = 0;
  uint64_t currencies = 0;

  void add(const Unread& other) {
    amounts += other.amounts;
    currencies += other.currencies;
  }
  bool any() const { return amounts > 0 || currencies > 0; }
};

// What holds of all order events, kept or not.
struct OrderHead {
  bool sampled = false;        // orders were left out
  uint64_t whole_refunds = 0;  // events that refunded an order without an amount
  Unread unread;

  void merge(const OrderHead& other);
};

struct OrderEvent {
  OrderStep step = OrderStep::kNone;
  Instant time;
  OrderFields fields;
};

// The section of orders. Keeps the limits::kOrdersPerCustomer orders with the smallest hashes of their ids.
class OrderSection {
 public:
  // Writes `section` + one event to `out`; false on damage.
  bool fold(std::string_view section, const OrderEvent& event, aggregate::WireBuffer& out);
  bool merge(std::string_view a, std::string_view b, aggregate::WireBuffer& out);

 private:
  Order order_;
  Order second_;
  std::vector<OrderTotals> totals_;
  std::vector<OrderTotals> second_totals_;
  aggregate::WireBuffer payload_;
  aggregate::WireBuffer single_;
  aggregate::WireBuffer body_;
};

struct OrderBook {
  OrderHead head;
  uint64_t largest_key = 0;  // of the orders kept
  std::vector<OrderTotals> totals;
  std::vector<Order> orders;

  // Views point into the section. False on damage.
  bool read(std::string_view section);
};

}  // namespace kehu::order
