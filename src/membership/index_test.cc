#include "membership/index.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "base/test_rounds.h"
#include "state/database.h"
#include "state/store.h"
#include "store/map_store.h"

namespace kehu::membership {
namespace {

constexpr RuleId kA{1}, kB{2}, kC{3};

CustomerId customer(uint32_t number) { return CustomerId{Hash128{number, 7}}; }

TEST(Index, PagesAndOverlapsAreThoseOfSets) {
  MapStore store;
  Index index(store);
  constexpr uint32_t kCustomers = 20'000;
  for (uint32_t i = 1; i <= kCustomers; ++i) EXPECT_EQ(index.add(customer(i)), i);
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937_64 dice(seed);
  std::map<RuleId, std::set<uint32_t>> sets;
  for (int i = 0; i < 60'000; ++i) {
    const RuleId rule = RuleId(static_cast<uint32_t>(dice() % 3 + 1));
    const auto number = static_cast<uint32_t>(dice() % kCustomers + 1);
    if (dice() % 4 == 0) {
      index.leave(rule, number);
      sets[rule].erase(number);
    } else {
      index.enter(rule, number);
      sets[rule].insert(number);
    }
  }
  uint64_t two = 0, three = 0;
  for (const uint32_t number : sets[kA]) {
    two += sets[kB].contains(number);
    three += sets[kB].contains(number) && sets[kC].contains(number);
  }
  EXPECT_EQ(index.size(kA), sets[kA].size());
  index.settle();
  EXPECT_EQ(index.size(kA), sets[kA].size());
  EXPECT_EQ(Index(store).size(kA), sets[kA].size());
  EXPECT_EQ(index.overlap({{kA, kB}}), two);
  EXPECT_EQ(index.overlap({{kA, kB, kC}}), three);
  EXPECT_EQ(index.overlap({{kB}}), sets[kB].size());
  EXPECT_EQ(index.overlap({}), 0u);
  EXPECT_EQ(index.overlap({{kA, RuleId(9)}}), 0u);
  std::vector<CustomerId> paged, all;
  for (uint32_t from = 0, first = 1; first == 1 || from != 0; first = 0) {
    const Index::Page page = index.page(kA, from, 997);
    paged.insert(paged.end(), page.customers.begin(), page.customers.end());
    from = page.next;
  }
  for (const uint32_t number : sets[kA]) all.push_back(customer(number));
  EXPECT_EQ(paged, all);
  index.forget(kB);
  EXPECT_EQ(index.overlap({{kA, kB}}), 0u);
  EXPECT_EQ(index.overlap({{kA}}), sets[kA].size());
}

// Two segments of as many members; with KEHU_LONG of ten millions each, as the state of a server holds them.
TEST(Index, OverlapOfLargeSegments) {
  const std::string directory = testing::TempDir() + "index_test_state";
  std::filesystem::remove_all(directory);
  const auto database = state::Database::open(directory, 1 << 20);
  ASSERT_TRUE(database.ok()) << database.status();
  state::Store store(Space::kTotals, database->get());
  Index index(store);
  const auto members = static_cast<uint32_t>(rounds(100'000, 10'000'000));
  for (uint32_t i = 1; i <= members + members / 5; ++i) {
    index.add(customer(i));
    if (i <= members) index.enter(kA, i);
    if (i > members / 5) index.enter(kB, i);
  }
  index.settle();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(index.overlap({{kA, kB}}), members - members / 5);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
  std::cout << "overlap of two segments of " << members << ": " << took.count() << " ms" << std::endl;
}

}  // namespace
}  // namespace kehu::membership
