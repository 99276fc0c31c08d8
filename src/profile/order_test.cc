#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/limits.h"
#include "base/text.h"
#include "profile/test_folded.h"
#include "profile/test_plain_profile.h"

// What order events mean (docs/profile.md, "Orders").
namespace kehu::profile {
namespace {

constexpr Instant kStart = Instant::from_seconds(1'793'404'800);

Event order_event(std::string_view name, std::string_view properties, int minute = 0) {
  Event event;
  event.name = name;
  event.time = kStart + Duration::minutes(minute);
  event.traits = event.context = "{}";
  event.properties = properties;
  return event;
}

struct Case {
  const char* name;
  std::vector<Event> given;
  std::vector<std::string> want;  // lines of describe() that tell of orders and revenue
};

std::vector<Case> cases() {
  return {
      {"revenue goes before total",
       {order_event("Order Completed", R"({"order_id":"A1","revenue":90,"total":100,"currency":"cny"})")},
       {"order A1 completed CNY 90 -0 lines 0", "revenue CNY 1 90 -0"}},
      {"a quoted amount and a numeric id",
       {order_event("Order Completed", R"({"orderId":17,"total":"12.50"})")},
       {"order 17 completed  12.5 -0 lines 0", "revenue  1 12.5 -0"}},
      {"products where no amount is stated",
       {order_event(
           "Order Completed",
           R"({"order_id":"A1","products":[{"price":2.5,"quantity":3},{"price":1},{"name":"gift"}]})")},
       {"order A1 completed  8.5 -0 lines 0", "revenue  1 8.5 -0"}},
      {"an update replaces the amount, whatever comes in first",
       {order_event("Order Updated", R"({"order_id":"A1","total":80})", 5),
        order_event("Order Completed", R"({"order_id":"A1","total":100})", 1)},
       {"order A1 completed  80 -0 lines 0", "revenue  1 80 -0"}},
      {"an update without an amount leaves it",
       {order_event("Order Completed", R"({"order_id":"A1","total":100})"),
        order_event("Order Updated", R"({"order_id":"A1","note":"gift wrap"})", 5)},
       {"order A1 completed  100 -0 lines 0", "revenue  1 100 -0"}},
      {"only updated: open, and no purchase yet",
       {order_event("Order Updated", R"({"order_id":"A1","total":5})")},
       {"order A1 open  5 -0 lines 0"}},
      {"lines add up",
       {order_event("Order Line", R"({"order_id":"536365","product_id":"85123A","quantity":6,"price":2.55})"),
        order_event("Order Line", R"({"order_id":"536365","product_id":"71053","quantity":6,"price":3.39})"),
        order_event("Order Line", R"({"order_id":"536366","product_id":"22633","amount":11.1})")},
       {"order 536365 completed  35.64 -0 lines 2", "order 536366 completed  11.1 -0 lines 1",
        "revenue  2 46.74 -0"}},
      {"lines do not count beside the order's own amount",
       {order_event("Order Line", R"({"order_id":"A1","price":60})"),
        order_event("Order Completed", R"({"order_id":"A1","revenue":55})"),
        order_event("Order Line", R"({"order_id":"A1","price":5})")},
       {"order A1 completed  55 -0 lines 2", "revenue  1 55 -0"}},
      {"refunds add up, signs do not matter",
       {order_event("Order Completed", R"({"order_id":"A1","total":100})"),
        order_event("Order Refunded", R"({"order_id":"A1","total":-30})", 1),
        order_event("Order Refunded", R"({"order_id":"A1","total":20})", 2)},
       {"order A1 partly_refunded  100 -50 lines 0", "revenue  1 100 -50"}},
      {"a refund without an amount is the whole order",
       {order_event("Order Refunded", R"({"order_id":"A1"})", 2),
        order_event("Order Completed", R"({"order_id":"A1","total":100})")},
       {"order A1 refunded  100 -100 lines 0", "revenue  1 100 -100"}},
      {"a cancelled order is no revenue, even if it is completed later",
       {order_event("Order Cancelled", R"({"order_id":"A1"})"),
        order_event("Order Completed", R"({"order_id":"A1","total":100})", 2),
        order_event("Order Completed", R"({"order_id":"A2","total":7})", 1)},
       {"order A1 cancelled  100 -0 lines 0", "order A2 completed  7 -0 lines 0", "revenue  1 7 -0"}},
      {"currencies stay apart",
       {order_event("Order Completed", R"({"order_id":"A1","total":100,"currency":"CNY"})"),
        order_event("Order Completed", R"({"order_id":"A2","total":9,"currency":"USD"})", -1),
        order_event("Order Completed", R"({"order_id":"A3","total":1,"currency":"coins"})", -2)},
       {"order A1 completed CNY 100 -0 lines 0", "order A2 completed USD 9 -0 lines 0",
        "order A3 completed  1 -0 lines 0 currency unread", "revenue  1 1 -0", "revenue CNY 1 100 -0",
        "revenue USD 1 9 -0", "unread 0 amounts, 1 currencies"}},
      {"without an id: each completed event is an order, and none is listed",
       {order_event("Order Completed", R"({"total":100})"), order_event("Order Completed", R"({"total":50})"),
        order_event("Order Refunded", R"({"total":10})"),
        order_event("Order Line", R"({"price":3,"quantity":-1})")},
       {"revenue  2 147 -10"}},
      {"an id too long to keep",
       {order_event(
           "Order Completed",
           R"({"order_id":"0123456789012345678901234567890123456789012345678901234567890123456789"})")},
       {"order ~e12144e63bd106c886c838ed78d49a76 completed  none -0 lines 0", "revenue  1 0 -0"}},
      {"amounts as people write them",
       {order_event("Order Completed", R"({"order_id":"A1","revenue":"1,299.00","currency":"CNY "})"),
        order_event("Order Completed", R"({"order_id":"A2","total":"￥1,299","currency":"RMB"})", -1),
        order_event("Order Completed", R"({"order_id":"A3","total":"９９．５ 元"})", -2),
        order_event("Order Completed", R"({"order_id":"A4","total":"$19.99"})", -3),
        order_event("Order Completed", R"({"order_id":"A5","total":"12,50","currency":"156"})", -4)},
       {"order A1 completed CNY 1299 -0 lines 0", "order A2 completed CNY 1299 -0 lines 0",
        "order A3 completed CNY 99.5 -0 lines 0", "order A4 completed USD 19.99 -0 lines 0",
        "order A5 completed CNY 12.5 -0 lines 0", "revenue CNY 4 2710 -0", "revenue USD 1 19.99 -0"}},
      {"an amount that cannot be read is flagged, never 0 in silence",
       {order_event("Order Completed", R"({"order_id":"A1","total":"about 99"})"),
        order_event("Order Completed", R"({"order_id":"A2","total":true})", -1),
        order_event("Order Completed", R"({"order_id":"A3","total":"NaN"})", -2),
        order_event("Order Completed", R"({"order_id":"A4","total":[99]})", -3),
        order_event("Order Completed", R"({"order_id":"A5","total":"  "})", -4)},
       {"order A1 completed  none -0 lines 0 amount unread",
        "order A2 completed  none -0 lines 0 amount unread",
        "order A3 completed  none -0 lines 0 amount unread",
        "order A4 completed  none -0 lines 0 amount unread", "order A5 completed  none -0 lines 0",
        "revenue  5 0 -0", "unread 4 amounts, 0 currencies"}},
      {"the first amount that can be read counts",
       {order_event("Order Completed", R"({"order_id":"A1","revenue":"n/a","total":"99"})")},
       {"order A1 completed  99 -0 lines 0", "revenue  1 99 -0"}},
      {"a refund whose amount cannot be read is no refund of the whole order",
       {order_event("Order Completed", R"({"order_id":"A1","total":100})"),
        order_event("Order Refunded", R"({"order_id":"A1","total":"thirty"})", 1)},
       {"order A1 partly_refunded  100 -0 lines 0 amount unread", "revenue  1 100 -0",
        "unread 1 amounts, 0 currencies"}},
      {"products as text, as lists in lists, as an object",
       {order_event("Order Completed",
                    R"({"order_id":"A1","products":"[{\"price\":\"2,50\",\"quantity\":3}]"})"),
        order_event("Order Completed", R"({"order_id":"A2","products":[[{"price":2}],[{"price":3}]]})", -1),
        order_event("Order Completed", R"({"order_id":"A3","products":{"0":{"price":2},"1":{"price":5}}})",
                    -2),
        order_event("Order Completed", R"({"order_id":"A4","products":{"price":"¥2","quantity":"4"}})", -3),
        order_event("Order Completed", R"({"order_id":"A5","products":[{"price":"?"},{"price":1}]})", -4),
        order_event("Order Completed", R"({"order_id":"A6","products":"[{"})", -5),
        order_event("Order Completed", R"({"order_id":"A7","products":["tea-9"]})", -6)},
       {"order A1 completed  7.5 -0 lines 0", "order A2 completed  5 -0 lines 0",
        "order A3 completed  7 -0 lines 0", "order A4 completed CNY 8 -0 lines 0",
        "order A5 completed  none -0 lines 0 amount unread",
        "order A6 completed  none -0 lines 0 amount unread", "order A7 completed  none -0 lines 0",
        "revenue  6 19.5 -0", "revenue CNY 1 8 -0", "unread 2 amounts, 0 currencies"}},
      {"神策",
       {order_event("SubmitOrder", R"({"order_id":"S1","order_amount":120})"),
        order_event("PayOrder", R"({"order_id":"S1","order_amount":"99.00"})", 1),
        order_event("payOrderDetail", R"({"order_id":"S1","order_amount":99,"present_price":33})", 1),
        order_event("PayOrderDetail", R"({"order_amount":99,"present_price":33})", 2),
        order_event("SubmitOrder", R"({"OrderId":"S2","OrderTotalPrice":5})", 3),
        order_event("OrderCompleted", R"({"orderId":"S3","order_amount":7})", 2)},
       {"order S2 open  5 -0 lines 0", "order S3 completed  7 -0 lines 0",
        "order S1 completed  99 -0 lines 1", "revenue  2 106 -0"}},
      {"GA4",
       {order_event(
            "purchase",
            R"({"transaction_id":"T1","value":30.03,"currency":"USD","items":[{"item_id":"a","price":1}]})"),
        order_event("purchase",
                    R"({"transaction_id":"T2","currency":"USD","items":[{"price":2,"quantity":3}]})", -1),
        order_event("refund", R"({"transaction_id":"T1","value":10,"currency":"USD"})", 1),
        order_event("view_item", R"({"items":[{"item_id":"a","price":1}]})")},
       {"order T1 partly_refunded USD 30.03 -10 lines 0", "order T2 completed USD 6 -0 lines 0",
        "revenue USD 2 36.03 -10"}},
      {"Shopify",
       {order_event("orders/create", R"({"id":820982911946154508,"total_price":"199.00","currency":"USD"})"),
        order_event("orders/paid", R"({"id":820982911946154508,"total_price":"199.00","currency":"USD"})", 1),
        order_event(
            "refunds/create",
            R"({"id":1,"order_id":820982911946154508,"transactions":[{"amount":"9.50"},{"amount":"0.50"}]})",
            2),
        order_event("orders/paid",
                    R"({"id":3,"currency":"USD","line_items":[{"price":"4.00","quantity":2}]})"),
        order_event(
            "checkout_completed",
            R"({"data":{"checkout":{"order":{"id":"77"},"currencyCode":"EUR","totalPrice":{"amount":12.5}}}})",
            -1)},
       {"order 820982911946154508 partly_refunded USD 199 -10 lines 0", "order 3 completed USD 8 -0 lines 0",
        "order 77 completed EUR 12.5 -0 lines 0", "revenue EUR 1 12.5 -0", "revenue USD 2 207 -10"}},
      {"Youzan",
       {order_event("trade_TradePaid", R"({"tid":"E1","payment":"88.00","total_fee":"100.00"})"),
        order_event(
            "trade_TradePaid",
            R"({"full_order_info":{"order_info":{"tid":"E2"},"pay_info":{"payment":"5.00"},"orders":[{"num":1,"price":"9"}]}})",
            -1),
        order_event("trade_refund_RefundSuccess", R"({"tid":"E1","refunded_fee":"8.00"})", 1),
        order_event("trade_TradeClose", R"({"tid":"E3"})", -2)},
       {"order E1 partly_refunded CNY 88 -8 lines 0", "order E2 completed CNY 5 -0 lines 0",
        "order E3 cancelled CNY none -0 lines 0", "revenue CNY 2 93 -8"}},
      {"the same id in any dress that a file gave it",
       {order_event("Order Completed", R"({"order_id":"1001.0","total":5})"),
        order_event("Order Refunded", R"({"order_id":"=\"1001\"","total":1})", 1),
        order_event("Order Refunded", R"({"order_id":1.001e3,"total":1})", 2),
        order_event("Order Refunded", R"({"order_id":" 1001 ","total":1})", 3),
        order_event("Order Completed", R"({"order_id":-0.0,"total":1})", -1),
        order_event("Order Refunded", R"({"order_id":"0","total":1})", 4)},
       {"order 0 refunded  1 -1 lines 0", "order 1001 partly_refunded  5 -3 lines 0", "revenue  2 6 -4"}},
      {"an id whose digits are gone joins no orders",
       {order_event("Order Completed", R"({"order_id":"3.01235E+12","total":1})"),
        order_event("Order Completed", R"({"order_id":"3.01235E+12","total":2})", 1)},
       {"revenue  2 3 -0"}},
      {"products as a text in a text",
       {order_event("Order Completed", R"({"order_id":"A1","products":"\"[{\\\"price\\\":2}]\""})")},
       {"order A1 completed  2 -0 lines 0", "revenue  1 2 -0"}},
      {"a whole number with a point is the same id",
       {order_event("Order Completed", R"({"order_id":1001,"total":5})"),
        order_event("Order Refunded", R"({"order_id":1001.0,"total":2})", 1)},
       {"order 1001 partly_refunded  5 -2 lines 0", "revenue  1 5 -2"}},
      {"no object", {order_event("Order Completed", "{}")}, {"revenue  1 0 -0"}},
  };
}

// The order and revenue lines without their times.
std::vector<std::string> order_lines(const ProfileView& view) {
  std::vector<std::string> lines;
  std::string text = describe(view);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("order ")) {
      const size_t times = line.find(" 20");
      line.erase(times, 50);  // two of 25 characters
    }
    if (line.starts_with("order ") || line.starts_with("revenue ") || line.starts_with("unread "))
      lines.push_back(line);
  }
  return lines;
}

TEST(Orders, Meaning) {
  const Settings settings;
  const Plan plan(settings);
  for (const Case& c : cases()) {
    Names names;
    const std::string part = fold_all(plan, c.given, names);
    EXPECT_EQ(order_lines(view_of(settings, part, kStart, names)), c.want) << c.name;
  }
}

// Beyond the bound a uniform sample stays, and the sums stay exact.
TEST(Orders, BeyondTheBound) {
  constexpr int kOrders = 1000;
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (int i = 0; i < kOrders; ++i) {
    texts.push_back(cat("{\"order_id\":\"o", i, "\",\"price\":10}"));
    events.push_back(order_event("Order Line", texts.back(), i));
  }
  const Settings settings;
  const Plan plan(settings);
  Names names;
  const std::string part = fold_all(plan, events, names);
  std::reverse(events.begin(), events.end());
  const std::vector<Event> half(events.begin(), events.begin() + kOrders / 2);
  const std::vector<Event> rest(events.begin() + kOrders / 2, events.end());
  EXPECT_EQ(merged(fold_all(plan, half, names), fold_all(plan, rest, names)), part);

  const ProfileView view = view_of(settings, part, kStart, names);
  EXPECT_TRUE(view.orders_sampled);
  EXPECT_EQ(view.orders.size(), limits::kOrdersPerCustomer);
  ASSERT_EQ(view.revenue.size(), 1u);
  EXPECT_EQ(sum_to_string(view.revenue[0].revenue), "10000");
  EXPECT_NEAR(static_cast<double>(view.revenue[0].orders), kOrders, kOrders * 0.2);
}

// Events that name no order, in more currencies than are kept.
TEST(Orders, CurrenciesBeyondTheBoundAreAddedUnderNone) {
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (const char c : std::string_view("GCADLBKEJFIH")) {
    texts.push_back(cat("{\"total\":1,\"currency\":\"XX", c, "\"}"));
    events.push_back(order_event("Order Completed", texts.back()));
  }
  const Settings settings;
  const Plan plan(settings);
  Names names;
  const std::string part = fold_all(plan, events, names);
  std::reverse(events.begin(), events.end());
  EXPECT_EQ(fold_all(plan, events, names), part);
  const auto revenue = view_of(settings, part, kStart, names).revenue;
  ASSERT_EQ(revenue.size(), 9u);
  EXPECT_EQ(revenue[0].currency, "");
  EXPECT_EQ(revenue[0].orders, 4u);
  EXPECT_EQ(revenue[8].currency, "XXH");
}

TEST(Orders, AtTheBoundNothingIsSampled) {
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (size_t i = 0; i < limits::kOrdersPerCustomer; ++i) {
    texts.push_back(cat("{\"order_id\":\"o", i, "\",\"total\":10}"));
    events.push_back(order_event("Order Completed", texts.back()));
  }
  const Settings settings;
  Names names;
  const ProfileView view = view_of(settings, fold_all(Plan(settings), events, names), kStart, names);
  EXPECT_FALSE(view.orders_sampled);
  EXPECT_EQ(view.revenue[0].orders, limits::kOrdersPerCustomer);
}

// Refunds stay right where the list of orders ends: stated amounts exactly, those without an amount too when
// their orders are kept or of one price, else by the mean, and marked.
TEST(Orders, RefundsBeyondTheBound) {
  constexpr int kOrders = 1000;
  std::deque<std::string> texts;
  std::vector<Event> events;
  for (int i = 0; i < kOrders; ++i) {
    texts.push_back(cat("{\"order_id\":\"o", i, "\",\"total\":10,\"currency\":\"CNY\"}"));
    events.push_back(order_event("Order Completed", texts.back(), i));
    if (i % 10 == 0) {
      texts.push_back(cat("{\"order_id\":\"o", i, "\",\"total\":\"¥2.50\",\"currency\":\"CNY\"}"));
      events.push_back(order_event("Order Refunded", texts.back(), -i));  // before its order
    }
    if (i % 10 == 5) {
      texts.push_back(cat("{\"order_id\":\"o", i, "\"}"));
      events.push_back(order_event("Order Refunded", texts.back(), kOrders + i));
    }
  }
  const Settings settings;
  const Plan plan(settings);
  Names names;
  const std::string part = fold_all(plan, events, names);
  const ProfileView view = view_of(settings, part, kStart, names);
  ASSERT_EQ(view.revenue.size(), 1u);
  EXPECT_EQ(sum_to_string(view.revenue[0].revenue), "10000");
  EXPECT_EQ(sum_to_string(view.revenue[0].refunded), "1250");  // 100 × 2.5 + 100 × 10
  EXPECT_TRUE(view.revenue[0].estimated);

  std::reverse(events.begin(), events.end());
  const std::vector<Event> half(events.begin(), events.begin() + 600);
  const std::vector<Event> rest(events.begin() + 600, events.end());
  EXPECT_EQ(merged(fold_all(plan, rest, names), fold_all(plan, half, names)), part);
}

// Settings say what events mean, for the project and for one source.
TEST(Orders, InTheWordsOfTheSettings) {
  Settings settings;
  EventMeaning paid;
  paid.event = "付款";
  paid.means = "Order Completed";
  paid.of(Role::kAmount) = {"支付.金额"};
  paid.of(Role::kOrderId) = {"单号"};
  settings.vocabulary.project.events = {paid};
  Vocabulary::OfSource shop;
  shop.source = "shop";
  shop.currency = "CNY";
  paid.event = "PayOrder";
  paid.means = kMeansNothing;
  shop.events = {paid};
  settings.vocabulary.sources = {shop};
  const SourceName sources[] = {{SourceId(1), "web"}, {SourceId(2), "shop"}};
  const Plan plan(settings, sources);
  std::vector<Event> events = {order_event("付款", R"({"单号":"a","支付":{"金额":"88元"},"total":1})"),
                               order_event("付款", R"({"单号":"b","支付":{"金额":"7"}})", -1),
                               order_event("PayOrder", R"({"order_id":"c","total":5})", -2),
                               order_event("PayOrder", R"({"order_id":"d","total":5})", -3)};
  events[0].source = events[2].source = SourceId(1);
  events[1].source = events[3].source = SourceId(2);
  Names names;
  const std::string part = fold_all(plan, events, names);
  EXPECT_EQ(order_lines(view_of(settings, part, kStart, names)),
            (std::vector<std::string>{"order a completed CNY 88 -0 lines 0",
                                      "order b completed CNY 7 -0 lines 0", "order c completed  5 -0 lines 0",
                                      "revenue  1 5 -0", "revenue CNY 2 95 -0"}));
}

}  // namespace
}  // namespace kehu::profile
