#pragma once

#include <memory>
#include <string>

#include "duck/scan.h"
#include "order/order_text.h"

namespace kehu::query {

// kehu_order(session, key, ''): what an event says about an order, as profile::OrderText reads it.
inline constexpr char kOrderFunction[] = "kehu_order";
// The key of a row of the view events, as SQL.
inline constexpr char kOrderKey[] = "concat_ws(chr(1), source, event, properties)";

class OrderLookup final : public duck::Lookup {
 public:
  explicit OrderLookup(std::shared_ptr<const order::OrderText> texts) : texts_(std::move(texts)) {}

  void find(absl::Span<const std::string_view> keys, absl::Span<std::string_view> found,
            std::string& scratch) const override;

 private:
  std::shared_ptr<const order::OrderText> texts_;
};

// SELECTs of the views order_events and orders (docs/vocabulary.md) over the view events.
std::string order_events_select(const order::OrderText& texts, int64_t session);
std::string orders_select();

}  // namespace kehu::query
