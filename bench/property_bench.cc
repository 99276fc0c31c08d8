#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "json/fields.h"
#include "property/event_fields.h"
#include "property/field_plan.h"

// What it costs to find what is asked of an event: one walk for all paths, against a walk for each, and
// against a reader that only steps over the members of the event, which each asker needed before.
namespace kehu::property {
namespace {

constexpr std::string_view kViewed =
    R"({"product_id":"p417","sku":"S-417","name":"Winter coat","brand":"brand3","category":"category7",)"
    R"("price":499.90,"quantity":1,"currency":"CNY","url":"https://shop.example/products/p417?from=home"})";

std::string order(int products) {
  std::string out = R"({"order_id":"20261130417","revenue":899.90,"currency":"CNY","coupon":"","products":[)";
  for (int i = 0; i < products; ++i) {
    out += cat(i > 0 ? "," : "", R"({"product_id":"p)", i, R"(","name":"Winter coat","category":"category)",
               i, R"(","brand":"brand3","price":99.0,"quantity":2})");
  }
  return out + R"(],"shipping":{"city":"上海","method":"express"}})";
}

// The first of these that are asked for; names beyond them are not in the event.
std::vector<json::FieldPath> paths(size_t count) {
  std::vector<std::string> texts = {"price",           "category",
                                    "currency",        "order_id",
                                    "revenue",         "products[].price",
                                    "products[].name", "products[].category",
                                    "quantity",        "products[].quantity",
                                    "shipping.method", "products[]"};
  for (size_t i = texts.size(); i < count; ++i) texts.push_back(cat("other", i % 7, ".property", i));
  std::vector<json::FieldPath> out;
  for (size_t i = 0; i < count; ++i) out.push_back(*json::FieldPath::parse(texts[i]));
  return out;
}

std::string event_of(const benchmark::State& state) {
  return state.range(1) == 0 ? std::string(kViewed) : order(static_cast<int>(state.range(1)));
}

void BM_OneWalk(benchmark::State& state) {
  FieldPlan plan;
  const NameId name = name_id("event");
  for (const json::FieldPath& path : paths(static_cast<size_t>(state.range(0)))) plan.want({name, {}}, path);
  const std::string event = event_of(state);
  EventFields fields;
  for (auto _ : state) {
    fields.read(plan.of(name, SourceId(1)), event);
    benchmark::DoNotOptimize(fields.values(Slot(0)).data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(event.size()));
}

void BM_WalkForEachPath(benchmark::State& state) {
  const std::vector<json::FieldPath> asked = paths(static_cast<size_t>(state.range(0)));
  const std::string event = event_of(state);
  size_t found = 0;
  for (auto _ : state) {
    for (const json::FieldPath& path : asked) path.visit(event, [&](const json::RawValue&) { ++found; });
  }
  benchmark::DoNotOptimize(found);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(event.size()));
}

void BM_MembersSteppedOver(benchmark::State& state) {
  const std::string event = event_of(state);
  json::FieldReader reader;
  for (auto _ : state) {
    reader.open(event);
    for (json::Field field; reader.next(field);) benchmark::DoNotOptimize(field.key.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(event.size()));
}

// Paths asked for; products of an order, 0: a product that is looked at.
void cases(benchmark::internal::Benchmark* bench) { bench->ArgsProduct({{4, 12, 100}, {0, 1, 10}}); }

BENCHMARK(BM_OneWalk)->Apply(cases);
BENCHMARK(BM_WalkForEachPath)->Apply(cases);
BENCHMARK(BM_MembersSteppedOver)->ArgsProduct({{0}, {0, 1, 10}});

}  // namespace
}  // namespace kehu::property

BENCHMARK_MAIN();
