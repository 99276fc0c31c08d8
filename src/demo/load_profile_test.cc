#include "demo/load_profile.h"

#include <gtest/gtest.h>

#include <set>

#include "json/document.h"

namespace kehu::demo {
namespace {

constexpr Instant kNow = Instant::from_seconds(1'780'000'000);

TEST(LoadProfile, EventsHaveTheSizeOfTheBenchmarkTable) {
  LoadProfile load({.seed = 1, .customers = 10'000'000});
  std::string body;
  size_t least = SIZE_MAX, most = 0, sum = 0;
  constexpr int kCalls = 20'000;
  for (int i = 0; i < kCalls; ++i) {
    load.next_call(kNow, body);
    least = std::min(least, body.size());
    most = std::max(most, body.size());
    sum += body.size();
  }
  EXPECT_GE(least, 360u);
  EXPECT_LE(most, 410u);
  EXPECT_GE(sum / kCalls, 370u);
  EXPECT_LE(sum / kCalls, 400u);
}

TEST(LoadProfile, BatchesAreJsonWithMessageIdsOfTheirOwn) {
  std::set<std::string> ids;
  for (const uint64_t seed : {1, 2}) {
    LoadProfile load({.seed = seed, .customers = 100});
    std::string body;
    for (int round = 0; round < 3; ++round) {
      load.next_batch(100, kNow, body);
      const auto document = json::Document::parse(body);
      ASSERT_TRUE(document.ok()) << document.status();
      const json::Value batch = document->root().find("batch");
      ASSERT_EQ(batch.size(), 100u);
      for (const json::Value::Member& event : batch) ids.insert(*event.value.find("messageId").as_string());
    }
  }
  EXPECT_EQ(ids.size(), 600u);
}

TEST(LoadProfile, CustomersAreUniform) {
  LoadProfile load({.seed = 1, .customers = 10});
  std::string body;
  load.next_batch(10'000, kNow, body);
  for (int i = 0; i < 10; ++i) {
    const std::string id = "M1000000" + std::to_string(i);
    size_t count = 0;
    for (size_t at = body.find(id); at != std::string::npos; at = body.find(id, at + 1)) ++count;
    EXPECT_NEAR(static_cast<double>(count), 1000, 150) << id;
  }
}

}  // namespace
}  // namespace kehu::demo
