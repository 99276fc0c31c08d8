#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/limits.h"
#include "base/text.h"
#include "profile/folded.h"
#include "profile/plain_profile.h"

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
        order_event("Order Completed", R"({"order_id":"A3","total":1,"currency":"yuan"})", -2)},
       {"order A1 completed CNY 100 -0 lines 0", "order A2 completed USD 9 -0 lines 0",
        "order A3 completed  1 -0 lines 0", "revenue  1 1 -0", "revenue CNY 1 100 -0", "revenue USD 1 9 -0"}},
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
    if (line.starts_with("order ")) line = line.substr(0, line.find(" 20"));
    if (line.starts_with("order ") || line.starts_with("revenue ")) lines.push_back(line);
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

}  // namespace
}  // namespace kehu::profile
