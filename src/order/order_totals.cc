#include "order/order_totals.h"

#include <algorithm>
#include <array>

namespace kehu::order {
namespace {

// Codes beyond the smallest eight are added under no code, so that whoever invents codes cannot grow a
// customer.
constexpr size_t kCurrencies = 8;

// The totals are a mask of what is not zero and these values.
using TotalValues = std::array<Sum, 8>;

TotalValues values_of(const OrderTotals& t) {
  return {Sum{t.completed}, t.completed_amount,     t.refund_amount, Sum{t.lines},
          t.line_amount,    Sum{t.loose_completed}, t.loose_amount,  t.loose_refund_amount};
}

OrderTotals totals_of(std::string_view currency, const TotalValues& v) {
  return {.currency = currency,
          .completed = static_cast<uint64_t>(v[0]),
          .completed_amount = v[1],
          .refund_amount = v[2],
          .lines = static_cast<uint64_t>(v[3]),
          .line_amount = v[4],
          .loose_completed = static_cast<uint64_t>(v[5]),
          .loose_amount = v[6],
          .loose_refund_amount = v[7]};
}

void write_one(const OrderTotals& totals, aggregate::WireBuffer& out) {
  out.text(totals.currency);
  const TotalValues values = values_of(totals);
  uint8_t present = 0;
  for (size_t i = 0; i < values.size(); ++i) present |= static_cast<uint8_t>((values[i] != 0) << i);
  out.byte(present);
  for (const Sum value : values) {
    if (value != 0) out.wide(value);
  }
}

OrderTotals read_one(aggregate::WireReader& in) {
  const std::string_view currency = in.text();
  if (!currency.empty() && currency.size() != OrderTotals::kCurrencyBytes) in.fail();
  const uint8_t present = in.byte();
  TotalValues values{};
  for (size_t i = 0; i < values.size(); ++i) {
    if (present >> i & 1) values[i] = in.wide();
  }
  for (const size_t count : {0u, 3u, 5u}) {
    if (values[count] < 0 || values[count] > Sum{INT64_MAX}) in.fail();
  }
  return totals_of(currency, values);
}

}  // namespace

bool OrderTotals::is_zero() const { return values_of(*this) == TotalValues{}; }

void OrderTotals::merge(const OrderTotals& other) {
  const TotalValues theirs = values_of(other);
  TotalValues values = values_of(*this);
  for (size_t i = 0; i < values.size(); ++i) values[i] = aggregate::wrapping_add(values[i], theirs[i]);
  *this = totals_of(currency, values);
}

void write_totals(const std::vector<OrderTotals>& totals, aggregate::WireBuffer& out) {
  out.byte(static_cast<uint8_t>(totals.size()));
  for (const OrderTotals& each : totals) write_one(each, out);
}

bool read_totals(aggregate::WireReader& in, std::vector<OrderTotals>& totals) {
  totals.clear();
  const size_t count = in.byte();
  if (count > kCurrencies + 1) return false;
  for (size_t i = 0; i < count && !in.failed(); ++i) {
    totals.push_back(read_one(in));
    if (i > 0 && !(totals[i - 1].currency < totals[i].currency)) return false;
  }
  return !in.failed();
}

// Beyond kCurrencies codes the greatest goes into the totals without a code, where its amounts no longer
// mean any one currency; the empty code sorts first and has a place of its own. The codes kept are the
// smallest ones and so, like names with the smallest hashes, have missed nothing.
void add_totals(const OrderTotals& totals, std::vector<OrderTotals>& to) {
  const auto at =
      std::lower_bound(to.begin(), to.end(), totals.currency,
                       [](const OrderTotals& t, std::string_view code) { return t.currency < code; });
  if (at != to.end() && at->currency == totals.currency) {
    at->merge(totals);
    return;
  }
  to.insert(at, totals);
  const size_t room = kCurrencies + (to.front().currency.empty() ? 1 : 0);
  if (to.size() <= room) return;
  OrderTotals last = to.back();
  to.pop_back();
  last.currency = {};
  add_totals(last, to);
}

}  // namespace kehu::order
