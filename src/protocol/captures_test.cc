// Bodies that real clients put on the wire, as they were recorded, and hostile texts.
#include <algorithm>

#include "base/text.h"
#include "gtest/gtest.h"
#include "intake/segment.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "json/document.h"
#include "json/test_vectors.h"
#include "json/writer.h"
#include "protocol/posthog.h"

namespace kehu::protocol {
namespace {

constexpr const char* kClients[] = {
    "segment-node",         "segment-node-retry", "segment-python",    "segment-python-gzip",
    "segment-python-retry", "segment-web",        "segment-web-batch", "segment-web-cors",
    "rudder-node",          "rudder-node-nogzip", "rudder-node-retry", "rudder-web",
    "rudder-web-batch",
};

struct Capture {
  intake::SegmentCall call;
  std::string body;
};

// The recorded requests of one client, in order.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The tracking calls among them.
std::vector<Capture> captures_of(const std::filesystem::path& folder) {
  std::vector<Capture> captures;
  for (const auto& file : files_of(folder)) {
    const auto document = json::Document::parse(read_whole_file(file));
    KEHU_CHECK(document.ok());
    const json::Value root = document->root();
    const std::string url = root.find("url").as_string().value_or("");
    if (root.find("method").as_string() != "POST" || !url.starts_with("/v1/")) continue;
    const auto call = intake::parse_segment_call(std::string_view(url).substr(4, url.find('?') - 4));
    if (call && root.find("json").is_object())
      captures.push_back({*call, std::string(root.find("json").raw())});
  }
  return captures;
}

std::string text_of(const json::Value& value) { return value.as_string().value_or(std::string(value.raw())); }

void expect_same_fields(const json::Value& sent, const Event& event, std::string_view client) {
  if (sent.find("type").exists()) {
    EXPECT_EQ(to_string(event.type), text_of(sent.find("type"))) << client;
  }
  EXPECT_EQ(event.message_id, text_of(sent.find("messageId"))) << client;
  if (event.type == EventType::kTrack) {
    EXPECT_EQ(event.name, text_of(sent.find("event"))) << client;
  }
  if (!sent.find("userId").as_string().value_or("").empty()) {
    EXPECT_EQ(event.identifiers[0].value, text_of(sent.find("userId"))) << client;
  } else {
    EXPECT_EQ(event.identifiers[0].value, text_of(sent.find("anonymousId"))) << client;
  }
  const bool plain = event.type == EventType::kTrack && sent.find("properties").is_object();
  if (plain) {
    EXPECT_EQ(event.properties, sent.find("properties").raw()) << client;
  }
  EXPECT_LE(event.original_time.micros(), event.received_at.micros() + 3'600'000'000) << client;
}

TEST(Captures, RealClientsAreUnderstood) {
  KEHU_SKIP_WITHOUT(shared_vectors() / "captures");
  intake::TestDoor door;
  door.sender.received_at = Instant::from_seconds(1'795'310'000);
  intake::SegmentDecoder decoder;
  size_t events = 0;
  for (const char* client : kClients) {
    const auto captures = captures_of(shared_vectors() / "captures" / client);
    EXPECT_FALSE(captures.empty()) << client;
    for (const Capture& capture : captures) {
      intake::Intake intake;
      ASSERT_FALSE(decoder.open(capture.call, capture.body)) << client;
      decoder.decode(door.sender, intake);
      const intake::Records records(intake);
      EXPECT_TRUE(records.rejections.empty())
          << client << ": " << to_string(records.rejections[0].reason) << " " << records.rejections[0].path;
      const auto document = json::Document::parse(capture.body);
      const json::Value batch = document->root().find("batch");
      ASSERT_EQ(records.events.size(), batch.exists() ? batch.size() : 1) << client;
      for (size_t i = 0; i < records.events.size(); ++i) {
        expect_same_fields(batch.exists() ? batch.at(i) : document->root(), records.event(i), client);
      }
      events += records.events.size();
    }
  }
  EXPECT_GE(events, 40u);
}

// What a client sends again after an error is the same event to us.
TEST(Captures, RetriesAreRepeats) {
  KEHU_SKIP_WITHOUT(shared_vectors() / "captures");
  intake::TestDoor door;
  intake::SegmentDecoder decoder;
  for (const char* client : {"segment-node-retry", "segment-python-retry", "rudder-node-retry"}) {
    std::vector<std::pair<Hash128, uint64_t>> first;
    size_t repeats = 0;
    for (const Capture& capture : captures_of(shared_vectors() / "captures" / client)) {
      door.sender.received_at = door.sender.received_at + Duration::hours(1);
      intake::Intake intake;
      ASSERT_FALSE(decoder.open(capture.call, capture.body)) << client;
      decoder.decode(door.sender, intake);
      for (const auto& entry : intake.records.entries) {
        if (entry.kind != RecordKind::kEvent) continue;
        const std::pair key(entry.message_key, entry.body_hash);
        for (const auto& known : first) {
          if (known.first != key.first) continue;
          EXPECT_EQ(known.second, key.second) << client;
          ++repeats;
        }
        first.push_back(key);
      }
    }
    EXPECT_GT(repeats, 0u) << client;
  }
}

std::string posthog_text(const json::Value& capture) {
  if (capture.find("json").is_object()) return std::string(capture.find("json").raw());
  return text_of(capture.find("decoded"));
}

// Of the names of PostHog's, what the events become.
EventType posthog_type(std::string_view name) {
  if (name == "$identify" || name == "$set" || name == "$set_once") return EventType::kIdentify;
  if (name == "$create_alias") return EventType::kAlias;
  if (name == "$groupidentify") return EventType::kGroup;
  return name == "$pageview" ? EventType::kPage : EventType::kTrack;
}

void expect_same_event(const json::Value& sent, const Event& event) {
  const std::string name = text_of(sent.find("event"));
  EXPECT_EQ(event.type, posthog_type(name)) << name;
  EXPECT_EQ(event.message_id, text_of(sent.find("uuid")));
  const json::Value properties = sent.find("properties");
  const bool outside = sent.find("distinct_id").exists();
  const std::string id = text_of((outside ? sent : properties).find("distinct_id"));
  EXPECT_TRUE(std::any_of(event.identifiers.begin(), event.identifiers.end(),
                          [&](const Identifier& identifier) { return identifier.value == id; }))
      << name;
  const auto kept = json::Document::parse(event.properties);
  const auto traits = json::Document::parse(event.traits);
  const json::Value once = properties.find("$set_once");
  if (once.exists() && !once.is_null()) {
    EXPECT_EQ(traits->root().find("$set_once").raw(), once.raw()) << name;
  }
  for (const json::Value::Member& member : properties) {
    const bool moved = member.key == "distinct_id" || member.key == "token" || member.key == "$set" ||
                       member.key == "$set_once" || member.key == "$unset" ||
                       member.key == "$anon_distinct_id" || member.key == "$group_set";
    const json::Value found = kept->root().find(member.key);
    EXPECT_EQ(found.exists(), !moved) << name << " " << member.key;
    if (moved || found.is_object()) continue;  // objects may hold sealed values
    EXPECT_EQ(found.raw(), member.value.raw()) << name << " " << member.key;
  }
}

TEST(Captures, PostHogIsUnderstood) {
  KEHU_SKIP_WITHOUT(shared_vectors() / "captures");
  intake::TestDoor door;
  door.sender.received_at = Instant::from_seconds(1'795'310'000);
  PostHogDecoder decoder;
  std::vector<std::pair<Hash128, uint64_t>> first;
  size_t events = 0;
  for (const int round : {0, 1}) {
    size_t at = 0;
    for (const char* client : {"posthog-node", "posthog-web"}) {
      for (const auto& file : files_of(shared_vectors() / "captures" / client)) {
        const auto capture = json::Document::parse(read_whole_file(file));
        const std::string url = text_of(capture->root().find("url"));
        if (text_of(capture->root().find("method")) != "POST" || url.starts_with("/flags")) continue;
        const std::string body = posthog_text(capture->root());
        std::string scratch;
        const auto text = posthog_json(body, "", 1 << 20, scratch);
        ASSERT_TRUE(text.ok()) << file << ": " << text.status();
        ASSERT_FALSE(decoder.open(*text)) << file;
        EXPECT_EQ(decoder.write_key(), "phc_test") << file;
        intake::Intake intake;
        decoder.decode(door.sender, intake);
        const intake::Records records(intake);
        ASSERT_TRUE(records.rejections.empty()) << file << ": " << records.rejections[0].detail;
        const auto sent = json::Document::parse(*text);
        const json::Value batch = sent->root().find("batch");
        ASSERT_EQ(records.events.size(), batch.size()) << file;
        for (size_t i = 0; i < batch.size(); ++i) {
          expect_same_event(batch.at(i), records.event(i));
          const std::pair key(records.event(i).message_key, records.event(i).body_hash);
          if (round == 0) first.push_back(key);
          EXPECT_EQ(first[at++], key) << "sent again it is the same event: " << file;
        }
        events += batch.size();
      }
    }
    door.sender.received_at = door.sender.received_at + Duration::hours(1);
  }
  EXPECT_GE(events, 18u);
}

TEST(NaughtyStrings, GoThroughAsValuesKeysAndNames) {
  const auto file = shared_vectors() / "blns.json";
  KEHU_SKIP_WITHOUT(file);
  const auto list = json::Document::parse(read_whole_file(file));
  ASSERT_TRUE(list.ok());
  intake::TestDoor door;
  intake::SegmentDecoder decoder;
  size_t accepted = 0;
  for (const json::Value::Member& member : list->root()) {
    const std::string text = *member.value.as_string();
    std::string body;
    json::Writer(body)
        .begin_object()
        .field("event", "E")
        .field("userId", cat("u", text))
        .field("anonymousId", "a1")
        .field("messageId", "m")
        .key("properties")
        .begin_object()
        .field("v", text)
        .field(cat("k", text), 1)
        .end_object()
        .end_object();
    intake::Intake intake;
    ASSERT_FALSE(decoder.open(intake::SegmentCall::kTrack, body));
    decoder.decode(door.sender, intake);
    const intake::Records records(intake);
    if (!records.rejections.empty()) {
      EXPECT_EQ(records.rejections[0].reason, Reason::kIdentifierTooLong) << text;
      continue;
    }
    ++accepted;
    const auto properties = json::Document::parse(records.event().properties);
    ASSERT_TRUE(properties.ok()) << text;
    EXPECT_EQ(properties->root().find("v").as_string(), text);
    EXPECT_TRUE(properties->root().find(cat("k", text)).exists()) << text;
  }
  EXPECT_GE(accepted, 500u);
}

}  // namespace
}  // namespace kehu::protocol
