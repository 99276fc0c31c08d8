// Requests that the real SDKs of Sensors Analytics put on the wire, as they were recorded.
#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "coding/inflate.h"
#include "gtest/gtest.h"
#include "intake/test_door.h"
#include "intake/test_records.h"
#include "json/document.h"
#include "json/test_vectors.h"
#include "sensors/decoder.h"
#include "sensors/names.h"

namespace kehu::sensors {
namespace {

struct Client {
  const char* name;
  const char* channel;
  // What the program called, in its order: the records' types and events.
  const char* calls;
};

constexpr const char* kWebCalls =
    "$pageview profile_set_once BuyOrder $SignUp profile_set profile_set_once profile_increment "
    "profile_append "
    "profile_unset item_set item_delete $BindID $UnbindID profile_delete $WebClick $WebStay";
// The page went before its stay was sent.
constexpr const char* kWebBatchCalls =
    "$pageview profile_set_once BuyOrder $SignUp profile_set profile_set_once profile_increment "
    "profile_append "
    "profile_unset item_set item_delete $BindID $UnbindID profile_delete $WebClick";
constexpr const char* kNodeCalls =
    "ViewItem $SignUp profile_set profile_set_once profile_increment profile_append profile_unset item_set "
    "item_delete";
constexpr const char* kPythonCalls =
    "BuyOrder $SignUp profile_set profile_set_once profile_increment profile_append profile_unset "
    "profile_delete "
    "item_set item_delete $BindID $UnbindID E";

// Stopped where this SDK's debug mode does.
constexpr const char* kPythonDebugCalls =
    "BuyOrder $SignUp profile_set profile_set_once profile_increment profile_append profile_unset "
    "profile_delete "
    "item_set item_delete $BindID";

constexpr Client kClients[] = {
    {"sa-web-image", "web", kWebCalls},
    {"sa-web-beacon", "web", kWebCalls},
    {"sa-web-batch", "web", kWebBatchCalls},
    {"sa-node", "server", kNodeCalls},
    {"sa-node-debug", "server", kNodeCalls},
    {"sa-node-nogzip", "server", kNodeCalls},
    {"sa-python-default", "server", kPythonCalls},
    {"sa-python-batch", "server", kPythonCalls},
    {"sa-python-debug", "server", kPythonDebugCalls},
    {"sa-miniprogram", "mini_program",
     "profile_set_once BuyOrder $SignUp profile_set profile_set_once profile_increment profile_append "
     "$BindID"},
    {"sa-miniprogram-batch", "mini_program",
     "profile_set_once BuyOrder $SignUp profile_set profile_set_once profile_increment"},
};

struct Capture {
  std::string query;
  std::string body;
};

std::vector<Capture> captures_of(const char* client) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(shared_vectors() / "captures" / client)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Capture> captures;
  for (const auto& file : files) {
    const auto document = json::Document::parse(read_whole_file(file));
    KEHU_CHECK(document.ok());
    const std::string url = document->root().find("url").as_string().value_or("");
    const size_t query = url.find('?');
    const std::string path = url.substr(0, query);
    if (path != "/sa" && path != "/sa.gif" && path != "/debug") continue;
    captures.push_back({url.substr(query + 1), document->root().find("decoded").as_string().value_or("")});
  }
  return captures;
}

// The records of a request, unpacked by other means than the decoder's.
std::string unpacked(const Capture& capture) {
  const std::string all = cat(capture.query, "&", capture.body);
  size_t begin = all.find("data_list=");
  begin = begin == all.npos ? all.find("data=") + 5 : begin + 10;
  std::string base64, bytes;
  for (size_t i = begin; i < all.size() && all[i] != '&'; ++i) {
    if (all[i] != '%') {
      base64.push_back(all[i]);
    } else {
      base64.push_back(static_cast<char>(std::stoi(all.substr(i + 1, 2), nullptr, 16)));
      i += 2;
    }
  }
  KEHU_CHECK(absl::Base64Unescape(to_absl(base64), &bytes));
  return coding::is_gzip(bytes) ? *coding::inflate_body(bytes, 1 << 24) : bytes;
}

std::string call_of(const json::Value& record) {
  const auto event = record.find("event").as_string();
  return event ? *event : record.find("type").as_string().value_or("");
}

std::string want_event(const std::string& call) {
  if (call == "$pageview") return "page 神策";
  if (call.starts_with("profile_")) return "identify ";
  if (call.starts_with("item_")) return cat("track $", call);
  return cat("track ", call);
}

// Where the traits of a profile record stand.
json::Value traits_of(json::Value traits, const std::string& call) {
  if (call == "profile_set_once") return traits.find("$set_once");
  if (call == "profile_increment") return traits.find("$add");
  return call == "profile_append" ? traits.find("$append") : traits;
}

// Every property of the record is where docs/clients/sensors.md says, with its value as it was sent.
void expect_properties(const json::Value& record, const Event& event, const std::string& call) {
  const auto properties = json::Document::parse(event.properties);
  const auto traits = json::Document::parse(event.traits);
  const auto context = json::Document::parse(event.context);
  ASSERT_TRUE(properties.ok() && traits.ok() && context.ok());
  const bool tracked = !call.starts_with("profile_") && !call.starts_with("item_");
  if (call == "profile_delete") {
    EXPECT_EQ(event.traits, R"({"$clear":true})");
  }
  for (const json::Value::Member& member : record.find("properties")) {
    if (member.key == "$is_login_id") continue;
    json::Value found;
    const uint8_t preset = tracked ? find_sensors_preset(member.key) : 0;
    const std::string_view latest = tracked ? latest_property(member.key) : std::string_view();
    if (preset != 0) {
      const Preset& place = sensors_presets()[preset - 1];
      const json::Value group = place.group.empty() ? context->root() : context->root().find(place.group);
      found = group.find(place.field);
    } else if (!latest.empty()) {
      found = context->root().find("latest").find(latest);
    } else {
      found = event.type == EventType::kIdentify ? traits_of(traits->root(), call).find(member.key)
                                                 : properties->root().find(member.key);
    }
    if (call == "profile_unset") {
      EXPECT_TRUE(found.exists() && found.is_null()) << call << " " << member.key;
    } else if (member.key == "email") {
      EXPECT_TRUE(found.as_string().value_or("").starts_with("sealed:")) << call;
    } else {
      EXPECT_EQ(found.raw(), member.value.raw()) << call << " " << member.key;
    }
  }
}

// Of a clear type.
bool has(const intake::TestDoor& door, const Event& event, std::string_view type, const json::Value& value) {
  return std::any_of(event.identifiers.begin(), event.identifiers.end(), [&](const Identifier& identifier) {
    return door.settings->rule(identifier.type).name == type && identifier.value == value.as_string();
  });
}

void expect_identifiers(const intake::TestDoor& door, const json::Value& record, const Event& event) {
  const std::string type = *record.find("type").as_string();
  if (type.starts_with("item_")) return;
  if (type == "track_id_unbind") {
    EXPECT_EQ(event.identifiers.size(), 1u);
    return;
  }
  const json::Value identities = record.find("identities");
  if (identities.exists()) {
    if (identities.find("$identity_login_id").exists()) {
      EXPECT_TRUE(has(door, event, "user_id", identities.find("$identity_login_id")));
    }
    for (const char* key : {"$identity_cookie_id", "$identity_anonymous_id", "$identity_mp_id"}) {
      if (identities.find(key).exists()) {
        EXPECT_TRUE(has(door, event, "anonymous_id", identities.find(key)));
      }
    }
    return;
  }
  const bool login =
      record.find("properties").find("$is_login_id").as_bool() == true || type == "track_signup";
  EXPECT_TRUE(has(door, event, login ? "user_id" : "anonymous_id", record.find("distinct_id")));
  if (type == "track_signup") {
    EXPECT_TRUE(has(door, event, "anonymous_id", record.find("original_id")));
  }
}

std::string joined(std::multiset<std::string> texts) {
  std::string out;
  for (const auto& text : texts) out.append(out.empty() ? "" : " ").append(text);
  return out;
}

std::multiset<std::string> words_of(std::string_view text) {
  std::multiset<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    words.insert(std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

TEST(SensorsCaptures, BecomeTheEventsThatWereCalled) {
  KEHU_SKIP_WITHOUT(shared_vectors() / "captures");
  // The recorded programs use a telephone number that is blocked by default.
  auto settings = std::make_shared<Settings>(Settings::defaults());
  for (IdentifierRule& rule : settings->identifier_types) rule.blocked.clear();
  intake::TestDoor door(settings);
  door.sender.received_at = Instant::from_seconds(1'795'310'000);
  Decoder decoder;
  for (const Client& client : kClients) {
    std::multiset<std::string> calls;
    std::map<Hash128, uint64_t> keys;
    for (int round = 0; round < 2; ++round) {
      door.sender.received_at = door.sender.received_at + Duration::seconds(round * 100);
      for (const Capture& capture : captures_of(client.name)) {
        intake::Intake intake;
        decoder.open(capture.query, capture.body);
        while (decoder.decode(door.sender, intake)) {
        }
        const intake::Records records(intake);
        ASSERT_TRUE(records.rejections.empty())
            << client.name << ": " << to_string(records.rejections[0].reason) << " "
            << records.rejections[0].path << " " << records.rejections[0].detail;
        if (round == 1) {  // sent again, it is all known
          for (const auto& event : records.events) {
            const auto known = keys.find(event->event().message_key);
            ASSERT_NE(known, keys.end()) << client.name;
            EXPECT_EQ(known->second, event->event().body_hash) << client.name;
          }
          continue;
        }
        const auto document = json::Document::parse(unpacked(capture));
        ASSERT_TRUE(document.ok()) << client.name;
        const bool list = document->root().is_array();
        ASSERT_EQ(records.events.size(), list ? document->root().size() : 1) << client.name;
        for (size_t i = 0; i < records.events.size(); ++i) {
          const json::Value record = list ? document->root().at(i) : document->root();
          const Event& event = records.event(i);
          const std::string call = call_of(record);
          calls.insert(call);
          keys[event.message_key] = event.body_hash;
          EXPECT_EQ(cat(to_string(event.type), " ", event.name), want_event(call)) << client.name;
          EXPECT_EQ(event.original_time.micros(), *record.find("time").as_int() * 1000) << client.name;
          EXPECT_EQ(to_string(event.channel), client.channel) << client.name;
          expect_properties(record, event, call);
          expect_identifiers(door, record, event);
        }
      }
    }
    EXPECT_EQ(joined(calls), joined(words_of(client.calls))) << client.name;
    EXPECT_EQ(keys.size(), calls.size()) << client.name << ": no two calls are the same event";
  }
}

}  // namespace
}  // namespace kehu::sensors
