#include "query/order_lookup.h"

#include <vector>

#include "base/text.h"
#include "duck/database.h"

namespace kehu::query {

// `scratch` moves while it grows, so the ends of the texts are noted first, and the views are made when it
// stands still.
void OrderLookup::find(absl::Span<const std::string_view> keys, absl::Span<std::string_view> found,
                       std::string& scratch) const {
  order::OrderText::Scratch reading;
  std::vector<size_t> ends;
  scratch.clear();
  for (const std::string_view key : keys) {
    const size_t event = key.find('\1');
    const size_t properties = event == std::string_view::npos ? event : key.find('\1', event + 1);
    if (properties != std::string_view::npos) {
      scratch += texts_->read({.source = key.substr(0, event),
                               .event = key.substr(event + 1, properties - event - 1),
                               .properties = key.substr(properties + 1)},
                              reading);
    }
    ends.push_back(scratch.size());
  }
  size_t begin = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (ends[i] > begin) found[i] = std::string_view(scratch).substr(begin, ends[i] - begin);
    begin = ends[i];
  }
}

std::string order_events_select(const order::OrderText& texts, int64_t session) {
  std::string names;
  for (const std::string& event : texts.events()) names += cat(names.empty() ? "" : ",", sql_literal(event));
  return cat(
      "SELECT customer_id, time, dt, event, o->>'$.means' AS means, o->>'$.order_id' AS order_id, "
      "(o->>'$.amount')::DECIMAL(38,4) AS amount, o->>'$.currency' AS currency, "
      "coalesce((o->>'$.amount_unread')::BOOLEAN, false) AS amount_unread, "
      "coalesce((o->>'$.currency_unread')::BOOLEAN, false) AS currency_unread, "
      "source, channel, message_id, part, sequence, properties FROM (SELECT *, ",
      kOrderFunction, "(", session, ", ", kOrderKey,
      ", '') AS o FROM events WHERE type = 'track' AND event IN (", names.empty() ? "''" : names,
      ")) WHERE o != ''");
}

// The rules of the profile (docs/profile.md), over all orders however many a customer has.
std::string orders_select() {
  return "SELECT customer_id, order_id, CASE WHEN cancelled THEN 'cancelled' WHEN was_refunded THEN CASE "
         "WHEN "
         "whole OR refunded >= amount OR (amount IS NULL AND NOT amount_unread) THEN 'refunded' ELSE "
         "'partly_refunded' END WHEN completed OR lines > 0 THEN 'completed' ELSE 'open' END AS status, "
         "currency, amount, refunded, lines, first, last, amount_unread, currency_unread FROM (SELECT *, "
         "CASE "
         "WHEN whole THEN greatest(stated, coalesce(amount, 0)) ELSE stated END AS refunded FROM (SELECT *, "
         "coalesce(header.a, CASE WHEN lines > 0 THEN line_amount END) AS amount FROM (SELECT customer_id, "
         "order_id, max(currency) AS currency, min(time) AS first, max(time) AS last, "
         "coalesce(bool_or(means = 'Order Cancelled'), false) AS cancelled, "
         "coalesce(bool_or(means = 'Order Completed'), false) AS completed, "
         "coalesce(bool_or(means = 'Order Refunded'), false) AS was_refunded, "
         "coalesce(bool_or(means = 'Order Refunded' AND amount IS NULL AND NOT amount_unread), false) AS "
         "whole, "
         "coalesce(sum(abs(amount)) FILTER (means = 'Order Refunded'), 0)::DECIMAL(38,4) AS stated, "
         "count(*) FILTER (means = 'Order Line') AS lines, "
         "coalesce(sum(amount) FILTER (means = 'Order Line'), 0)::DECIMAL(38,4) AS line_amount, "
         "max(struct_pack(t := time, a := amount)) FILTER (amount IS NOT NULL AND means IN ('Order "
         "Completed', "
         "'Order Updated')) AS header, bool_or(amount_unread) AS amount_unread, "
         "bool_or(currency_unread) AS currency_unread FROM order_events WHERE order_id IS NOT NULL GROUP BY "
         "customer_id, order_id)))";
}

}  // namespace kehu::query
