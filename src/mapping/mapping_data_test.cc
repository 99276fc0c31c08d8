#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "base/money.h"
#include "base/text.h"
#include "json/document.h"
#include "mapping/file_import.h"

// The mappings of examples/ over the public data sets they are for. The sets are no part of the repository.
namespace kehu::mapping {
namespace {

const std::filesystem::path kData = std::filesystem::path(KEHU_SOURCE_DIR) / "../shared/data";

class RealData : public testing::Test {
 protected:
  void SetUp() override {
    if (std::filesystem::exists(kData)) return;
    std::fprintf(stderr, "SKIPPED: %s is missing, so no mapping was tried on real data\n", kData.c_str());
    GTEST_SKIP();
  }

  Report import(const std::string& mapping, const std::string& file) {
    return import(mapping, file, [](const json::Value&) {});
  }

  Report import(const std::string& mapping, const std::string& file,
                const std::function<void(const json::Value&)>& visit) {
    const auto read = Mapping::load(std::filesystem::path(KEHU_SOURCE_DIR) / "examples" / mapping);
    EXPECT_TRUE(read.ok()) << read.status();
    if (!read.ok()) return {};
    auto import = FileImport::open(*read, kData / file);
    EXPECT_TRUE(import.ok()) << import.status();
    if (!import.ok()) return {};
    MappedRow row;
    while (true) {
      const auto any = (*import)->next(row);
      EXPECT_TRUE(any.ok()) << any.status();
      if (!any.ok() || !*any) break;
      for (size_t at = 0; at < row.events.size();) {
        const size_t end = row.events.find('\n', at);
        const auto event = json::Document::parse(std::string_view(row.events).substr(at, end - at));
        EXPECT_TRUE(event.ok()) << event.status() << row.events;
        visit(event->root());
        at = end + 1;
      }
    }
    return (*import)->report();
  }

  static std::string text(const json::Value& value) { return value.as_string().value_or(""); }
  static Sum amount(const json::Value& value) { return Decimal::parse(value.raw())->units(); }
};

using Counts = std::map<std::string, int>;

TEST_F(RealData, Taobao) {
  Counts events;
  std::set<std::string> users;
  const Report report =
      import("taobao_userbehavior.toml", "taobao_userbehavior/UserBehavior_first815users.csv.gz",
             [&](const json::Value& event) {
               ++events[text(event.find("event"))];
               users.insert(text(event.find("identifiers").find("user_id")));
             });
  EXPECT_EQ(report.rows, 84'475u);
  EXPECT_EQ(report.rejected, 35u);
  EXPECT_EQ(report.rejected_by_reason[static_cast<size_t>(Reason::kTimeOutOfRange)], 35u);
  EXPECT_EQ(report.events, 84'440u);
  EXPECT_EQ(users.size(), 815u);
  // All rows out of the period are page views; with them they are the published 75,872.
  const Counts want = {{"Product Viewed", 75'872 - 35},
                       {"Product Added", 4'497},
                       {"Product Added to Wishlist", 2'356},
                       {"Order Completed", 1'750}};
  EXPECT_EQ(events, want);
}

TEST_F(RealData, JdataActionsOfFebruary) {
  Counts events;
  std::set<std::string> users;
  const Report report = import("jdata_actions.toml", "jdata_jd_sample/JData_Action_201602.csv.gz",
                               [&](const json::Value& event) {
                                 ++events[text(event.find("event"))];
                                 users.insert(text(event.find("identifiers").find("user_id")));
                               });
  EXPECT_EQ(report.rows, 29'999u);
  EXPECT_EQ(report.events, 29'999u);
  EXPECT_EQ(users.size(), 1'030u);
  EXPECT_EQ(users.count("266079"), 1u) << "266079.0 is written 266079";
  EXPECT_EQ(events["Product Clicked"], 17'240);
  EXPECT_EQ(events["Product Viewed"], 12'023);
  EXPECT_EQ(events["Product Added"], 443);
  EXPECT_EQ(events["Order Completed"], 38);
}

TEST_F(RealData, JdataOtherMonthsAndUsersInGbk) {
  EXPECT_EQ(import("jdata_actions.toml", "jdata_jd_sample/JData_Action_201603.csv.gz").events, 29'999u);
  EXPECT_EQ(import("jdata_actions.toml", "jdata_jd_sample/JData_Action_201604.csv.gz").events, 29'999u);
  Counts ages;
  const Report report =
      import("jdata_users.toml", "jdata_jd_sample/JData_User.csv",
             [&](const json::Value& event) { ++ages[text(event.find("traits").find("age_group"))]; });
  EXPECT_EQ(report.events, 29'999u);
  const Counts want = {{"", 2839},        {"16-25岁", 2508}, {"26-35岁", 14125},
                       {"36-45岁", 8925}, {"46-55岁", 1023}, {"56岁以上", 579}};
  EXPECT_EQ(ages, want);
}

TEST_F(RealData, OnlineRetail) {
  std::set<std::string> invoices, cancelled, customers, clean_customers, clean_orders, orders_12347;
  int without_customer = 0, clean_lines = 0;
  Sum revenue = 0, revenue_12347 = 0;
  const Report report =
      import("online_retail.toml", "online_retail_uci/online_retail.csv.gz", [&](const json::Value& event) {
        const json::Value properties = event.find("properties");
        const std::string order = text(properties.find("order_id"));
        const std::string customer = text(event.find("identifiers").find("user_id"));
        const bool line = text(event.find("event")) == "Order Line";
        invoices.insert(order);
        if (!line) cancelled.insert(order);
        without_customer += customer.empty();
        if (!customer.empty()) customers.insert(customer);
        if (customer == "12347" && line) {
          orders_12347.insert(order);
          revenue_12347 += amount(properties.find("amount"));
        }
        if (!line || customer.empty() || amount(properties.find("quantity")) <= 0 ||
            amount(properties.find("price")) <= 0)
          return;
        ++clean_lines;
        clean_customers.insert(customer);
        clean_orders.insert(order);
        revenue += amount(properties.find("amount"));
      });
  EXPECT_EQ(report.rows, 541'909u);
  EXPECT_EQ(report.events, 541'909u);
  EXPECT_EQ(report.rejected, 0u);
  EXPECT_EQ(report.exact_duplicates, 5'268u);
  EXPECT_FALSE(report.duplicates_at_least);
  EXPECT_EQ(without_customer, 135'080);
  EXPECT_EQ(invoices.size(), 25'900u);
  EXPECT_EQ(cancelled.size(), 3'836u);
  EXPECT_EQ(customers.size(), 4'372u);
  EXPECT_EQ(clean_lines, 397'884);
  EXPECT_EQ(clean_customers.size(), 4'338u);
  EXPECT_EQ(clean_orders.size(), 18'532u);
  EXPECT_EQ((revenue + 50) / 100, 891'140'790) << sum_to_string(revenue);
  EXPECT_EQ(orders_12347.size(), 7u);
  EXPECT_EQ(sum_to_string(revenue_12347), "4310");
}

TEST_F(RealData, CompleteJourney) {
  Sum sales = 0;
  const Report report =
      import("completejourney_transactions.toml", "completejourney/transactions_sample.csv.gz",
             [&](const json::Value& event) { sales += amount(event.find("properties").find("amount")); });
  EXPECT_EQ(report.rows, 75'000u);
  EXPECT_EQ(report.events, 75'000u);
  EXPECT_GT(sales, 0);
}

TEST_F(RealData, TmallOrders) {
  Counts events;
  std::map<std::string, Sum> sums;
  const Report report = import("tmall_orders.toml", "tmall_orders_2020/tmall_order_report.csv.gz",
                               [&](const json::Value& event) {
                                 const std::string name = text(event.find("event"));
                                 ++events[name];
                                 const char* field = name == "Order Completed" ? "revenue" : "total";
                                 sums[name] += amount(event.find("properties").find(field));
                               });
  EXPECT_EQ(report.rows, 28'010u);
  EXPECT_EQ(report.rejected, 0u);
  EXPECT_EQ(events["Order Placed"], 28'010);
  EXPECT_EQ(sum_to_string(sums["Order Placed"]), "2995760.61");
  EXPECT_EQ(events["Order Completed"], 24'087);
  EXPECT_EQ(sum_to_string(sums["Order Completed"]), "1902487.15");
  EXPECT_EQ(events["Order Refunded"], 5'646);
  EXPECT_EQ(sum_to_string(sums["Order Refunded"]), "572335.92");
}

TEST_F(RealData, SnowplowWeb) {
  std::set<std::string> ids;
  int pages = 0;
  const Report report =
      import("snowplow_web.toml", "snowplow_web/snowplow_web_events.csv", [&](const json::Value& event) {
        ids.insert(text(event.find("message_id")));
        pages += text(event.find("type")) == "page";
      });
  EXPECT_EQ(report.events, 160u);
  EXPECT_EQ(ids.size(), 157u);
  EXPECT_EQ(pages, 50);
}

TEST_F(RealData, SplunkAccessLog) {
  Counts events;
  const Report report = import("splunk_access_log.toml", "splunk_buttercup/access_combined_wcookie.log.gz",
                               [&](const json::Value& event) { ++events[text(event.find("event"))]; });
  EXPECT_EQ(report.rows, 39'532u);
  EXPECT_EQ(report.events, 39'532u);
  EXPECT_GT(events["Product Viewed"], 1000);
  EXPECT_GT(events["Order Completed"], 1000);
}

}  // namespace
}  // namespace kehu::mapping
