#pragma once

#include <vector>

#include "model/profile.h"
#include "order/orders.h"

// What order events say to a reader: status, amount and totals (docs/profile.md, "Orders").
namespace kehu::order {

OrderView order_view(const Order& order);

// Totals by currency: exact while all orders are kept; beyond, the sums over all events.
std::vector<RevenueView> revenue_of(const OrderBook& book);

}  // namespace kehu::order
