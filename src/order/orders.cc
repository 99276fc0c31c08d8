#include "order/orders.h"

#include <algorithm>

#include "base/hash.h"
#include "base/limits.h"

namespace kehu::order {
namespace {

constexpr uint8_t kHasHeader = 1;
constexpr uint8_t kCompleted = 2;
constexpr uint8_t kCancelled = 4;
constexpr uint8_t kHasLines = 8;
constexpr uint8_t kRefunded = 16;
constexpr uint8_t kRefundedWhole = 32;
constexpr uint8_t kHasCurrency = 64;
constexpr uint8_t kHasUnread = 128;
// These are bits of the byte behind the flags, which is there only with kHasUnread.
constexpr uint8_t kAmountUnread = 1;
constexpr uint8_t kCurrencyUnread = 2;
// These are bits of the section's first byte.
constexpr uint8_t kSampled = 1;
constexpr uint8_t kUnreadEvents = 2;
constexpr uint8_t kWholeRefunds = 4;

uint64_t key_of(std::string_view id) { return hash64(id) & aggregate::kKeyMask; }

Sum magnitude(Sum amount) { return amount < 0 ? -amount : amount; }

struct SectionParts {
  OrderHead head;
  std::string_view list;
};

uint8_t bits_of(const OrderHead& head) {
  return static_cast<uint8_t>((head.sampled ? kSampled : 0) | (head.unread.any() ? kUnreadEvents : 0) |
                              (head.whole_refunds > 0 ? kWholeRefunds : 0));
}

bool read_head(std::string_view section, SectionParts& parts, std::vector<OrderTotals>& totals) {
  totals.clear();
  parts = SectionParts{};
  if (section.empty()) return true;
  aggregate::WireReader in(section);
  const uint8_t bits = in.byte();
  OrderHead& head = parts.head;
  head.sampled = (bits & kSampled) != 0;
  if (bits & kUnreadEvents) head.unread = {in.varint(), in.varint()};
  if (bits & kWholeRefunds) head.whole_refunds = in.varint();
  if (bits != bits_of(head) || !read_totals(in, totals)) return false;
  parts.list = in.rest();
  return true;
}

void write_head(const OrderHead& head, const std::vector<OrderTotals>& totals, aggregate::WireBuffer& out) {
  out.byte(bits_of(head));
  if (head.unread.any()) {
    out.varint(head.unread.amounts);
    out.varint(head.unread.currencies);
  }
  if (head.whole_refunds > 0) out.varint(head.whole_refunds);
  write_totals(totals, out);
}

OrderHead head_of(const OrderEvent& event) {
  const OrderFields& fields = event.fields;
  const bool whole = event.step == OrderStep::kRefunded && !fields.amount && !fields.amount_unread;
  return {
      .sampled = false,
      .whole_refunds = whole && !fields.id.empty() ? 1u : 0u,
      .unread = {.amounts = fields.amount_unread ? 1u : 0u, .currencies = fields.currency_unread ? 1u : 0u}};
}

struct EventAmount {
  OrderStep step;
  bool loose;
  std::optional<Sum> amount;
};

// Refunds are sent as positive or as negative amounts and count by magnitude. An update of an order adds
// nothing: only the order itself can tell which amount it replaces.
OrderTotals totals_of_event(const EventAmount& event, std::string_view currency) {
  OrderTotals totals{.currency = currency};
  const Sum amount = event.amount.value_or(0);
  switch (event.step) {
    case OrderStep::kCompleted:
      totals.completed = 1;
      totals.completed_amount = amount;
      if (event.loose) totals.loose_completed = 1;
      if (event.loose) totals.loose_amount = amount;
      break;
    case OrderStep::kRefunded:
      totals.refund_amount = magnitude(amount);
      if (event.loose) totals.loose_refund_amount = magnitude(amount);
      break;
    case OrderStep::kLine:
      totals.lines = 1;
      totals.line_amount = amount;
      if (event.loose) totals.loose_amount = amount;
      break;
    default:
      break;
  }
  return totals;
}

Order order_of_event(const OrderEvent& event) {
  const std::optional<Sum>& amount = event.fields.amount;
  Order order{.id = event.fields.id,
              .currency = event.fields.currency,
              .first = event.time,
              .last = event.time,
              .amount_unread = event.fields.amount_unread,
              .currency_unread = event.fields.currency_unread};
  switch (event.step) {
    case OrderStep::kCompleted:
    case OrderStep::kUpdated:
      order.completed = event.step == OrderStep::kCompleted;
      if (amount) order.header = OrderHeader{event.time, *amount};
      break;
    case OrderStep::kRefunded:
      order.refunded = true;
      order.refunded_whole = !amount && !event.fields.amount_unread;
      order.refund_amount = magnitude(amount.value_or(0));
      break;
    case OrderStep::kCancelled:
      order.cancelled = true;
      break;
    case OrderStep::kLine:
      order.lines = 1;
      order.line_amount = amount.value_or(0);
      break;
    case OrderStep::kNone:
      break;
  }
  return order;
}

}  // namespace

void OrderHead::merge(const OrderHead& other) {
  sampled = sampled || other.sampled;
  whole_refunds += other.whole_refunds;
  unread.add(other.unread);
}

// Each field is a maximum, a minimum, an or or a sum, so any order of events gives the same. Cancelled is
// therefore final: deciding by time between it and a later "completed" would let one late duplicate from
// another system bring the order back (docs/decisions/profile.md). Both ids have one hash of 48 bits;
// should two orders ever share it, the smaller id stands for them.
void Order::merge(const Order& other) {
  id = std::min(id, other.id);
  currency = std::max(currency, other.currency);
  first = std::min(first, other.first);
  last = std::max(last, other.last);
  completed = completed || other.completed;
  cancelled = cancelled || other.cancelled;
  refunded = refunded || other.refunded;
  refunded_whole = refunded_whole || other.refunded_whole;
  amount_unread = amount_unread || other.amount_unread;
  currency_unread = currency_unread || other.currency_unread;
  header = std::max(header, other.header);
  lines += other.lines;
  line_amount = aggregate::wrapping_add(line_amount, other.line_amount);
  refund_amount = aggregate::wrapping_add(refund_amount, other.refund_amount);
}

void Order::write(aggregate::WireBuffer& out) const {
  const auto unread =
      static_cast<uint8_t>((amount_unread ? kAmountUnread : 0) | (currency_unread ? kCurrencyUnread : 0));
  out.text(id);
  out.byte(static_cast<uint8_t>((header ? kHasHeader : 0) | (completed ? kCompleted : 0) |
                                (cancelled ? kCancelled : 0) | (lines > 0 ? kHasLines : 0) |
                                (refunded ? kRefunded : 0) | (refunded_whole ? kRefundedWhole : 0) |
                                (currency.empty() ? 0 : kHasCurrency) | (unread != 0 ? kHasUnread : 0)));
  if (unread != 0) out.byte(unread);
  out.instant(last);
  out.duration(last - first);
  out.raw(currency);
  if (header) {
    out.duration(last - header->time);
    out.wide(header->amount);
  }
  if (lines > 0) {
    out.varint(lines);
    out.wide(line_amount);
  }
  if (refunded) out.wide(refund_amount);
}

bool Order::read(std::string_view payload) {
  aggregate::WireReader in(payload);
  *this = Order{};
  id = in.text();
  const uint8_t flags = in.byte();
  if (id.empty() || id.size() > OrderFields::kOrderIdBytes) return false;
  if (flags & kHasUnread) {
    const uint8_t unread = in.byte();
    if (unread == 0 || unread > (kAmountUnread | kCurrencyUnread)) return false;
    amount_unread = (unread & kAmountUnread) != 0;
    currency_unread = (unread & kCurrencyUnread) != 0;
  }
  completed = (flags & kCompleted) != 0;
  cancelled = (flags & kCancelled) != 0;
  refunded = (flags & kRefunded) != 0;
  refunded_whole = (flags & kRefundedWhole) != 0;
  last = in.instant();
  first = in.instant_before(last);
  if (flags & kHasCurrency) currency = in.take(OrderTotals::kCurrencyBytes);
  if (flags & kHasHeader) {
    header.emplace();
    header->time = in.instant_before(last);
    header->amount = in.wide();
  }
  if (flags & kHasLines) {
    lines = in.varint();
    line_amount = in.wide();
  }
  if (refunded) refund_amount = in.wide();
  return in.complete();
}

// An event counts in the totals and, when it names an order, in that order. The totals are kept beside the
// orders so that revenue stays exact for customers with thousands of orders, of which only 256 are kept;
// they cost ten bytes (docs/decisions/profile.md). What names no order is in the totals alone, and there
// counted separately as well, so that exact revenue can add it to the orders.
bool OrderSection::fold(std::string_view section, const OrderEvent& event, aggregate::WireBuffer& out) {
  SectionParts parts;
  if (!read_head(section, parts, totals_)) return false;
  const OrderFields& fields = event.fields;
  const bool loose = fields.id.empty();
  const OrderTotals added = totals_of_event({event.step, loose, fields.amount}, fields.currency);
  const OrderHead own = head_of(event);
  parts.head.merge(own);
  if (!added.is_zero()) add_totals(added, totals_);
  if (loose) {
    const bool any = !totals_.empty() || !parts.list.empty() || parts.head.unread.any();
    if (any) write_head(parts.head, totals_, out);
    out.raw(parts.list);
    return true;
  }

  const uint64_t key = key_of(fields.id);
  aggregate::Slot slot;
  if (!aggregate::locate(parts.list, key, slot)) return false;
  order_ = order_of_event(event);
  if (slot.found) {
    if (!second_.read(slot.payload)) return false;
    order_.merge(second_);
  }
  payload_.clear();
  order_.write(payload_);
  if (slot.found || slot.count < limits::kOrdersPerCustomer) {
    write_head(parts.head, totals_, out);
    aggregate::put_list(slot, key, payload_.view(), out);
    return true;
  }
  single_.clear();
  second_totals_.clear();
  if (!added.is_zero()) second_totals_.push_back(added);
  write_head(own, second_totals_, single_);
  aggregate::put_list(aggregate::Slot{}, key, payload_.view(), single_);
  return merge(section, single_.view(), out);
}

// The first 256 in the order of keys stay. Their keys are hashes, so they are a uniform sample of all
// orders, from which the number of all can be estimated.
bool OrderSection::merge(std::string_view a, std::string_view b, aggregate::WireBuffer& out) {
  SectionParts x, y;
  if (!read_head(a, x, totals_) || !read_head(b, y, second_totals_)) return false;
  for (const OrderTotals& each : second_totals_) add_totals(each, totals_);
  OrderHead head = x.head;
  head.merge(y.head);
  uint64_t kept = 0;
  body_.clear();
  const bool sound =
      aggregate::merge_entries(x.list, y.list, [&](uint64_t key, std::string_view p, std::string_view q) {
        if (kept == limits::kOrdersPerCustomer) {
          head.sampled = true;
          return true;
        }
        ++kept;
        if (!order_.read(p.empty() ? q : p)) return false;
        if (!p.empty() && !q.empty()) {
          if (!second_.read(q)) return false;
          order_.merge(second_);
        }
        payload_.clear();
        order_.write(payload_);
        aggregate::put_entry(key, payload_.view(), body_);
        return true;
      });
  if (!sound) return false;
  if (kept == 0 && totals_.empty() && !head.unread.any()) return true;
  write_head(head, totals_, out);
  if (kept > 0) out.varint(kept);
  out.raw(body_.view());
  return true;
}

bool OrderBook::read(std::string_view section) {
  SectionParts parts;
  if (!read_head(section, parts, totals)) return false;
  head = parts.head;
  orders.clear();
  aggregate::EntryReader entries(parts.list);
  for (aggregate::Entry entry; entries.next(entry);) {
    if (!orders.emplace_back().read(entry.payload)) return false;
    largest_key = entry.key;
  }
  return !entries.failed();
}

}  // namespace kehu::order
