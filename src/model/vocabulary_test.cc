#include "model/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace kehu {
namespace {

const EventMeaning* find(const std::vector<EventMeaning>& all, std::string_view event) {
  const auto at = std::find_if(all.begin(), all.end(), [event](const auto& m) { return m.event == event; });
  return at == all.end() ? nullptr : &*at;
}

std::string means(const std::vector<EventMeaning>& all, std::string_view event) {
  const EventMeaning* found = find(all, event);
  return found == nullptr ? "" : found->means;
}

TEST(Vocabulary, ReadyTablesAreInUse) {
  struct Case {
    const char* event;
    const char* want;
  };
  const Case cases[] = {
      {"Order Completed", "Order Completed"},
      {"OrderCompleted", "Order Completed"},
      {"orderCompleted", "Order Completed"},
      {"order_completed", "Order Completed"},
      {"ORDER_COMPLETED", "Order Completed"},
      {"order-completed", "Order Completed"},
      {"order completed", "Order Completed"},
      {"Order completed", "Order Completed"},
      {"productViewed", "Product Viewed"},
      {"order_canceled", "Order Cancelled"},
      {"PayOrder", "Order Completed"},
      {"SubmitOrder", "Order Updated"},
      {"payOrderDetail", "Order Line"},
      {"CommodityDetail", "Product Viewed"},
      {"purchase", "Order Completed"},
      {"refund", "Order Refunded"},
      {"view_item", "Product Viewed"},
      {"orders/paid", "Order Completed"},
      {"refunds/create", "Order Refunded"},
      {"checkout_completed", "Order Completed"},
      {"trade_TradePaid", "Order Completed"},
      {"trade_TradeClose", "Order Cancelled"},
      {"Purchase Considered", ""},
      {"oRdEr_CoMpLeTeD", ""},
      {"Page Viewed", ""},
  };
  const auto all = meanings({}, "");
  for (const Case& c : cases) EXPECT_EQ(means(all, c.event), c.want) << c.event;
  std::set<std::string> names;
  for (const EventMeaning& meaning : all) {
    EXPECT_TRUE(names.insert(meaning.event).second) << meaning.event;
    const auto known = standard_events();
    EXPECT_NE(std::find(known.begin(), known.end(), meaning.means), known.end()) << meaning.event;
    for (size_t i = 0; i < kRoleCount; ++i) EXPECT_FALSE(meaning.properties[i].empty()) << meaning.event;
  }
}

TEST(Vocabulary, TheStandardEventsReadTheirUsualProperties) {
  const auto all = meanings({}, "");
  const EventMeaning& completed = *find(all, "Order Completed");
  EXPECT_EQ(completed.of(Role::kAmount), (std::vector<std::string>{"revenue", "total", "value", "amount"}));
  EXPECT_EQ(completed.of(Role::kProducts), (std::vector<std::string>{"products"}));
  EXPECT_EQ(find(all, "Order Line")->of(Role::kAmount),
            (std::vector<std::string>{"revenue", "amount", "total", "value"}));
}

TEST(Vocabulary, TablesThatAgreeAddUp) {
  const auto all = meanings({}, "");
  const auto& amounts = find(all, "OrderCompleted")->of(Role::kAmount);
  EXPECT_EQ(amounts.front(), "revenue");
  EXPECT_NE(std::find(amounts.begin(), amounts.end(), "order_amount"), amounts.end());
  // A detail repeats the order's amount, which is not that of the line.
  const auto& line = find(all, "PayOrderDetail")->of(Role::kAmount);
  EXPECT_EQ(std::find(line.begin(), line.end(), "order_amount"), line.end());
  EXPECT_TRUE(find(all, "PayOrderDetail")->only_with_id);
  EXPECT_EQ(find(all, "trade_TradePaid")->currency, "CNY");
}

TEST(Vocabulary, SettingsGoBeforeTablesAndSourcesBeforeSettings) {
  Vocabulary vocabulary;
  EventMeaning paid;
  paid.event = "PayOrder";
  paid.means = "Order Updated";
  paid.of(Role::kAmount) = {"sum"};
  EventMeaning off;
  off.event = "purchase";
  off.means = kMeansNothing;
  vocabulary.project.events = {paid, off};
  vocabulary.project.currency = "CNY";
  Vocabulary::OfSource shop;
  shop.source = "shop";
  shop.use = std::vector<std::string>{};
  shop.currency = "USD";
  EventMeaning sale;
  sale.event = "purchase";
  sale.means = "Order Completed";
  shop.events = {sale};
  vocabulary.sources = {shop};

  const auto project = meanings(vocabulary, "web");
  EXPECT_EQ(means(project, "PayOrder"), "Order Updated");
  EXPECT_EQ(find(project, "PayOrder")->of(Role::kAmount), (std::vector<std::string>{"sum"}));
  EXPECT_EQ(find(project, "PayOrder")->of(Role::kOrderId), (std::vector<std::string>{"order_id", "orderId"}));
  EXPECT_EQ(find(project, "PayOrder")->currency, "CNY");
  EXPECT_EQ(means(project, "purchase"), "");
  EXPECT_EQ(means(project, "SubmitOrder"), "Order Updated");

  const auto own = meanings(vocabulary, "shop");
  EXPECT_EQ(means(own, "purchase"), "Order Completed");
  EXPECT_EQ(means(own, "PayOrder"), "Order Updated");
  EXPECT_EQ(means(own, "SubmitOrder"), "");
  EXPECT_EQ(means(own, "OrderCompleted"), "");
  EXPECT_EQ(means(own, "Order Completed"), "Order Completed");
  EXPECT_EQ(find(own, "Order Completed")->currency, "USD");
}

}  // namespace
}  // namespace kehu
