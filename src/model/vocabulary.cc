#include "model/vocabulary.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "base/check.h"

namespace kehu {
namespace {

constexpr std::string_view kStandardEvents[] = {
    "Order Completed", "Order Updated",    "Order Refunded",    "Order Cancelled",
    "Order Line",      "Product Viewed",   "Product Added",     "Product Removed",
    "Cart Viewed",     "Checkout Started", "Products Searched",
};

struct RoleName {
  std::string_view name;
  std::string_view standard;  // where the standard events have it
  std::string_view usual;     // what is read where nothing else is said
};
constexpr RoleName kRoles[kRoleCount] = {
    {"amount", "total", "revenue total value amount"},
    {"order_id", "order_id", "order_id orderId"},
    {"currency", "currency", "currency"},
    {"products", "products", "products"},
    {"price", "price", "price"},
    {"quantity", "quantity", "quantity"},
    {"product_id", "product_id", "product_id"},
    {"category", "category", "category"},
    {"brand", "brand", "brand"},
    {"name", "name", "name"},
    {"query", "query", "query"},
};
// Of one line, what the line costs goes before what the order costs.
constexpr std::string_view kLineAmount = "revenue amount total value";

struct ReadyEvent {
  std::string_view event;
  std::string_view means;
  // "role=candidate candidate; role=…", for this event alone, before what the table has.
  std::string_view properties = {};
};

struct ReadyTable {
  std::string_view name;
  std::string_view properties;  // behind the usual ones
  std::string_view currency;
  absl::Span<const ReadyEvent> events;
};

// Other spellings of the standard events themselves are added by spellings().
constexpr ReadyEvent kSegment[] = {
    {"Checkout Completed", "Order Completed"},
    {"Order Canceled", "Order Cancelled"},
    {"Product Clicked", "Product Viewed"},
    {"Product Searched", "Products Searched"},
};

// The names of the e-commerce template and of the examples in the documentation of the Java, PHP and
// JavaScript libraries.
constexpr ReadyEvent kSensors[] = {
    {"PayOrder", "Order Completed"},        {"payOrder", "Order Completed"},
    {"PaidOrder", "Order Completed"},       {"pay_order", "Order Completed"},
    {"OrderPaid", "Order Completed"},       {"PaySuccess", "Order Completed"},
    {"OrderCompleted", "Order Completed"},  {"order_completed", "Order Completed"},
    {"SubmitOrder", "Order Updated"},       {"submitOrder", "Order Updated"},
    {"submit_order", "Order Updated"},      {"PayOrderDetail", "Order Line"},
    {"payOrderDetail", "Order Line"},       {"pay_order_detail", "Order Line"},
    {"CancelOrder", "Order Cancelled"},     {"cancelOrder", "Order Cancelled"},
    {"cancel_order", "Order Cancelled"},    {"CancelPayOrder", "Order Cancelled"},
    {"RefundOrder", "Order Refunded"},      {"refundOrder", "Order Refunded"},
    {"OrderRefund", "Order Refunded"},      {"ReturnGoods", "Order Refunded"},
    {"CommodityDetail", "Product Viewed"},  {"commodityDetail", "Product Viewed"},
    {"ViewProduct", "Product Viewed"},      {"ViewCommodity", "Product Viewed"},
    {"AddToShoppingCart", "Product Added"}, {"addToShoppingCart", "Product Added"},
    {"AddToCart", "Product Added"},         {"RemoveFromShoppingCart", "Product Removed"},
    {"ViewShoppingCart", "Cart Viewed"},
};

constexpr ReadyEvent kGa4[] = {
    {"purchase", "Order Completed"},
    {"ecommerce_purchase", "Order Completed"},
    {"refund", "Order Refunded"},
    {"purchase_refund", "Order Refunded"},
    {"view_item", "Product Viewed"},
    {"add_to_cart", "Product Added"},
    {"remove_from_cart", "Product Removed"},
    {"view_cart", "Cart Viewed"},
    {"begin_checkout", "Checkout Started"},
    {"search", "Products Searched"},
    {"view_search_results", "Products Searched"},
};

constexpr ReadyEvent kPosthog[] = {
    {"purchase_completed", "Order Completed"}, {"order_completed", "Order Completed"},
    {"order_placed", "Order Completed"},       {"checkout_completed", "Order Completed"},
    {"order_refunded", "Order Refunded"},      {"purchase_refunded", "Order Refunded"},
    {"product_viewed", "Product Viewed"},      {"product_added_to_cart", "Product Added"},
};

// Topics of web hooks, and the events of web pixels and of the libraries that follow them.
constexpr ReadyEvent kShopify[] = {
    {"orders/paid", "Order Completed", "order_id=order_id id"},
    {"orders/create", "Order Updated", "order_id=order_id id"},
    {"orders/updated", "Order Updated", "order_id=order_id id"},
    {"orders/cancelled", "Order Cancelled", "order_id=order_id id"},
    {"refunds/create", "Order Refunded", "amount=transactions[].amount"},
    {"order_paid", "Order Completed", "order_id=order_id id"},
    {"order_created", "Order Completed", "order_id=order_id id"},
    {"order_cancelled", "Order Cancelled", "order_id=order_id id"},
    {"checkout_completed", "Order Completed"},
    {"product_viewed", "Product Viewed"},
    {"product_added_to_cart", "Product Added"},
    {"product_removed_from_cart", "Product Removed"},
    {"cart_viewed", "Cart Viewed"},
    {"checkout_started", "Checkout Started"},
    {"search_submitted", "Products Searched"},
};

// Types of the messages that Youzan pushes.
constexpr ReadyEvent kYouzan[] = {
    {"trade_TradePaid", "Order Completed"},
    {"trade_TradeBuyerPay", "Order Completed"},
    {"trade_TradeSuccess", "Order Completed"},
    {"trade_TradeCreate", "Order Updated"},
    {"trade_TradeClose", "Order Cancelled"},
    {"trade_refund_RefundSuccess", "Order Refunded", "amount=refunded_fee refund_fee refund_amount"},
};

constexpr std::string_view kTableNames[] = {"segment", "sensors", "ga4", "shopify", "posthog", "youzan"};

const ReadyTable kTables[] = {
    {"segment", "products=items", "", kSegment},
    {"sensors",
     "amount=order_amount orderAmount OrderAmount order_actual_amount actual_amount pay_amount payAmount "
     "PayAmount "
     "payment_amount PaymentAmount OrderTotalPrice total_amount;"
     "order_id=OrderId orderID OrderID order_no orderNo order_sn;"
     "currency=Currency currency_code;products=product_list items;"
     "price=present_price product_price ProductPrice commodity_price unit_price;"
     "quantity=product_quantity commodity_quantity ProductQuantity count num;"
     "product_id=productId ProductId commodity_id sku_id sku;"
     "category=product_category first_commodity commodity_category ProductCatalog;"
     "brand=product_brand commodity_brand;name=product_name ProductName commodity_name;"
     "query=key_word keyword search_word",
     "", kSensors},
    {"ga4",
     "order_id=transaction_id;products=items;product_id=item_id;name=item_name;"
     "category=item_category;brand=item_brand;query=search_term",
     "", kGa4},
    {"shopify",
     "amount=total_price current_total_price totalPrice.amount data.checkout.totalPrice.amount;"
     "order_id=orderId order.id data.checkout.order.id checkout_id;"
     "currency=presentment_currency currencyCode data.checkout.currencyCode;"
     "products=line_items lineItems data.checkout.lineItems;"
     "price=variant.price.amount;product_id=productId variant.product.id sku;"
     "category=product_type variant.product.type;brand=vendor variant.product.vendor;"
     "name=title;query=searchResult.query",
     "", kShopify},
    {"posthog", "order_id=transaction_id purchase_id;products=items", "", kPosthog},
    {"youzan",
     "amount=payment full_order_info.pay_info.payment total_fee full_order_info.pay_info.total_fee;"
     "order_id=tid full_order_info.order_info.tid trade_no;"
     "products=orders full_order_info.orders;quantity=num;product_id=item_id;name=title",
     "CNY", kYouzan},
};

template <class Visit>
void each_piece(std::string_view text, char separator, Visit&& visit) {
  while (!text.empty()) {
    const size_t end = text.find(separator);
    if (end != 0) visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void add_candidates(std::string_view names, std::vector<std::string>& to) {
  each_piece(names, ' ', [&to](std::string_view name) {
    if (std::find(to.begin(), to.end(), name) == to.end()) to.emplace_back(name);
  });
}

// "role=candidate candidate;…"
void add_properties(std::string_view text, RoleProperties& to) {
  each_piece(text, ';', [&to](std::string_view entry) {
    const size_t equals = entry.find('=');
    const auto* const role = std::find_if(std::begin(kRoles), std::end(kRoles), [&](const RoleName& known) {
      return known.name == entry.substr(0, equals);
    });
    KEHU_CHECK(role != std::end(kRoles));
    add_candidates(entry.substr(equals + 1), to[static_cast<size_t>(role - std::begin(kRoles))]);
  });
}

void add_all(const RoleProperties& from, RoleProperties& to) {
  for (size_t i = 0; i < kRoleCount; ++i) {
    for (const std::string& name : from[i]) add_candidates(name, to[i]);
  }
}

std::string_view usual(Role role, std::string_view means) {
  if (role == Role::kAmount && means == "Order Line") return kLineAmount;
  return kRoles[static_cast<size_t>(role)].usual;
}

EventMeaning standard(std::string_view event, std::string_view means) {
  EventMeaning out;
  out.event = std::string(event);
  out.means = std::string(means);
  for (size_t i = 0; i < kRoleCount; ++i) {
    add_candidates(usual(static_cast<Role>(i), means), out.properties[i]);
  }
  return out;
}

// The usual spellings of a name: OrderCompleted, orderCompleted, order_completed, order-completed,
// "order completed", "Order completed", Order_Completed, ORDER_COMPLETED, ordercompleted.
std::vector<std::string> spellings(std::string_view name) {
  const auto spelt = [name](std::string_view between, auto letter) {
    std::string out;
    bool first_of_word = true;
    bool first = true;
    for (const char c : name) {
      if (c == ' ') {
        out += between;
        first_of_word = true;
        continue;
      }
      out.push_back(letter(c, first_of_word, first));
      first_of_word = first = false;
    }
    return out;
  };
  const auto small = [](char c, bool, bool) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto large = [](char c, bool, bool) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
  const auto as_is = [](char c, bool, bool) { return c; };
  const auto camel = [small](char c, bool, bool first) { return first ? small(c, true, true) : c; };
  const auto sentence = [small](char c, bool, bool first) { return first ? c : small(c, true, true); };
  return {spelt("", as_is),  spelt("", camel),  spelt("_", small), spelt("-", small),    spelt(" ", small),
          spelt("_", as_is), spelt("_", large), spelt("", small),  spelt(" ", sentence), spelt(" ", large)};
}

// What one table says, in its order.
std::vector<EventMeaning> of_table(const ReadyTable& table) {
  std::vector<EventMeaning> out;
  const auto add = [&](std::string_view event, std::string_view means, std::string_view properties) {
    EventMeaning meaning;
    meaning.event = std::string(event);
    meaning.means = std::string(means);
    add_properties(properties, meaning.properties);
    add_all(standard(event, means).properties, meaning.properties);
    // Details of an order often repeat what the whole order costs.
    RoleProperties more;
    add_properties(table.properties, more);
    if (means == "Order Line") more[static_cast<size_t>(Role::kAmount)].clear();
    add_all(more, meaning.properties);
    meaning.currency = std::string(table.currency);
    meaning.only_with_id = means == "Order Line";
    out.push_back(std::move(meaning));
  };
  for (const ReadyEvent& event : table.events) add(event.event, event.means, event.properties);
  if (table.name == "segment") {
    for (const std::string_view event : kStandardEvents) {
      for (const std::string& spelling : spellings(event)) add(spelling, event, {});
    }
    for (const ReadyEvent& event : kSegment) {
      for (const std::string& spelling : spellings(event.event)) add(spelling, event.means, {});
    }
  }
  return out;
}

class Collected {
 public:
  // What settings say: the first entry of a name holds.
  void add(EventMeaning meaning, std::string_view currency) {
    if (!places_.emplace(meaning.event, kStated).second) return;
    if (meaning.currency.empty()) meaning.currency = std::string(currency);
    const EventMeaning usual_ones = standard(meaning.event, meaning.means);
    for (size_t i = 0; i < kRoleCount; ++i) {
      if (meaning.properties[i].empty()) meaning.properties[i] = usual_ones.properties[i];
    }
    if (meaning.means != kMeansNothing) out_.push_back(std::move(meaning));
  }
  // What a table says: tables that agree about a name add up what they know of its properties.
  void add_ready(EventMeaning meaning, std::string_view currency) {
    const auto [at, is_new] = places_.emplace(meaning.event, out_.size());
    if (is_new) {
      if (meaning.currency.empty()) meaning.currency = std::string(currency);
      return out_.push_back(std::move(meaning));
    }
    if (at->second == kStated || out_[at->second].means != meaning.means) return;
    add_all(meaning.properties, out_[at->second].properties);
  }
  std::vector<EventMeaning> take() { return std::move(out_); }

 private:
  static constexpr size_t kStated = SIZE_MAX;
  std::map<std::string, size_t, std::less<>> places_;
  std::vector<EventMeaning> out_;
};

}  // namespace

std::string_view to_string(Role role) { return kRoles[static_cast<size_t>(role)].name; }
std::string_view standard_property(Role role) { return kRoles[static_cast<size_t>(role)].standard; }

absl::Span<const std::string_view> standard_events() { return kStandardEvents; }
absl::Span<const std::string_view> ready_tables() { return kTableNames; }

std::vector<EventMeaning> meanings(const Vocabulary& vocabulary, std::string_view source) {
  const auto own = std::find_if(vocabulary.sources.begin(), vocabulary.sources.end(),
                                [source](const auto& words) { return words.source == source; });
  const Vocabulary::Words* words = own == vocabulary.sources.end() ? nullptr : &*own;
  const std::string_view currency =
      words != nullptr && !words->currency.empty() ? words->currency : vocabulary.project.currency;
  Collected collected;
  if (words != nullptr) {
    for (const EventMeaning& meaning : words->events) collected.add(meaning, currency);
  }
  for (const EventMeaning& meaning : vocabulary.project.events) collected.add(meaning, currency);
  for (const std::string_view event : kStandardEvents) collected.add(standard(event, event), currency);
  std::vector<std::string> use(std::begin(kTableNames), std::end(kTableNames));
  if (vocabulary.project.use) use = *vocabulary.project.use;
  if (words != nullptr && words->use) use = *words->use;
  for (const std::string& name : use) {
    for (const ReadyTable& table : kTables) {
      if (table.name != name) continue;
      for (EventMeaning& meaning : of_table(table)) collected.add_ready(std::move(meaning), currency);
    }
  }
  return collected.take();
}

}  // namespace kehu
