#include "shard/notices.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "json/document.h"
#include "store/map_store.h"

namespace kehu::shard {
namespace {

constexpr Instant kAt = Instant::from_seconds(1'780'000'000);

class NoticesTest : public testing::Test {
 protected:
  void hook(uint32_t id, std::optional<std::vector<std::string>> segments, bool enabled = true) {
    definition::Webhook webhook;
    webhook.id = id;
    webhook.segments = std::move(segments);
    webhook.enabled = enabled;
    webhooks_.push_back(std::make_shared<const definition::Webhook>(webhook));
    notices_.use(webhooks_);
  }
  void change(uint64_t sequence, const membership::Label& rule, rule::Value before, rule::Value after) {
    notices_.changed({.customer = CustomerId{{0, 7}},
                      .sequence = Sequence(sequence),
                      .change = {.rule = {}, .kind = rule.kind, .at = kAt, .before = before, .after = after},
                      .live = true,
                      .rule = &rule},
                     kAt + Duration::seconds(1), effects_);
  }
  std::vector<std::string> channels() const {
    std::vector<std::string> names;
    for (const Intent& intent : effects_.intents) names.push_back(intent.channel);
    return names;
  }

  MapStore store_;
  outbox::Outbox outbox_{store_};
  Notices notices_{outbox_};
  Effects effects_;
  std::vector<std::shared_ptr<const definition::Webhook>> webhooks_;
  const membership::Label vip_{.kind = rule::Kind::kSegment, .name = "VIP", .version = Sequence(3)};
  const membership::Label stage_{.kind = rule::Kind::kTag, .name = "stage", .version = Sequence(4)};
};

TEST_F(NoticesTest, EveryoneWhoWantsItIsTold) {
  hook(1, std::nullopt);
  hook(2, std::vector<std::string>{"other"});
  hook(3, std::vector<std::string>{"VIP"});
  hook(4, std::nullopt, false);
  change(10, vip_, {}, rule::Value::of(true));
  EXPECT_EQ(channels(), (std::vector<std::string>{"webhook:1", "webhook:3"}));
  EXPECT_EQ(effects_.intents[0].key, (IntentKey{Sequence(10), 0}));
  EXPECT_EQ(effects_.intents[1].key, (IntentKey{Sequence(10), 1}));
  EXPECT_EQ(
      effects_.intents[1].body,
      cat(R"({"type":"segment.entered","timestamp":"2026-05-28T20:26:40.000Z","noted":"2026-05-28T20:26:41.000Z",)",
          R"("data":{"name":"VIP","version":3,"customer_id":")", CustomerId{{0, 7}}.hash.hex(),
          R"(","since":"2026-05-28T20:26:40.000Z","before":false,"after":true}})"));
  change(10, vip_, rule::Value::of(true), {});
  EXPECT_EQ(effects_.intents[2].key, (IntentKey{Sequence(10), 2}));
  EXPECT_NE(effects_.intents[2].body.find("segment.left"), std::string::npos);
  change(11, stage_, rule::Value::of(std::string_view("潜客")), {});
  EXPECT_EQ(effects_.intents[4].key, (IntentKey{Sequence(11), 0}));
  EXPECT_NE(effects_.intents[4].body.find(R"("before":"潜客","after":null)"), std::string::npos)
      << effects_.intents[4].body;
  EXPECT_EQ(outbox_.counts().size(), 3u) << "what leaves is in the outbox as well: 2 wants tags";
}

TEST_F(NoticesTest, AVersionIsOneMessage) {
  hook(1, std::nullopt);
  notices_.updated({.rule = &vip_, .sequence = Sequence(5), .at = kAt}, 1'000'000, kAt, effects_);
  notices_.updated({.rule = &stage_, .sequence = Sequence(5), .at = kAt, .in_force = false}, 0, kAt,
                   effects_);
  ASSERT_EQ(effects_.intents.size(), 2u);
  EXPECT_TRUE(effects_.intents[0].customer.hash.is_zero());
  EXPECT_NE(effects_.intents[0].body.find(R"("type":"segment.updated")"), std::string::npos);
  EXPECT_NE(effects_.intents[0].body.find(R"({"name":"VIP","version":3,"size":1000000})"), std::string::npos);
  EXPECT_NE(effects_.intents[1].body.find(R"("type":"tag.deleted")"), std::string::npos);
}

}  // namespace
}  // namespace kehu::shard
