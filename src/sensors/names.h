#pragma once

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "fields/key_table.h"
#include "fields/policy.h"
#include "model/event.h"

namespace kehu::sensors {

// What Sensors Analytics allows as the name of an event or property: ASCII letters, digits, _ and $, no digit
// first, at most 100, and not one of the names that its tables use themselves.
bool is_sensors_name(std::string_view name);

// A preset property and its canonical place in our context: context.group.field, or context.field.
struct Preset {
  std::string_view property;
  std::string_view group;
  std::string_view field;
};
// All of them, those of a group together.
absl::Span<const Preset> sensors_presets();
// 1 + the preset's index, 0 for other properties.
uint8_t find_sensors_preset(std::string_view property);

// "$latest_utm_source" → "utm_source", kept in context.latest; empty for other properties.
std::string_view latest_property(std::string_view property);

// The type of the settings that an identity key ("$identity_login_id", "$identity_mp_wx12_openid") stands
// for, by its name; empty when there is none. A key that the settings themselves name, with or without
// "$identity_", comes first.
std::string_view sensors_identity_type(std::string_view key, const fields::Policy& policy);

}  // namespace kehu::sensors
