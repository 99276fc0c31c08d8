#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "seal/door.h"
#include "seal/masks.h"
#include "seal/opener.h"

// What the door costs for one identifier and one personal field. Argument: 1 = AES-256-GCM, 2 = SM4-GCM.
namespace kehu::seal {
namespace {

Settings settings_with(Cipher cipher) {
  Settings settings = Settings::defaults();
  settings.cipher = cipher;
  return settings;
}

struct House {
  explicit House(int64_t cipher) : settings(settings_with(static_cast<Cipher>(cipher))) {}

  ProjectKey key = *ProjectKey::from_bytes(std::string(ProjectKey::kBytes, 'k'));
  Settings settings;
  std::mt19937_64 random{1};
  KeyRing ring{key, settings.cipher, [this](char* bytes, size_t size) {
                 for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(random());
               }};
  Door door{ProjectId(1), key, settings, ring};
  Opener opener{key, ring};

  void make_keys_durable() {
    std::vector<uint64_t> ids;
    for (const auto& made : door.take_new_keys()) ids.push_back(made.name.key_id);
    ring.mark_durable(ids);
  }
};

void token(benchmark::State& state, const char* type_name) {
  House house(state.range(0));
  const auto type = *house.settings.find_type(type_name);
  for (auto _ : state) benchmark::DoNotOptimize(house.door.token(type, "13912345678"));
}
BENCHMARK_CAPTURE(token, plain, "user_id")->Arg(1);
BENCHMARK_CAPTURE(token, personal, "phone")->Arg(1)->Arg(2);

// 64 k owners, as a busy minute has: the ring does not stay in the first caches.
void seal_field(benchmark::State& state) {
  House house(state.range(0));
  std::vector<Token> owners;
  for (int i = 0; i < 65536; ++i) owners.push_back(house.door.token(IdentifierTypeId(0), std::to_string(i)));
  for (const auto& owner : owners) house.door.seal_field(owner, "phone", "\"13912345678\"");
  house.make_keys_durable();
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(house.door.seal_field(owners[i++ % owners.size()], "phone", "\"13912345678\""));
  }
}
BENCHMARK(seal_field)->Arg(1)->Arg(2);

// The first value of a new customer: a key is made and wrapped, and its record taken.
void seal_field_of_new_owner(benchmark::State& state) {
  House house(state.range(0));
  uint64_t n = 0;
  for (auto _ : state) {
    house.door.seal_field(Token{Hash128{++n * 0x9e3779b97f4a7c15u, n}}, "phone", "\"13912345678\"");
    if (n % 100 == 0) house.make_keys_durable();
  }
}
BENCHMARK(seal_field_of_new_owner)->Arg(1)->Arg(2)->Iterations(200'000);

void open_field(benchmark::State& state) {
  House house(state.range(0));
  const Token owner = house.door.token(IdentifierTypeId(0), "u-1");
  std::string text(house.door.seal_field(owner, "phone", "\"13912345678\""));
  text = text.substr(1, text.size() - 2);
  house.make_keys_durable();
  for (auto _ : state) benchmark::DoNotOptimize(house.opener.open_field({"phone", owner}, text));
}
BENCHMARK(open_field)->Arg(1)->Arg(2);

void seal_payload_1k(benchmark::State& state) {
  House house(state.range(0));
  const std::string text(1024, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(house.door.seal_payload(text));
}
BENCHMARK(seal_payload_1k)->Arg(1)->Arg(2);

void mask_json_without_sealed(benchmark::State& state) {
  House house(1);
  const std::string text = "{\"filler\":\"" + std::string(400, 'x') + "\"}";
  for (auto _ : state) benchmark::DoNotOptimize(mask_json(text, house.opener));
}
BENCHMARK(mask_json_without_sealed);

}  // namespace
}  // namespace kehu::seal

BENCHMARK_MAIN();
