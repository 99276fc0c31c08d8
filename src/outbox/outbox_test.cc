#include "outbox/outbox.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/text.h"
#include "store/map_store.h"

namespace kehu::outbox {
namespace {

Intent intent(uint64_t sequence, uint32_t ordinal, std::string channel, std::string body = "hello") {
  return {.key = {Sequence(sequence), ordinal},
          .channel = std::move(channel),
          .customer = CustomerId{{sequence, ordinal}},
          .body = std::move(body)};
}

Receipt receipt(const IntentKey& key, IntentOutcome outcome = IntentOutcome::kDelivered) {
  return {.intent = key, .outcome = outcome, .detail = ""};
}

TEST(Outbox, AnIntentIsThereUntilItsFirstReceipt) {
  MapStore store;
  Outbox outbox(store);
  const Intent given = intent(7, 1, "sms");
  outbox.add(given);
  const auto stored = parse_blob(place_of(given.key), store.get(place_of(given.key)));
  ASSERT_TRUE(stored.ok() && *stored);
  EXPECT_EQ((*stored)->body, "hello");
  EXPECT_EQ((*stored)->key, given.key);
  EXPECT_EQ((*stored)->customer, given.customer);
  EXPECT_TRUE(*outbox.settle(receipt(given.key)));
  EXPECT_FALSE(*outbox.settle(receipt(given.key, IntentOutcome::kRefused))) << "the first one counts";
  EXPECT_FALSE(*outbox.settle(receipt({Sequence(8), 0}))) << "there never was one";
  const auto counts = outbox.counts();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].delivered, 1u);
  EXPECT_EQ(counts[0].refused, 0u);
  EXPECT_EQ(counts[0].pending(), 0u);
}

TEST(Outbox, CountsAreOfEachChannelWhateverTheOrder) {
  std::mt19937_64 random(1);
  MapStore store;
  std::vector<IntentKey> keys;
  for (uint64_t i = 0; i < 500; ++i) {
    const Intent one = intent(i / 3 + 1, static_cast<uint32_t>(i % 3), cat("c", i % 5));
    Outbox(store).add(one);
    keys.push_back(one.key);
  }
  std::shuffle(keys.begin(), keys.end(), random);
  for (size_t i = 0; i < keys.size(); ++i) {
    Outbox outbox(store);  // begun again at any moment
    const auto outcome = i % 4 == 0 ? IntentOutcome::kRefused : IntentOutcome::kDelivered;
    if (i % 10 == 0) continue;
    EXPECT_TRUE(*outbox.settle(receipt(keys[i], outcome)));
    EXPECT_FALSE(*outbox.settle(receipt(keys[i])));
  }
  uint64_t intents = 0, pending = 0;
  for (const Counts& counts : Outbox(store).counts()) {
    intents += counts.intents;
    pending += counts.pending();
  }
  EXPECT_EQ(intents, 500u);
  EXPECT_EQ(pending, 50u);
}

}  // namespace
}  // namespace kehu::outbox
