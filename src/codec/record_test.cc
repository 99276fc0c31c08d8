#include "codec/record.h"

#include <gtest/gtest.h>

#include <random>

namespace kehu::codec {
namespace {

Event sample(absl::Span<const Identifier> identifiers) {
  Event event;
  event.project = ProjectId(1);
  event.source = SourceId(7);
  event.type = EventType::kTrack;
  event.channel = Channel::kMiniProgram;
  event.time = Instant(1'700'000'000'000'001);
  event.received_at = Instant(1'700'000'000'000'002);
  event.original_time = Instant(1'700'000'000'000'003);
  event.message_key = Hash128{11, 12};
  event.body_hash = 13;
  event.message_id = "m-1";
  event.name = "商品浏览";
  event.properties = R"({"price":12.5})";
  event.traits = "{}";
  event.context = R"({"ip":"127.0.0.1"})";
  event.identifiers = identifiers;
  return event;
}

const Identifier kIdentifiers[] = {
    {.type = IdentifierTypeId(0), .token = Token{Hash128{1, 2}}, .value = "u1"},
    {.type = IdentifierTypeId(3),
     .left_out = LeftOut::kBlocked,
     .sealed = true,
     .previous = true,
     .token = Token{Hash128{3, 4}},
     .value = std::string_view("\0\1\2", 3)},
};

TEST(EventRecord, RoundTrip) {
  const Event event = sample(kIdentifiers);
  std::string bytes;
  append_event(event, bytes);
  EventRecord record;
  ASSERT_TRUE(record.decode(bytes).ok());
  const Event& got = record.event();
  EXPECT_EQ(got.project, event.project);
  EXPECT_EQ(got.source, event.source);
  EXPECT_EQ(got.type, event.type);
  EXPECT_EQ(got.channel, event.channel);
  EXPECT_EQ(got.time, event.time);
  EXPECT_EQ(got.received_at, event.received_at);
  EXPECT_EQ(got.original_time, event.original_time);
  EXPECT_EQ(got.message_key, event.message_key);
  EXPECT_EQ(got.body_hash, event.body_hash);
  EXPECT_EQ(got.message_id, event.message_id);
  EXPECT_EQ(got.name, event.name);
  EXPECT_EQ(got.properties, event.properties);
  EXPECT_EQ(got.traits, event.traits);
  EXPECT_EQ(got.context, event.context);
  ASSERT_EQ(got.identifiers.size(), 2u);
  EXPECT_EQ(got.identifiers[1].left_out, LeftOut::kBlocked);
  EXPECT_TRUE(got.identifiers[1].sealed);
  EXPECT_TRUE(got.identifiers[1].previous);
  EXPECT_EQ(got.identifiers[1].token, kIdentifiers[1].token);
  EXPECT_EQ(got.identifiers[1].value, kIdentifiers[1].value);
}

// The log thread reads these two places of the bytes without decoding them.
TEST(EventRecord, KeysLieAtTheirPublishedOffsets) {
  std::string bytes;
  append_event(sample(kIdentifiers), bytes);
  Hash128 key;
  std::memcpy(&key, bytes.data() + kEventKeyOffset, sizeof(key));
  EXPECT_EQ(key, (Hash128{11, 12}));
  uint64_t body;
  std::memcpy(&body, bytes.data() + kEventBodyHashOffset, sizeof(body));
  EXPECT_EQ(body, 13u);
}

TEST(EventRecord, EveryTruncationIsRefused) {
  std::string bytes;
  append_event(sample(kIdentifiers), bytes);
  EventRecord record;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(record.decode(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(record.decode(bytes + "x").ok());
}

TEST(EventRecord, AChannelByNameHasAVersionOfItsOwn) {
  Event event = sample(kIdentifiers);
  std::string numbered;
  append_event(event, numbered);
  EXPECT_EQ(numbered[0], 1);

  event.channel = ChannelName("企业微信 2");
  std::string named;
  append_event(event, named);
  EXPECT_EQ(named[0], 2);
  EventRecord record;
  ASSERT_TRUE(record.decode(named).ok());
  EXPECT_EQ(record.event().channel, event.channel);
  EXPECT_EQ(record.event().context, event.context);
  ASSERT_TRUE(record.decode(numbered).ok());
  EXPECT_EQ(record.event().channel, Channel::kMiniProgram);

  for (const size_t at : {size_t{0}, size_t{2}, size_t{44}}) {
    std::string damaged = named;
    damaged[at] = 0;
    EXPECT_FALSE(record.decode(damaged).ok()) << at;
    damaged = numbered;
    damaged[at] = 99;
    EXPECT_FALSE(record.decode(damaged).ok()) << at;
  }
}

TEST(EventRecord, DamagedBytesNeverReadOutside) {
  std::string bytes;
  append_event(sample(kIdentifiers), bytes);
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  EventRecord record;
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = bytes;
    damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    (void)record.decode(damaged);  // any verdict; the sanitizers watch the reads
  }
}

// Version 1 says in which form the payload is by nothing but the origin.
TEST(Records, FormsOfRejections) {
  constexpr struct {
    std::string_view origin;
    Protocol protocol;
    std::optional<EventType> type;
  } kCases[] = {
      {"/v1/batch", Protocol::kSegment, std::nullopt},
      {"/v1/t", Protocol::kSegment, EventType::kTrack},
      {"/sdk/alias", Protocol::kSegment, EventType::kAlias},
      {"/beacon/v1/batch", Protocol::kRudder, std::nullopt},
      {"/pixel/v1/page", Protocol::kRudder, EventType::kPage},
      {"/sa.gif:3", Protocol::kSensors, std::nullopt},
      {"/debug", Protocol::kSensors, std::nullopt},
      {"/i/v0/e/:2", Protocol::kPostHog, std::nullopt},
      {"/track", Protocol::kPostHog, std::nullopt},
      {"/api/v1/cloudevents:1", Protocol::kCloudEvents, std::nullopt},
      {"/api/v1/stream:1", Protocol::kStream, std::nullopt},
      {"/api/v1/events:9", Protocol::kEvents, std::nullopt},
      {"orders.csv:17", Protocol::kEvents, std::nullopt},
      {"", Protocol::kEvents, std::nullopt},
  };
  for (const auto& c : kCases) {
    std::string bytes;
    Rejection given;
    given.origin = c.origin;
    given.protocol = c.protocol;
    given.type = c.type;
    append_rejection(given, bytes);
    const auto now = decode_rejection(bytes);
    ASSERT_TRUE(now.ok()) << c.origin;
    EXPECT_EQ(std::pair(now->protocol, now->type), std::pair(c.protocol, c.type)) << c.origin;
    bytes[0] = 1;
    EXPECT_FALSE(decode_rejection(bytes).ok()) << c.origin;
    bytes.resize(bytes.size() - 2);
    const auto former = decode_rejection(bytes);
    ASSERT_TRUE(former.ok()) << c.origin;
    EXPECT_EQ(std::pair(former->protocol, former->type), std::pair(c.protocol, c.type)) << c.origin;
  }
}

TEST(Records, ARejectionOfAnUnknownFormIsDamaged) {
  std::string good;
  Rejection given;
  given.type = EventType::kAlias;
  append_rejection(given, good);
  for (const auto& [from_end, value] : {std::pair(2, '\0'), std::pair(2, '\x08'), std::pair(1, '\x07')}) {
    std::string bytes = good;
    bytes[bytes.size() - static_cast<size_t>(from_end)] = value;
    EXPECT_FALSE(decode_rejection(bytes).ok());
  }
}

TEST(Records, RoundTrip) {
  std::string bytes;
  append_rejection({.project = ProjectId(1),
                    .source = SourceId(2),
                    .reason = Reason::kNoIdentifier,
                    .received_at = Instant(5),
                    .repeat_key = Hash128{8, 9},
                    .path = "/batch/3",
                    .detail = "d",
                    .origin = "/v1/batch",
                    .sealed_payload = "xyz"},
                   bytes);
  const auto rejection = decode_rejection(bytes);
  ASSERT_TRUE(rejection.ok());
  EXPECT_EQ(rejection->reason, Reason::kNoIdentifier);
  EXPECT_EQ(rejection->path, "/batch/3");
  EXPECT_EQ(rejection->repeat_key, (Hash128{8, 9}));
  Hash128 repeat_key;
  std::memcpy(&repeat_key, bytes.data() + kRejectionKeyOffset, sizeof(repeat_key));
  EXPECT_EQ(repeat_key, rejection->repeat_key);
  EXPECT_EQ(rejection->sealed_payload, "xyz");

  bytes.clear();
  append_data_key({.token = Token{Hash128{1, 2}}, .key_id = 9, .wrapped = "w"}, bytes);
  const auto key = decode_data_key(bytes);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->token, (Token{Hash128{1, 2}}));
  EXPECT_EQ(key->key_id, 9u);
  EXPECT_EQ(key->wrapped, "w");

  bytes.clear();
  append_merge({.winner = {Hash128{1, 2}}, .loser = {Hash128{3, 4}}, .reason = "r", .actor = "a"}, bytes);
  const auto merge = decode_merge(bytes);
  ASSERT_TRUE(merge.ok());
  EXPECT_EQ(merge->loser, (Token{Hash128{3, 4}}));

  bytes.clear();
  append_unmerge({.link = Sequence(4), .customer = {Hash128{1, 2}}, .reason = "r", .actor = "a"}, bytes);
  const auto unmerge = decode_unmerge(bytes);
  ASSERT_TRUE(unmerge.ok());
  EXPECT_EQ(unmerge->link, Sequence(4));

  bytes.clear();
  const Definition given{.kind = "source", .name = "n", .body = "{}", .actor = "a"};
  append_definitions({&given, 1}, bytes);
  EXPECT_EQ(bytes[0], 1) << "as every kehu reads it";
  const auto definition = decode_definitions(bytes);
  ASSERT_TRUE(definition.ok());
  ASSERT_EQ(definition->size(), 1u);
  EXPECT_EQ(definition->front().name, "n");
  EXPECT_EQ(definition->front().base, std::nullopt);

  bytes.clear();
  const Definition several[] = {
      {.kind = "source", .name = "n", .body = "{}", .actor = "a", .base = Sequence(7)},
      {.kind = "source", .name = "m", .body = "", .actor = "a", .base = Sequence(8), .deleted = true}};
  append_definitions(several, bytes);
  const auto changes = decode_definitions(bytes);
  ASSERT_TRUE(changes.ok());
  ASSERT_EQ(changes->size(), 2u);
  EXPECT_EQ((*changes)[0].base, Sequence(7));
  EXPECT_EQ((*changes)[1].actor, "a");
  EXPECT_TRUE((*changes)[1].deleted);

  bytes.clear();
  append_rejection_closed({.rejection = Sequence(3), .outcome = RejectionOutcome::kDiscarded, .actor = "a"},
                          bytes);
  const auto closed = decode_rejection_closed(bytes);
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ(closed->outcome, RejectionOutcome::kDiscarded);

  bytes.clear();
  append_reveal({.customer = {Hash128{1, 2}}, .field = "phone", .reason = "r", .actor = "a"}, bytes);
  const auto reveal = decode_reveal(bytes);
  ASSERT_TRUE(reveal.ok());
  EXPECT_EQ(reveal->field, "phone");
}

}  // namespace
}  // namespace kehu::codec
