#include "shard/shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "shard/map_store.h"

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

class World {
 public:
  World()
      : shard_(settings(), {.nodes = nodes_, .groups = groups_, .customers = customers_, .names = names_}) {}

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

  MapStore nodes_, groups_, customers_, names_;
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
  parts.encode_with(Token{Hash128{2, 0}}, "two", blob);
  std::string both;
  ASSERT_TRUE(parts.decode(blob).ok());
  parts.encode_with(Token{Hash128{1, 0}}, "one", both);
  ASSERT_TRUE(parts.decode(both).ok());
  ASSERT_EQ(parts.parts().size(), 2u);
  EXPECT_EQ(parts.find(Token{Hash128{1, 0}}), "one");
  EXPECT_EQ(parts.find(Token{Hash128{3, 0}}), "");
  for (size_t size = 1; size < both.size(); ++size) {
    if (size == 1 + 20 + 3) continue;  // whole first part
    EXPECT_FALSE(parts.decode(both.substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace kehu::shard
