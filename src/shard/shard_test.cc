#include "shard/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/text.h"
#include "shard/name_table.h"
#include "store/map_store.h"

namespace kehu::shard {
namespace {

constexpr int64_t kDay = 86'400'000'000;
constexpr Instant kTick(1'780'000'000'000'000);

std::shared_ptr<const Settings> settings() {
  static const auto kSettings = std::make_shared<const Settings>(Settings::defaults());
  return kSettings;
}

Identifier identifier(std::string_view type, std::string_view value) {
  const auto id = settings()->find_type(type);
  EXPECT_TRUE(id) << type;
  const uint64_t seed = id->value();
  return {.type = *id, .token = Token{hash128(value, seed)}, .value = value};
}

// What a test says of an event; the texts are literals.
struct Given {
  std::vector<Identifier> identifiers;
  std::string_view name = "Product Viewed";
  EventType type = EventType::kTrack;
  std::string_view traits = "{}";
  int64_t time = kTick.micros();
  uint64_t id = 0;
};

// Counts what is read and written.
class CountingStore final : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override { return ++gets_, store_.get(key); }
  void put(const Hash128& key, std::string_view bytes) override { ++puts_, store_.put(key, bytes); }
  void erase(const Hash128& key) override { ++puts_, store_.erase(key); }
  void prefetch(absl::Span<const Hash128>) override {}
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override {
    store_.for_each(visit);
  }

  size_t gets_ = 0, puts_ = 0;

 private:
  MapStore store_;
};

class World {
 public:
  World() : shard_(settings(), stores_) {}

  CustomerId apply(const Given& given) {
    effects_.clear();
    const std::string bytes = encode(given, next_.value());
    EXPECT_TRUE(run(RecordKind::kEvent, bytes).ok());
    return effects_.events.at(0).customer;
  }

  absl::Status run(RecordKind kind, std::string_view bytes) {
    effects_.clear();
    const LogRecord record{next_, kind, bytes};
    next_ = next_.next();
    const absl::Status status = shard_.apply({&record, 1}, kTick, effects_);
    customers_count_ += effects_.customers_delta;
    return status;
  }

  static std::string encode(const Given& given, uint64_t number) {
    Event event;
    event.project = ProjectId(1);
    event.source = SourceId(1);
    event.type = given.type;
    event.channel = Channel::kWeb;
    event.time = event.original_time = event.received_at = Instant(given.time);
    event.message_key = Hash128{1, given.id != 0 ? given.id : number};
    event.name = given.type == EventType::kTrack ? given.name : "";
    event.properties = "{}";
    event.traits = given.traits;
    event.context = "{}";
    event.identifiers = given.identifiers;
    std::string bytes;
    codec::append_event(event, bytes);
    return bytes;
  }

  uint64_t events_of(CustomerId customer) {
    const auto profile = shard_.profile(customer, kTick);
    return profile.ok() ? profile->events : 0;
  }

  CountingStore customers_;
  MapStores stores_{Space::kCustomers, customers_};
  Shard shard_;
  Effects effects_;
  Sequence next_{1};
  int64_t customers_count_ = 0;
};

TEST(Shard, AnonymousBecomesKnownAndKeepsItsHistory) {
  World world;
  const auto anonymous = identifier("anonymous_id", "a1");
  const auto user = identifier("user_id", "u1");
  const CustomerId first = world.apply({.identifiers = {anonymous}});
  const CustomerId known = world.apply({.identifiers = {user, anonymous}, .name = "Signed In"});
  const CustomerId later = world.apply({.identifiers = {user}});
  EXPECT_EQ(first, known);
  EXPECT_EQ(first, later);
  EXPECT_EQ(world.events_of(first), 3u);
  EXPECT_EQ(world.customers_count_, 1);
  const auto profile = world.shard_.profile(first, kTick);
  ASSERT_TRUE(profile.ok());
  ASSERT_EQ(profile->counters.size(), 2u);
  EXPECT_EQ(profile->counters[0].name, "Product Viewed");
  EXPECT_EQ(profile->counters[0].total, 2u);
}

// Whoever was seen first would keep its id, and all that was joined before would move, were it not the
// larger.
TEST(Shard, JoinsOfSinglesMoveOnePartEachInAnyOrder) {
  constexpr size_t kParts = 90;
  World world;
  std::vector<std::string> names;
  for (size_t n = 0; n < kParts; ++n) names.push_back(cat("a", n));
  for (size_t n = kParts; n-- > 0;) world.apply({.identifiers = {identifier("anonymous_id", names[n])}});
  for (size_t n = 0; n + 1 < kParts; ++n) {
    world.apply(
        {.identifiers = {identifier("anonymous_id", names[n]), identifier("anonymous_id", names[n + 1])}});
    EXPECT_EQ(world.effects_.moves.size(), 1u) << n;
  }
  EXPECT_EQ(world.customers_count_, 1);
  EXPECT_EQ(world.events_of(CustomerId::named_after(identifier("anonymous_id", names[1]).token)),
            2 * kParts - 1);
}

TEST(Shard, AJoinReadsAndWritesEachCustomerOnceHoweverManyPartsMove) {
  constexpr size_t kParts = 90;
  World world;
  const auto user = identifier("user_id", "u1");
  world.apply({.identifiers = {user}});
  const auto first = identifier("anonymous_id", "a0");
  world.apply({.identifiers = {first}});
  for (size_t n = 1; n < kParts; ++n) {
    const std::string name = cat("a", n);
    const auto other = identifier("anonymous_id", name);
    world.apply({.identifiers = {other}});
    world.apply({.identifiers = {first, other}});
  }
  world.customers_.gets_ = world.customers_.puts_ = 0;
  EXPECT_EQ(world.apply({.identifiers = {user, first}}), CustomerId::named_after(user.token));
  EXPECT_EQ(world.effects_.moves.size(), kParts);
  EXPECT_LE(world.customers_.gets_, 3u);
  EXPECT_LE(world.customers_.puts_, 3u);
  EXPECT_EQ(world.customers_count_, 1);
  EXPECT_EQ(world.events_of(CustomerId::named_after(user.token)), 2 * kParts + 1);
}

// A device joins two large customers, turns out to be shared, and they part again: each time all parts of one
// of them move twice. After some times they stay apart.
TEST(Shard, LargeCustomersAreNotJoinedAndSplitForEver) {
  constexpr size_t kParts = 40;
  World world;
  const auto many = [&](const char* prefix) {
    for (size_t n = 0; n < kParts; ++n) {
      world.apply({.identifiers = {identifier("anonymous_id", cat(prefix, "0")),
                                   identifier("anonymous_id", cat(prefix, n))}});
    }
  };
  many("a");
  many("b");
  world.apply({.identifiers = {identifier("user_id", "u0"), identifier("anonymous_id", "a0")}});
  size_t moves = 0;
  for (int round = 0; round < 50; ++round) {
    const std::string name = cat("d", round);
    const auto device = identifier("device_id", name);
    const auto apply = [&](std::vector<Identifier> identifiers) {
      world.apply({.identifiers = std::move(identifiers)});
      moves += world.effects_.moves.size();
    };
    apply({identifier("anonymous_id", "a0"), device});
    apply({device, identifier("anonymous_id", "b0")});
    for (const char* user : {"v1", "v2", "v3"}) apply({identifier("user_id", user), device});
  }
  EXPECT_GT(moves, 8 * kParts);
  EXPECT_LT(moves, 25 * kParts);
  EXPECT_NE(world.shard_.identities().customer_of(identifier("anonymous_id", "a0").token),
            world.shard_.identities().customer_of(identifier("anonymous_id", "b0").token));
}

TEST(Shard, MergeMovesPartsAndUnmergeBringsThemBack) {
  World world;
  const auto phone = identifier("phone", "13800000000");
  const auto email = identifier("email", "a@b.cn");
  const CustomerId a =
      world.apply({.identifiers = {phone}, .type = EventType::kIdentify, .traits = R"({"city":"上海"})"});
  const CustomerId b =
      world.apply({.identifiers = {email}, .type = EventType::kIdentify, .traits = R"({"city":"北京"})"});
  world.apply({.identifiers = {email}});
  ASSERT_NE(a, b);
  const uint64_t before = world.shard_.content_digest();

  std::string bytes;
  codec::append_merge({.winner = phone.token, .loser = email.token, .reason = "同一人", .actor = "t"}, bytes);
  const Sequence link = world.next_;
  ASSERT_TRUE(world.run(RecordKind::kMerge, bytes).ok());
  ASSERT_EQ(world.effects_.commands.size(), 1u);
  ASSERT_TRUE(world.effects_.commands[0].outcome.ok());
  EXPECT_EQ(world.events_of(a), 3u);
  EXPECT_EQ(world.events_of(b), 0u);
  EXPECT_EQ(world.customers_count_, 1);
  EXPECT_EQ(world.shard_.content_digest(), before);

  bytes.clear();
  codec::append_unmerge({.link = link, .customer = a, .reason = "不是", .actor = "t"}, bytes);
  ASSERT_TRUE(world.run(RecordKind::kUnmerge, bytes).ok());
  ASSERT_TRUE(world.effects_.commands[0].outcome.ok()) << world.effects_.commands[0].outcome.status();
  EXPECT_EQ(world.events_of(a), 1u);
  EXPECT_EQ(world.events_of(b), 2u);
  EXPECT_EQ(world.customers_count_, 2);
  EXPECT_EQ(world.shard_.profile(b, kTick)->traits.at(0).value, "\"北京\"");
}

TEST(Shard, ARefusedCommandIsAResultNotAnError) {
  World world;
  std::string bytes;
  codec::append_merge(
      {.winner = Token{Hash128{1, 1}}, .loser = Token{Hash128{2, 2}}, .reason = "r", .actor = "t"}, bytes);
  ASSERT_TRUE(world.run(RecordKind::kMerge, bytes).ok());
  ASSERT_EQ(world.effects_.commands.size(), 1u);
  EXPECT_EQ(world.effects_.commands[0].outcome.status().code(), absl::StatusCode::kNotFound);
}

std::vector<Given> random_events(std::mt19937_64& random, int count) {
  static const std::vector<std::string> kValues = [] {
    std::vector<std::string> values;
    for (int i = 0; i < 40; ++i) values.push_back("v" + std::to_string(i));
    return values;
  }();
  static constexpr std::string_view kTypes[] = {"user_id", "phone", "email", "device_id", "anonymous_id"};
  static constexpr std::string_view kNames[] = {"Product Viewed", "Product Added", "Order Completed",
                                                "页面浏览"};
  std::vector<Given> events;
  for (int i = 0; i < count; ++i) {
    Given given;
    for (const std::string_view type : kTypes) {
      if (random() % 3 == 0)
        given.identifiers.push_back(identifier(type, kValues[random() % kValues.size()]));
    }
    if (given.identifiers.empty()) given.identifiers.push_back(identifier("anonymous_id", kValues[0]));
    given.name = kNames[random() % 4];
    given.type = random() % 5 == 0 ? EventType::kIdentify : EventType::kTrack;
    if (given.type == EventType::kIdentify)
      given.traits = random() % 2 == 0 ? R"({"a":1})" : R"({"a":2,"b":"x"})";
    given.time = kTick.micros() - static_cast<int64_t>(random() % 100) * kDay;
    given.id = static_cast<uint64_t>(i + 1);
    events.push_back(std::move(given));
  }
  return events;
}

// Which identifier an event is folded under depends on identity, which depends on the order. With one
// identifier per event it does not, and then the order of a whole history must not matter at all.
TEST(Shard, TheOrderOfEventsDoesNotMatter) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::vector<Given> events = random_events(random, 1500);
  for (Given& given : events) given.identifiers.resize(1);
  uint64_t want = 0;
  for (int round = 0; round < 4; ++round) {
    World world;
    for (const Given& given : events) world.apply(given);
    if (round == 0) want = world.shard_.content_digest();
    EXPECT_EQ(world.shard_.content_digest(), want) << round;
    std::shuffle(events.begin(), events.end(), random);
  }
}

// However the log is cut into batches, the state is the same, and so is the number of customers.
TEST(Shard, TheCutIntoBatchesDoesNotMatter) {
  const uint64_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  const std::vector<Given> events = random_events(random, 3000);
  std::vector<std::string> bytes;
  for (size_t i = 0; i < events.size(); ++i) bytes.push_back(World::encode(events[i], i + 1));
  World single;
  for (const std::string& record : bytes) ASSERT_TRUE(single.run(RecordKind::kEvent, record).ok());

  World batched;
  int64_t customers = 0;
  for (size_t i = 0; i < bytes.size();) {
    std::vector<LogRecord> batch;
    for (size_t end = std::min(bytes.size(), i + 1 + random() % 700); i < end; ++i) {
      batch.push_back({Sequence(i + 1), RecordKind::kEvent, bytes[i]});
    }
    batched.effects_.clear();
    ASSERT_TRUE(batched.shard_.apply(batch, kTick, batched.effects_).ok());
    ASSERT_EQ(batched.effects_.events.size(), batch.size());
    customers += batched.effects_.customers_delta;
  }
  EXPECT_EQ(batched.shard_.digest(), single.shard_.digest());
  EXPECT_EQ(customers, single.customers_count_);

  int64_t blobs = 0;
  batched.customers_.for_each([&blobs](const Hash128&, std::string_view) { ++blobs; });
  EXPECT_EQ(customers, blobs);
}

TEST(CustomerParts, DamageIsRefused) {
  CustomerParts parts;
  ASSERT_TRUE(parts.decode("").ok());
  std::string blob;
  parts.encode_with({Token{Hash128{2, 0}}, "two"}, "", blob);
  std::string both;
  ASSERT_TRUE(parts.decode(blob).ok());
  parts.encode_with({Token{Hash128{1, 0}}, "one"}, "", both);
  ASSERT_TRUE(parts.decode(both).ok());
  ASSERT_EQ(parts.parts().size(), 2u);
  EXPECT_EQ(parts.find(Token{Hash128{1, 0}}), "one");
  EXPECT_EQ(parts.find(Token{Hash128{3, 0}}), "");
  for (size_t size = 1; size < both.size(); ++size) {
    if (size == 1 + 20 + 3) continue;  // whole first part
    EXPECT_FALSE(parts.decode(both.substr(0, size)).ok()) << size;
  }
}

std::string reminder(Instant due, std::string_view text) {
  std::string bytes;
  codec::append_reminder({.due = due, .customer = {}, .channel = "test", .text = text}, bytes);
  return bytes;
}

std::string tick_at(Instant now) {
  std::string bytes;
  codec::append_tick({.time = now}, bytes);
  return bytes;
}

TEST(Shard, WhatIsDueLeavesAnIntentAtTheFirstTickBehindIt) {
  World world;
  ASSERT_TRUE(world.run(RecordKind::kReminder, reminder(kTick + Duration::seconds(5), "tea")).ok());
  EXPECT_EQ(world.shard_.next_due(), kTick + Duration::seconds(5));
  ASSERT_TRUE(world.run(RecordKind::kTick, tick_at(kTick + Duration(4'999'999))).ok());
  EXPECT_TRUE(world.effects_.intents.empty());
  const Sequence tick = world.next_;
  ASSERT_TRUE(world.run(RecordKind::kTick, tick_at(kTick + Duration::seconds(5))).ok());
  ASSERT_EQ(world.effects_.intents.size(), 1u);
  EXPECT_EQ(world.effects_.intents[0].key, (IntentKey{tick, 0}));
  EXPECT_EQ(world.effects_.intents[0].channel, "test");
  EXPECT_EQ(world.effects_.intents[0].body, "tea");
  ASSERT_TRUE(world.run(RecordKind::kTick, tick_at(kTick + Duration::days(400))).ok());
  EXPECT_TRUE(world.effects_.intents.empty()) << "once";
  EXPECT_EQ(world.shard_.next_due(), std::nullopt);
}

TEST(Shard, AReceiptIsCountedOnce) {
  World world;
  ASSERT_TRUE(world.run(RecordKind::kReminder, reminder(kTick, "tea")).ok());
  ASSERT_TRUE(world.run(RecordKind::kTick, tick_at(kTick)).ok());
  const IntentKey key = world.effects_.intents.at(0).key;
  std::string receipt;
  codec::append_receipt({.intent = key, .outcome = IntentOutcome::kDelivered, .detail = "200"}, receipt);
  ASSERT_TRUE(world.run(RecordKind::kReceipt, receipt).ok());
  EXPECT_EQ(world.effects_.settled, std::vector<IntentKey>{key});
  ASSERT_TRUE(world.run(RecordKind::kReceipt, receipt).ok());
  EXPECT_TRUE(world.effects_.settled.empty());
  EXPECT_EQ(world.effects_.receipts_repeated, 1u);
  const auto counts = world.shard_.outbox().counts();
  ASSERT_EQ(counts.size(), 1u);
  EXPECT_EQ(counts[0].delivered, 1u);
}

TEST(Shard, ATickDoesSoMuchAndTheNextOnesGoOn) {
  World world;
  const size_t count = 3 * Shard::kTimersPerTick + 7;
  for (size_t i = 0; i < count; ++i) {
    ASSERT_TRUE(world.run(RecordKind::kReminder, reminder(kTick, cat(i))).ok());
  }
  size_t came = 0;
  for (int ticks = 0; ticks < 5; ++ticks) {
    ASSERT_TRUE(world.run(RecordKind::kTick, tick_at(kTick)).ok());
    EXPECT_LE(world.effects_.intents.size(), Shard::kTimersPerTick);
    for (const Intent& intent : world.effects_.intents) EXPECT_EQ(intent.body, cat(came++)) << "in order";
  }
  EXPECT_EQ(came, count);
}

TEST(NameTable, FindsWhatIsKnownAndWhatMayBeMeant) {
  MapStore store;
  NameTable table(store);
  for (const char* name : {"Order Completed", "Order Refunded", "city", "Opened"})
    table.learn(name_id(name), name);
  using Names = std::vector<std::string>;
  EXPECT_EQ(table.known_or_near(Names{"Opened", "city"}), (Names{"Opened", "city"}));
  EXPECT_EQ(table.known_or_near(Names{"Order Complete", "city"}),
            (Names{"Order Completed", "Order Refunded", "city"}));
  EXPECT_EQ(table.known_or_near(Names{"A much longer name than those that are there"}), Names());
  EXPECT_EQ(table.known_or_near({}), Names());
}

TEST(NameTable, IsBoundedAndSaysNothingWhenItIsFull) {
  MapStore store;
  NameTable table(store);
  const auto learn = [&table](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i)
      table.learn(name_id(cat("name ", 1'000'000 + i)), cat("name ", 1'000'000 + i));
  };
  const std::vector<std::string> asked = {"name 1234567x"};
  learn(0, NameTable::kMaxNear + 1);
  EXPECT_EQ(table.known_or_near(asked).size(), NameTable::kMaxNear);
  learn(NameTable::kMaxNear + 1, NameTable::kMaxNames);
  EXPECT_EQ(table.known_or_near(asked), asked) << "it may be one that was not learnt any more";
}

}  // namespace
}  // namespace kehu::shard
