#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/money.h"
#include "base/time.h"
#include "profile/entries.h"
#include "profile/order_totals.h"
#include "profile/plan.h"
#include "profile/properties.h"
#include "profile/wire.h"

// Orders by their id, and totals of all order events.
namespace kehu::profile {

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
  std::optional<OrderHeader> header = std::nullopt;
  uint64_t lines = 0;
  Sum line_amount = 0;
  Sum refund_amount = 0;

  void merge(const Order& other);
  bool read(std::string_view payload);
  void write(WireBuffer& out) const;
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
  bool fold(std::string_view section, const OrderEvent& event, TextPool& pool, WireBuffer& out);
  bool merge(std::string_view a, std::string_view b, WireBuffer& out);

 private:
  Order order_;
  Order second_;
  std::vector<OrderTotals> totals_;
  std::vector<OrderTotals> second_totals_;
  WireBuffer payload_;
  WireBuffer single_;
  WireBuffer body_;
};

struct OrderBook {
  bool sampled = false;
  uint64_t largest_key = 0;  // of the orders kept
  std::vector<OrderTotals> totals;
  std::vector<Order> orders;

  // Views point into the section. False on damage.
  bool read(std::string_view section);
};

}  // namespace kehu::profile
