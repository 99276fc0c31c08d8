#include <benchmark/benchmark.h>

#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "model/settings.h"
#include "profile/folder.h"
#include "profile/view.h"

// What a fold costs, by the kind of event and the size of the customer; and how large customers are. Measured
// over 4,096 customers in turn, so that parts come from the second-level cache and not from the first.
namespace kehu::profile {
namespace {

constexpr int kCustomers = 4096;
constexpr Instant kNow = Instant::from_seconds(1'795'000'000);

class Shop {
 public:
  explicit Shop(uint64_t seed) : random_(seed) {}

  Event event(std::string_view name, Instant time) {
    Event event;
    event.source = SourceId(1);
    event.channel = Channel::kWeb;
    event.time = event.received_at = event.original_time = time;
    event.name = name;
    event.properties = event.traits = event.context = "{}";
    return event;
  }
  Event page_view(Instant time) {
    Event page = event("Home", time);
    page.type = EventType::kPage;
    page.properties =
        "{\"title\":\"Home\",\"url\":\"https://shop.example/\",\"path\":\"/\",\"referrer\":\"\"}";
    return page;
  }
  Event track(Instant time) {
    Event track = event(random_() % 2 == 0 ? "Banner Clicked" : "Products Searched", time);
    track.properties = "{\"query\":\"coat\",\"banner\":\"spring\"}";
    return track;
  }
  Event product_viewed(Instant time) {
    Event viewed = event("Product Viewed", time);
    viewed.properties = own(
        cat("{\"product_id\":\"p", random_() % 500, "\",\"sku\":\"S-", random_() % 500,
            "\",\"name\":\"Winter coat\",\"brand\":\"brand", random_() % 8, "\",\"category\":\"category",
            random_() % 12, "\",\"price\":", random_() % 900, ".90,\"quantity\":1,\"currency\":\"CNY\"}"));
    return viewed;
  }
  Event order(Instant time) {
    Event order = event("Order Completed", time);
    order.properties =
        own(cat("{\"order_id\":\"2026", random_() % 10'000'000, "\",\"revenue\":", random_() % 900,
                ".90,\"currency\":\"CNY\",\"products\":[{\"product_id\":\"p1\",\"category\":\"category",
                random_() % 12, "\",\"price\":99.0,\"quantity\":2}]}"));
    return order;
  }
  // States no amount: the products are added up.
  Event basket(Instant time) {
    Event order = event("Order Completed", time);
    std::string products;
    for (int i = 0; i < 5; ++i) {
      products += cat(i > 0 ? "," : "", "{\"product_id\":\"p", i,
                      "\",\"name\":\"Winter coat\",\"category\":\"category", random_() % 12,
                      "\",\"price\":99.0,\"quantity\":2}");
    }
    order.properties = own(cat("{\"order_id\":\"2026", random_() % 10'000'000,
                               "\",\"currency\":\"CNY\",\"products\":[", products, "]}"));
    return order;
  }
  Event identify(Instant time) {
    Event identify = event("", time);
    identify.type = EventType::kIdentify;
    identify.traits = own(cat("{\"name\":\"\\u738b", random_() % 100,
                              "\",\"gender\":\"female\",\"city\":\"\\u4e0a\\u6d77\","
                              "\"level\":\"gold\",\"points\":",
                              random_() % 10'000,
                              ",\"birthday\":\"1990-05-17\",\"subscribed\":true,\"store\":\"SH-012\"}"));
    return identify;
  }
  Instant before(Instant t, Duration spread) {
    return Instant(
        (t - Duration(static_cast<int64_t>(random_() % static_cast<uint64_t>(spread.micros())))).micros() /
        1000 * 1000);
  }

 private:
  std::string_view own(std::string text) { return texts_.emplace_back(std::move(text)); }

  std::mt19937_64 random_;
  std::deque<std::string> texts_;
};

std::string fold_all(const Plan& plan, const std::vector<Event>& events) {
  Folder folder;
  property::EventFields fields;
  std::string part, next;
  for (const Event& event : events) {
    fields.read(plan.fields(event), event.properties);
    KEHU_CHECK(folder.fold(plan, part, event, fields, next).ok());
    part.swap(next);
  }
  return part;
}

// Ten events over three weeks: an identify with eight traits, pages, products, other events and one order.
std::string typical(const Plan& plan, Shop& shop) {
  const Instant visit = shop.before(kNow, Duration::days(7));
  const Instant earlier = shop.before(visit, Duration::days(14));
  std::vector<Event> events = {shop.identify(earlier)};
  for (int i = 0; i < 3; ++i) events.push_back(shop.page_view(shop.before(visit, Duration::minutes(20))));
  for (int i = 0; i < 2; ++i)
    events.push_back(shop.product_viewed(shop.before(visit, Duration::minutes(20))));
  for (int i = 0; i < 3; ++i) events.push_back(shop.track(shop.before(earlier, Duration::minutes(20))));
  events.push_back(shop.order(visit));
  return fold_all(plan, events);
}

// 20,000 events of a year with 60 names, 100 orders and every metric.
std::string whale(const Plan& plan, Shop& shop) {
  std::vector<Event> events = {shop.identify(kNow - Duration::days(300))};
  std::deque<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back(cat("Event ", i));
  for (size_t i = 0; i < 20'000; ++i) {
    const Instant time = shop.before(kNow, Duration::days(365));
    if (i % 200 == 0) events.push_back(shop.order(time));
    events.push_back(i % 4 == 0 ? shop.product_viewed(time) : shop.event(names[i % names.size()], time));
  }
  return fold_all(plan, events);
}

struct World {
  Settings settings = Settings::defaults();
  Plan plan{settings};
  Shop shop{7};
  std::vector<std::string> customers;

  explicit World(std::string (*make)(const Plan&, Shop&), int count) {
    settings.zone = *BusinessZone::load(settings.time_zone);
    plan = Plan(settings);
    for (int i = 0; i < count; ++i) customers.push_back(make(plan, shop));
  }
  double mean_bytes() const {
    size_t bytes = 0;
    for (const std::string& part : customers) bytes += part.size();
    return static_cast<double>(bytes) / static_cast<double>(customers.size());
  }
};

void fold(benchmark::State& state, World& world, Event (Shop::*make)(Instant)) {
  Folder folder;
  property::EventFields fields;
  std::string out;
  std::vector<Event> events;
  for (int i = 0; i < 256; ++i) events.push_back((world.shop.*make)(kNow + Duration::seconds(i)));
  size_t i = 0;
  for (auto _ : state) {
    const std::string& part = world.customers[i % world.customers.size()];
    const Event& event = events[i % events.size()];
    fields.read(world.plan.fields(event), event.properties);
    KEHU_CHECK(folder.fold(world.plan, part, event, fields, out).ok());
    benchmark::DoNotOptimize(out.data());
    ++i;
  }
  state.counters["part_bytes"] = world.mean_bytes();
}

void BM_FoldTypical(benchmark::State& state, Event (Shop::*make)(Instant)) {
  static World world(typical, kCustomers);
  fold(state, world, make);
}
BENCHMARK_CAPTURE(BM_FoldTypical, page_view, &Shop::page_view);
BENCHMARK_CAPTURE(BM_FoldTypical, track, &Shop::track);
BENCHMARK_CAPTURE(BM_FoldTypical, product_viewed_with_metrics, &Shop::product_viewed);
BENCHMARK_CAPTURE(BM_FoldTypical, identify_8_traits, &Shop::identify);
BENCHMARK_CAPTURE(BM_FoldTypical, order_completed, &Shop::order);
BENCHMARK_CAPTURE(BM_FoldTypical, order_without_an_amount, &Shop::basket);

void BM_FoldWhale(benchmark::State& state, Event (Shop::*make)(Instant)) {
  static World world(whale, 4);
  fold(state, world, make);
}
BENCHMARK_CAPTURE(BM_FoldWhale, page_view, &Shop::page_view);
BENCHMARK_CAPTURE(BM_FoldWhale, product_viewed_with_metrics, &Shop::product_viewed);
BENCHMARK_CAPTURE(BM_FoldWhale, order_completed, &Shop::order);

void BM_FoldFirstEvent(benchmark::State& state) {
  World world(typical, 1);
  world.customers = {std::string()};
  fold(state, world, &Shop::page_view);
}
BENCHMARK(BM_FoldFirstEvent);

void BM_MergeTypical(benchmark::State& state) {
  World world(typical, kCustomers);
  Folder folder;
  std::string out;
  size_t i = 0;
  for (auto _ : state) {
    const std::string& a = world.customers[i % world.customers.size()];
    const std::string& b = world.customers[(i + 1) % world.customers.size()];
    KEHU_CHECK(folder.merge(a, b, out).ok());
    ++i;
  }
  state.counters["part_bytes"] = world.mean_bytes();
}
BENCHMARK(BM_MergeTypical);

void BM_ViewTypical(benchmark::State& state) {
  World world(typical, kCustomers);
  size_t i = 0;
  for (auto _ : state) {
    const std::string_view parts[] = {world.customers[i++ % world.customers.size()]};
    auto seen = view(world.settings, parts, kNow, [](NameId) { return std::string_view("name"); });
    benchmark::DoNotOptimize(seen->events);
  }
}
BENCHMARK(BM_ViewTypical);

}  // namespace
}  // namespace kehu::profile

BENCHMARK_MAIN();
