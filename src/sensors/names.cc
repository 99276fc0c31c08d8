#include "sensors/names.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "base/text.h"

namespace kehu::sensors {
namespace {

constexpr size_t kNameCharacters = 100;
constexpr std::string_view kIdentityPrefix = "$identity_";

constexpr Preset kPresets[] = {
    {"$lib", "library", "name"},
    {"$lib_version", "library", "version"},
    {"$lib_method", "library", "method"},
    {"$lib_detail", "library", "detail"},
    {"$app_id", "app", "id"},
    {"$app_name", "app", "name"},
    {"$app_version", "app", "version"},
    {"$device_id", "device", "id"},
    {"$manufacturer", "device", "manufacturer"},
    {"$brand", "device", "brand"},
    {"$model", "device", "model"},
    {"$os", "os", "name"},
    {"$os_version", "os", "version"},
    {"$screen_width", "screen", "width"},
    {"$screen_height", "screen", "height"},
    {"$network_type", "network", "type"},
    {"$wifi", "network", "wifi"},
    {"$carrier", "network", "carrier"},
    {"$url", "page", "url"},
    {"$url_path", "page", "path"},
    {"$title", "page", "title"},
    {"$referrer", "page", "referrer"},
    {"$utm_source", "campaign", "source"},
    {"$utm_medium", "campaign", "medium"},
    {"$utm_campaign", "campaign", "name"},
    {"$utm_term", "campaign", "term"},
    {"$utm_content", "campaign", "content"},
    {"$country", "location", "country"},
    {"$province", "location", "region"},
    {"$city", "location", "city"},
    {"$ip", "", "ip"},
    {"$user_agent", "", "userAgent"},
    {"$timezone_offset", "", "timezone_offset"},
};

constexpr std::string_view kReservedNames[] = {
    "distinct_id", "original_id", "time",     "properties", "id",      "first_id", "second_id", "users",
    "events",      "event",       "event_id", "device_id",  "user_id", "date",     "datetime"};
constexpr std::string_view kReservedPrefixes[] = {"user_group", "user_tag"};

struct IdentityKey {
  std::string_view key;
  std::string_view type;
};
constexpr IdentityKey kIdentityKeys[] = {
    {"$identity_login_id", "user_id"},
    {"$identity_cookie_id", "anonymous_id"},
    {"$identity_anonymous_id", "anonymous_id"},
    {"$identity_mp_id", "anonymous_id"},
    {"$identity_distinct_id", "anonymous_id"},
    {"$identity_mobile", "phone"},
    {"$identity_email", "email"},
    {"$identity_mp_openid", "open_id"},
    {"$identity_mp_unionid", "union_id"},
    {"$identity_android_id", "device_id"},
    {"$identity_android_uuid", "device_id"},
    {"$identity_ios_id", "device_id"},
    {"$identity_ios_uuid", "device_id"},
    {"$identity_idfa", "device_id"},
    {"$identity_idfv", "device_id"},
    {"$identity_oaid", "device_id"},
    {"$identity_imei", "device_id"},
    {"$identity_harmony_uuid", "device_id"},
};

const fields::KeyTable& preset_table() {
  static const fields::KeyTable table = [] {
    fields::KeyTable presets(fields::KeyTable::Case::kExact);
    for (size_t i = 0; i < std::size(kPresets); ++i) {
      presets.add(kPresets[i].property, static_cast<uint8_t>(i + 1));
    }
    return presets;
  }();
  return table;
}

const fields::KeyTable& reserved_table() {
  static const fields::KeyTable table = [] {
    fields::KeyTable names(fields::KeyTable::Case::kIgnored);
    for (const std::string_view name : kReservedNames) names.add(name, 1);
    return names;
  }();
  return table;
}

const fields::KeyTable& identity_table() {
  static const fields::KeyTable table = [] {
    fields::KeyTable keys(fields::KeyTable::Case::kExact);
    for (size_t i = 0; i < std::size(kIdentityKeys); ++i) {
      keys.add(kIdentityKeys[i].key, static_cast<uint8_t>(i + 1));
    }
    return keys;
  }();
  return table;
}

bool is_name_character(char c) {
  const char letter = static_cast<char>(c | 0x20);
  return (letter >= 'a' && letter <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

// As the settings spell it; empty when they do not have it.
std::string_view type_of_settings(std::string_view name, const fields::Policy& policy) {
  const auto type = policy.identifier_type(name);
  return type ? std::string_view(policy.settings().rule(*type).name) : std::string_view();
}

}  // namespace

bool is_sensors_name(std::string_view name) {
  if (name.empty() || name.size() > kNameCharacters || (name[0] >= '0' && name[0] <= '9')) return false;
  if (!std::all_of(name.begin(), name.end(), is_name_character)) return false;
  if (name[0] == '$') return true;
  const bool prefixed = std::any_of(
      std::begin(kReservedPrefixes), std::end(kReservedPrefixes),
      [name](std::string_view prefix) { return absl::StartsWithIgnoreCase(to_absl(name), to_absl(prefix)); });
  return !prefixed && reserved_table().find(name) == 0;
}

absl::Span<const Preset> sensors_presets() { return kPresets; }

uint8_t find_sensors_preset(std::string_view property) { return preset_table().find(property); }

std::string_view latest_property(std::string_view property) {
  constexpr std::string_view kPrefix = "$latest_";
  if (!property.starts_with(kPrefix)) return {};
  return property.substr(kPrefix.size());
}

std::string_view sensors_identity_type(std::string_view key, const fields::Policy& policy) {
  if (const uint8_t known = identity_table().find(key)) {
    return type_of_settings(kIdentityKeys[known - 1].type, policy);
  }
  const bool prefixed = key.starts_with(kIdentityPrefix);
  const std::string_view bare = prefixed ? key.substr(kIdentityPrefix.size()) : key;
  if (const std::string_view own = type_of_settings(bare, policy); !own.empty()) return own;
  if (!bare.starts_with("mp_")) return {};
  if (bare.ends_with("_openid")) return type_of_settings("open_id", policy);
  if (bare.ends_with("_unionid")) return type_of_settings("union_id", policy);
  return {};
}

}  // namespace kehu::sensors
