#include "feed/delivery_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace kehu::feed {
namespace {

TEST(DeliveryOrder, AMarkIsReachedWhenAllBeforeItHasArrived) {
  DeliveryOrder order;
  order.mark(Sequence(5));
  EXPECT_EQ(order.reached(), Sequence(5));  // nothing was sent before it
  const uint64_t a = order.next();
  order.add();
  const uint64_t b = order.next();
  order.add();
  order.mark(Sequence(7));
  order.arrived(b);
  EXPECT_EQ(order.reached(), Sequence(5));
  order.mark(Sequence(9));
  order.arrived(a);
  EXPECT_EQ(order.reached(), Sequence(9));
}

TEST(DeliveryOrder, ReachesWhatAPlainCountReaches) {
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  DeliveryOrder order;
  std::vector<uint64_t> under_way;
  std::vector<bool> arrived;
  std::vector<std::pair<size_t, Sequence>> marks;  // and how many messages are before it
  for (uint64_t i = 1; i <= 5000; ++i) {
    if (random() % 2 == 0) {
      under_way.push_back(order.next());
      order.add();
      arrived.push_back(false);
    }
    if (random() % 3 == 0) {
      order.mark(Sequence(i));
      marks.emplace_back(arrived.size(), Sequence(i));
    }
    if (!under_way.empty() && random() % 2 == 0) {
      const size_t which = random() % std::min<size_t>(under_way.size(), 8);
      const uint64_t number = under_way[which];
      under_way.erase(under_way.begin() + static_cast<ptrdiff_t>(which));
      order.arrived(number);
      arrived[number] = true;
    }
    const auto first = std::find(arrived.begin(), arrived.end(), false);
    const auto missing = static_cast<size_t>(first - arrived.begin());
    Sequence want;
    for (const auto& [before, position] : marks) want = before <= missing ? position : want;
    ASSERT_EQ(order.reached(), want) << i;
  }
}

}  // namespace
}  // namespace kehu::feed
