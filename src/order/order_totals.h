#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "aggregate/wire.h"
#include "base/money.h"

namespace kehu::order {

// Exact sums over all order events of one currency, for customers with more orders than are kept, and for
// events that name no order ("loose").
struct OrderTotals {
  static constexpr uint64_t kCurrencyBytes = 3;

  std::string_view currency;
  uint64_t completed = 0;
  Sum completed_amount = 0;
  Sum refund_amount = 0;
  uint64_t lines = 0;
  Sum line_amount = 0;
  uint64_t loose_completed = 0;
  Sum loose_amount = 0;
  Sum loose_refund_amount = 0;

  bool is_zero() const;
  void merge(const OrderTotals& other);
};

// By currency. Adds to the totals of its currency, which it may create; codes beyond the smallest eight are
// added under no code.
void add_totals(const OrderTotals& totals, std::vector<OrderTotals>& to);

void write_totals(const std::vector<OrderTotals>& totals, aggregate::WireBuffer& out);
// False on damage.
bool read_totals(aggregate::WireReader& in, std::vector<OrderTotals>& totals);

}  // namespace kehu::order
