// What reading one identifier costs: ids that need nothing, and the two kinds of phone numbers.
#include <benchmark/benchmark.h>

#include <string>

#include "identifier/identifier_value.h"

namespace kehu {
namespace {

void read(benchmark::State& state, Normaliser normaliser, std::string_view value) {
  const Settings settings = Settings::defaults();
  IdentifierRule rule;
  rule.normaliser = normaliser;
  std::string scratch;
  for (auto _ : state) {
    benchmark::DoNotOptimize(read_identifier(settings, rule, value, Written::kAsText, scratch));
  }
}

BENCHMARK_CAPTURE(read, short_id, Normaliser::kTrim, "u-20261122-17");
BENCHMARK_CAPTURE(read, number, Normaliser::kTrim, "20261122001");
BENCHMARK_CAPTURE(read, uuid, Normaliser::kTrim, "550e8400-e29b-41d4-a716-446655440000");
BENCHMARK_CAPTURE(read, nobody, Normaliser::kTrim, "undefined");
BENCHMARK_CAPTURE(read, email, Normaliser::kEmail, "li.na@example.com");
BENCHMARK_CAPTURE(read, chinese_mobile, Normaliser::kPhone, "13912345678");
BENCHMARK_CAPTURE(read, chinese_mobile_spaced, Normaliser::kPhone, "+86 139 1234 5678");
BENCHMARK_CAPTURE(read, number_of_hong_kong, Normaliser::kPhone, "+85291234567");

}  // namespace
}  // namespace kehu

BENCHMARK_MAIN();
