// The steps of SensorsRecord that write the event.
#include <algorithm>

#include "base/hash.h"
#include "base/limits.h"
#include "base/text.h"
#include "identifier/normal_value.h"
#include "sensors/names.h"
#include "sensors/record.h"

namespace kehu::sensors {
namespace {

// A personal value is sealed by the name it stands under.
std::string_view name_of_left_id(std::string_view text) {
  if (normalise(Normaliser::kEmail, text)) return "email";
  return normalise(Normaliser::kChinesePhone, text) ? "phone" : "distinct_id";
}

// The member of traits (TraitOperator) under which a profile record's properties stand; empty: in their own
// right.
std::string_view operator_of(Type type) {
  switch (type) {
    case Type::kProfileSetOnce:
      return "$set_once";
    case Type::kProfileIncrement:
      return "$add";
    case Type::kProfileAppend:
      return "$append";
    default:
      return {};
  }
}

}  // namespace

void Record::write() {
  plain_.assign("{");
  write_kind();
  if (fields_.time != 0) member("time", value_text(fields_.time));
  write_message_id();
  write_identifiers();
  const Channel from = channel();
  write_properties();
  open("context", '{');
  write_presets();
  write_latest();
  write_sender(from == Channel::kUnknown ? sender_->default_channel.channel : from);
  write_rest();
  close('}');
  close('}');
}

void Record::item(std::string_view raw_text) {
  if (plain_.back() != '{' && plain_.back() != '[') plain_.push_back(',');
  plain_.append(raw_text);
}

void Record::member(std::string_view key, std::string_view raw_value) {
  item("\"");
  plain_.append(key).append("\":").append(raw_value);
}

void Record::text_member(std::string_view key, std::string_view text) {
  member(key, {});
  json::append_literal(text, plain_);
}

void Record::open(std::string_view key, char bracket) {
  member(key, {});
  plain_.push_back(bracket);
}

void Record::write_kind() {
  text_member("type", to_string(event_type_));
  if (event_type_ == EventType::kTrack) {
    if (is_event() && fields_.event != 0) return member("event", raw(fields_.event));
    switch (type_) {
      case Type::kTrackSignup:
        return text_member("event", "$SignUp");
      case Type::kTrackIdBind:
        return text_member("event", "$BindID");
      case Type::kTrackIdUnbind:
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

// A record has no id, but a _track_id, which is a number of its sender's. With the customer, the time and
// the name beside it the hash tells records apart, and is the same when one is sent again. What ends each
// part keeps neighbours apart.
void Record::write_message_id() {
  if (!named()) return;
  id_.clear();
  for (const uint32_t part : {fields_.track_id, fields_.distinct_id, fields_.time, fields_.type,
                              fields_.event, fields_.item_type, fields_.item_id}) {
    if (part != 0) id_.append(raw(part));
    id_.push_back('\n');
  }
  text_member("message_id", cat("sa-", hash128(id_).hex()));
}

void Record::write_identifiers() {
  open("identifiers", '{');
  write_named(identifiers_);
  close('}');
}

// Several of one type stand in a list: an object has each name once.
void Record::write_named(const std::vector<Named>& all) {
  for (size_t i = 0; i < all.size(); ++i) {
    const auto same = [&](const Named& other) { return other.type == all[i].type; };
    if (std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i), same)) continue;
    if (std::count_if(all.begin(), all.end(), same) == 1) {
      member(all[i].type, all[i].value);
      continue;
    }
    open(all[i].type, '[');
    for (size_t k = i; k < all.size(); ++k) {
      if (same(all[k])) item(all[k].value);
    }
    close(']');
  }
}

void Record::write_properties() {
  const std::string_view changes = operator_of(type_);
  open(sets_traits() ? "traits" : "properties", '{');
  if (type_ == Type::kProfileDelete) {
    member("$clear", "true");
    return close('}');
  }
  if (!changes.empty()) open(changes, '{');
  for (const uint32_t key : properties_) write_property(key);
  if (type_ == Type::kTrackIdUnbind) write_unbound();
  if (is_item()) write_item();
  if (!changes.empty()) close('}');
  close('}');
}

void Record::write_property(uint32_t key) {
  item(raw(key));
  plain_.push_back(':');
  plain_.append(type_ == Type::kProfileUnset ? std::string_view("null") : value_text(key + 1));
}

// The Python SDK writes a time as "2024-01-02 03:04:05.7" and means 7 milliseconds: a count, and no fraction.
std::string_view Record::value_text(uint32_t value) {
  const std::string_view text = raw(value);
  constexpr std::string_view kForm = "\"dddd-dd-dd dd:dd:dd.d";
  const size_t digits = text.size() - kForm.size();  // behind the first of the count, and the quote
  if (!from_python_ || text.size() <= kForm.size() || digits > 2) return text;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] == 'd' ? !is_digit(text[i]) : text[i] != kForm[i]) return text;
  }
  if (text.back() != '"' || (digits == 2 && !is_digit(text[kForm.size()]))) return text;
  millis_.assign(text.substr(0, kForm.size() - 1)).append(digits == 1 ? "00" : "0");
  millis_.append(text.substr(kForm.size() - 1));
  return millis_;
}

void Record::write_unbound() {
  open("unbound", '{');
  write_named(unbound_);
  for (const uint32_t key : unknown_identities_) write_property(key);
  close('}');
  if (left_distinct_id_.empty()) return;
  const bool quoted = left_distinct_id_.starts_with('"');
  const std::string_view text = quoted ? json::unescape(left_distinct_id_, scratch_) : left_distinct_id_;
  member(name_of_left_id(text), left_distinct_id_);
}

void Record::write_item() {
  member("item_type", raw(fields_.item_type));
  member("item_id", raw(fields_.item_id));
}

Channel Record::channel() const {
  static const uint8_t kLib = find_sensors_preset("$lib");
  const uint32_t lib = presets_[kLib - 1];
  std::string scratch;
  return is_string(lib) ? channel_of_library(text_of(lib, scratch)) : Channel::kUnknown;
}

void Record::write_presets() {
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

void Record::write_latest() {
  if (latest_.empty()) return;
  open("latest", '{');
  for (const uint32_t key : latest_) member(latest_property(text_of(key, scratch_)), raw(key + 1));
  close('}');
}

// As Sensors Analytics does, the request tells where a client is; a server's request tells where the server
// is.
void Record::write_sender(Channel channel) {
  static const uint8_t kIp = find_sensors_preset("$ip"), kAgent = find_sensors_preset("$user_agent");
  const bool client =
      channel == Channel::kWeb || channel == Channel::kApp || channel == Channel::kMiniProgram;
  if (!client || !is_event()) return;
  if (presets_[kIp - 1] == 0 && !sender_->remote_ip.empty()) text_member("ip", sender_->remote_ip);
  if (presets_[kAgent - 1] == 0 && !sender_->user_agent.empty())
    text_member("userAgent", sender_->user_agent);
}

// Members that are known to nobody stay with the event, in its context.
void Record::write_rest() {
  const bool identities = !unknown_identities_.empty() && type_ != Type::kTrackIdUnbind;
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

std::string Record::path_of(std::string_view pointer) const {
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
  for (const Preset& preset : sensors_presets()) {
    const std::string place = cat(preset.group.empty() ? "" : "/", preset.group, "/", preset.field);
    if (rest == place) return cat("/properties/", preset.property);
  }
  return {};
}

}  // namespace kehu::sensors
