// The steps of SensorsRecord that write the event.
#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "intake/sensors_names.h"
#include "intake/sensors_record.h"

namespace kehu::intake {
namespace {

// A personal value is sealed by the name it stands under.
std::string_view name_of_left_id(std::string_view text) {
  if (normalise(Normaliser::kEmail, text)) return "email";
  return normalise(Normaliser::kChinesePhone, text) ? "phone" : "distinct_id";
}

// The member of traits (TraitOperator) under which a profile record's properties stand; empty: in their own
// right.
std::string_view operator_of(SensorsType type) {
  switch (type) {
    case SensorsType::kProfileSetOnce:
      return "$set_once";
    case SensorsType::kProfileIncrement:
      return "$add";
    case SensorsType::kProfileAppend:
      return "$append";
    default:
      return {};
  }
}

}  // namespace

void SensorsRecord::write() {
  plain_.assign("{");
  write_kind();
  if (fields_.time != 0) member("time", raw(fields_.time));
  write_message_id();
  write_identifiers();
  const Channel from = channel();
  if (from != Channel::kUnknown) text_member("channel", to_string(from));
  write_properties();
  open("context", '{');
  write_presets();
  write_latest();
  write_sender(from == Channel::kUnknown ? context_->default_channel : from);
  write_rest();
  close('}');
  close('}');
}

void SensorsRecord::item(std::string_view raw_text) {
  if (plain_.back() != '{' && plain_.back() != '[') plain_.push_back(',');
  plain_.append(raw_text);
}

void SensorsRecord::member(std::string_view key, std::string_view raw_value) {
  item("\"");
  plain_.append(key).append("\":").append(raw_value);
}

void SensorsRecord::text_member(std::string_view key, std::string_view text) {
  member(key, {});
  json::append_literal(text, plain_);
}

void SensorsRecord::open(std::string_view key, char bracket) {
  member(key, {});
  plain_.push_back(bracket);
}

void SensorsRecord::write_kind() {
  text_member("type", to_string(event_type_));
  if (event_type_ == EventType::kTrack) {
    if (is_event() && fields_.event != 0) return member("event", raw(fields_.event));
    switch (type_) {
      case SensorsType::kTrackSignup:
        return text_member("event", "$SignUp");
      case SensorsType::kTrackIdBind:
        return text_member("event", "$BindID");
      case SensorsType::kTrackIdUnbind:
        return text_member("event", "$UnbindID");
      default:
        return text_member("event", cat("$", to_string(type_)));
    }
  }
  static const uint8_t kTitle = find_sensors_preset("$title"), kPath = find_sensors_preset("$url_path");
  uint32_t name = 0;
  if (event_type_ == EventType::kScreen) name = screen_name_ != 0 ? screen_name_ : presets_[kPath - 1];
  if (event_type_ != EventType::kIdentify && name == 0) name = presets_[kTitle - 1];
  if (is_string(name) && raw(name).size() <= limits::kNameBytes) member("name", raw(name));
}

void SensorsRecord::write_message_id() {
  if (!named()) return;
  id_.clear();
  for (const uint32_t part : {fields_.track_id, fields_.distinct_id, fields_.time, fields_.type,
                              fields_.event, fields_.item_type, fields_.item_id}) {
    if (part != 0) id_.append(raw(part));
    id_.push_back('\n');
  }
  text_member("message_id", cat("sa-", hash128(id_).hex()));
}

void SensorsRecord::write_identifiers() {
  open("identifiers", '{');
  for (const Named& identifier : identifiers_) member(identifier.type, identifier.value);
  close('}');
}

void SensorsRecord::write_properties() {
  const std::string_view changes = operator_of(type_);
  open(sets_traits() ? "traits" : "properties", '{');
  if (type_ == SensorsType::kProfileDelete) {
    member("$clear", "true");
    return close('}');
  }
  if (!changes.empty()) open(changes, '{');
  for (const uint32_t key : properties_) write_property(key);
  if (type_ == SensorsType::kTrackIdUnbind) write_unbound();
  if (is_item()) write_item();
  if (!changes.empty()) close('}');
  close('}');
}

void SensorsRecord::write_property(uint32_t key) {
  item(raw(key));
  plain_.push_back(':');
  plain_.append(type_ == SensorsType::kProfileUnset ? std::string_view("null") : raw(key + 1));
}

void SensorsRecord::write_unbound() {
  open("unbound", '{');
  for (const Named& identity : unbound_) member(identity.type, identity.value);
  for (const uint32_t key : unknown_identities_) write_property(key);
  close('}');
  if (left_distinct_id_.empty()) return;
  const bool quoted = left_distinct_id_.starts_with('"');
  const std::string_view text = quoted ? json::unescape(left_distinct_id_, scratch_) : left_distinct_id_;
  member(name_of_left_id(text), left_distinct_id_);
}

void SensorsRecord::write_item() {
  member("item_type", raw(fields_.item_type));
  member("item_id", raw(fields_.item_id));
}

Channel SensorsRecord::channel() const {
  static const uint8_t kLib = find_sensors_preset("$lib");
  const uint32_t lib = presets_[kLib - 1];
  std::string scratch;
  return is_string(lib) ? sensors_channel(text_of(lib, scratch)) : Channel::kUnknown;
}

void SensorsRecord::write_presets() {
  const auto presets = sensors_presets();
  for (size_t i = 0; i < presets.size();) {
    const std::string_view group = presets[i].group;
    const bool library = group == "library";
    bool opened = group.empty();
    for (; i < presets.size() && presets[i].group == group; ++i) {
      if (presets_[i] == 0) continue;
      if (!opened) open(group, '{');
      opened = true;
      member(presets[i].field, raw(presets_[i]));
    }
    if (library && !lib_others_.empty()) {
      if (!opened) open(group, '{');
      opened = true;
      for (const uint32_t key : lib_others_) {
        item(raw(key));
        plain_.append(":").append(raw(key + 1));
      }
    }
    if (opened && !group.empty()) close('}');
  }
}

void SensorsRecord::write_latest() {
  if (latest_.empty()) return;
  open("latest", '{');
  for (const uint32_t key : latest_) member(latest_property(text_of(key, scratch_)), raw(key + 1));
  close('}');
}

// As Sensors Analytics does, the request tells where a client is; a server's request tells where the server
// is.
void SensorsRecord::write_sender(Channel channel) {
  static const uint8_t kIp = find_sensors_preset("$ip"), kAgent = find_sensors_preset("$user_agent");
  const bool client =
      channel == Channel::kWeb || channel == Channel::kApp || channel == Channel::kMiniProgram;
  if (!client || !is_event()) return;
  if (presets_[kIp - 1] == 0 && !context_->remote_ip.empty()) text_member("ip", context_->remote_ip);
  if (presets_[kAgent - 1] == 0 && !sender_->user_agent.empty())
    text_member("userAgent", sender_->user_agent);
}

// What nobody knows stays with the event.
void SensorsRecord::write_rest() {
  const bool identities = !unknown_identities_.empty() && type_ != SensorsType::kTrackIdUnbind;
  if (identities) {
    open("identities", '{');
    for (const uint32_t key : unknown_identities_) {
      item(raw(key));
      plain_.append(":").append(raw(key + 1));
    }
    close('}');
  }
  if (others_.empty()) return;
  open("sensors", '{');
  for (const uint32_t key : others_) {
    item(raw(key));
    plain_.append(":").append(raw(key + 1));
  }
  close('}');
}

std::string SensorsRecord::path_of(std::string_view pointer) const {
  const size_t second = std::min(pointer.find('/', 1), pointer.size());
  const std::string_view first = pointer.substr(0, second);
  const std::string_view rest = pointer.substr(second);
  if (first == "/properties" && rest.starts_with("/unbound")) return "/identities";
  if (first == "/properties" || first == "/time" || first == "/event") return std::string(pointer);
  if (first == "/traits") {
    const std::string_view changes = operator_of(type_);
    return cat("/properties",
               changes.empty() ? rest : rest.substr(std::min(rest.size(), changes.size() + 1)));
  }
  if (first == "/identifiers") return fields_.identities != 0 ? "/identities" : "/distinct_id";
  if (first != "/context") return {};
  constexpr std::string_view kLatest = "/latest/";
  if (rest.starts_with(kLatest)) return cat("/properties/$latest_", rest.substr(kLatest.size()));
  for (const SensorsPreset& preset : sensors_presets()) {
    const std::string place = cat(preset.group.empty() ? "" : "/", preset.group, "/", preset.field);
    if (rest == place) return cat("/properties/", preset.property);
  }
  return {};
}

}  // namespace kehu::intake
