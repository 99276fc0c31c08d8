#include "order/revenue.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "aggregate/metrics.h"

namespace kehu::order {
namespace {

// The amount of the order as a whole goes before the sum of its lines: a sender of both would be counted
// twice.
std::optional<Sum> amount_of(const Order& order) {
  if (order.header) return order.header->amount;
  if (order.lines > 0) return order.line_amount;
  return std::nullopt;
}

// A refund without an amount gives back all that is known of the order. A stated refund may be larger, and
// then holds.
Sum refund_of(const Order& order) {
  return order.refunded_whole ? std::max(order.refund_amount, amount_of(order).value_or(0))
                              : order.refund_amount;
}

bool is_purchase(const Order& order) { return order.completed || order.lines > 0; }

// Adds up by currency, from the orders themselves and the events that named none. The totals cannot be
// used for it: an order that was completed twice, updated or cancelled counts once or not at all, and only
// the order knows.
std::vector<RevenueView> exact_revenue(const OrderBook& book) {
  std::map<std::string, RevenueView> by_currency;
  const auto of = [&by_currency](const std::string& code) -> RevenueView& {
    RevenueView& revenue = by_currency[code];
    revenue.currency = code;
    return revenue;
  };
  for (const Order& order : book.orders) {
    if (order.cancelled || (!is_purchase(order) && refund_of(order) == 0)) continue;
    RevenueView& revenue = of(std::string(order.currency));
    if (is_purchase(order)) {
      ++revenue.orders;
      revenue.revenue = aggregate::wrapping_add(revenue.revenue, amount_of(order).value_or(0));
    }
    revenue.refunded = aggregate::wrapping_add(revenue.refunded, refund_of(order));
  }
  for (const OrderTotals& totals : book.totals) {
    const bool loose =
        totals.loose_completed != 0 || totals.loose_amount != 0 || totals.loose_refund_amount != 0;
    if (!loose) continue;
    RevenueView& revenue = of(std::string(totals.currency));
    revenue.orders += totals.loose_completed;
    revenue.revenue = aggregate::wrapping_add(revenue.revenue, totals.loose_amount);
    revenue.refunded = aggregate::wrapping_add(revenue.refunded, totals.loose_refund_amount);
  }
  std::vector<RevenueView> out;
  for (auto& [code, revenue] : by_currency) out.push_back(std::move(revenue));
  return out;
}

struct WholeRefunds {
  uint64_t kept = 0;                // of orders that are kept
  std::map<std::string, Sum> sums;  // what those refunded beyond the stated amounts, by currency
};

WholeRefunds kept_whole_refunds(const OrderBook& book) {
  WholeRefunds out;
  for (const Order& order : book.orders) {
    if (!order.refunded_whole) continue;
    ++out.kept;
    if (order.cancelled) continue;
    Sum& sum = out.sums[std::string(order.currency)];
    sum = aggregate::wrapping_add(sum, refund_of(order) - order.refund_amount);
  }
  return out;
}

// Customers with more orders than are kept get the sums over all events, without regard to updates and
// cancellations. Where no order came as a whole, the number of orders is an estimate from the sample,
// split as in the sample, and within 6 % two times of three (docs/profile.md). A refund that named no
// amount is exact when its order is kept; the others are held to be of the mean amount and are split over
// the currencies as the orders are. To know their amounts would need the amount of every order ever
// (docs/decisions/vocabulary.md).
std::vector<RevenueView> summed_revenue(const OrderBook& book) {
  const double scale =
      static_cast<double>(aggregate::estimate_distinct(book.orders.size(), book.largest_key)) /
      static_cast<double>(book.orders.size());
  WholeRefunds whole_refunds = kept_whole_refunds(book);
  const uint64_t unknown = book.head.whole_refunds - std::min(book.head.whole_refunds, whole_refunds.kept);
  std::vector<RevenueView> out;
  uint64_t orders = 0;
  for (const OrderTotals& totals : book.totals) {
    const auto in_sample = std::count_if(book.orders.begin(), book.orders.end(), [&](const Order& order) {
      return order.currency == totals.currency;
    });
    RevenueView revenue{.currency = std::string(totals.currency)};
    const bool whole = totals.completed > 0;
    revenue.orders = whole ? totals.completed
                           : static_cast<uint64_t>(std::llround(static_cast<double>(in_sample) * scale));
    revenue.revenue = whole ? totals.completed_amount : totals.line_amount;
    revenue.refunded = aggregate::wrapping_add(totals.refund_amount, whole_refunds.sums[revenue.currency]);
    orders += revenue.orders;
    out.push_back(std::move(revenue));
  }
  for (RevenueView& revenue : out) {
    if (unknown == 0 || revenue.orders == 0) continue;
    revenue.estimated = true;
    // unknown × share of the currency × mean amount
    revenue.refunded = aggregate::wrapping_add(
        revenue.refunded, revenue.revenue * static_cast<Sum>(unknown) / static_cast<Sum>(orders));
  }
  return out;
}

}  // namespace

OrderView order_view(const Order& order) {
  OrderView out;
  out.id = std::string(order.id);
  out.currency = std::string(order.currency);
  out.amount = amount_of(order);
  out.refunded = refund_of(order);
  out.amount_unread = order.amount_unread;
  out.currency_unread = order.currency_unread;
  out.lines = order.lines;
  out.first = order.first;
  out.last = order.last;
  const bool whole = order.refunded_whole || (!out.amount && !order.amount_unread) ||
                     (out.amount && out.refunded >= *out.amount);
  if (order.cancelled) {
    out.status = OrderStatus::kCancelled;
  } else if (order.refunded) {
    out.status = whole ? OrderStatus::kRefunded : OrderStatus::kPartlyRefunded;
  } else {
    out.status = order.completed || order.lines > 0 ? OrderStatus::kCompleted : OrderStatus::kOpen;
  }
  return out;
}

std::vector<RevenueView> revenue_of(const OrderBook& book) {
  return book.head.sampled && !book.orders.empty() ? summed_revenue(book) : exact_revenue(book);
}

}  // namespace kehu::order
