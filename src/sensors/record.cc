#include "sensors/record.h"

#include <algorithm>

#include "base/text.h"
#include "sensors/names.h"

namespace kehu::sensors {
namespace {

constexpr Duration kOldest = Duration::days(2 * 366);

enum class Member : uint8_t {
  kType = 1,
  kEvent,
  kTime,
  kTimeFree,
  kProperties,
  kLib,
  kDistinctId,
  kOriginalId,
  kLoginId,
  kAnonymousId,
  kIdentities,
  kItemType,
  kItemId,
  kTrackId,
  kFlushTime,
  kToken,  // a secret, and no part of the event
};

constexpr std::pair<std::string_view, Member> kMembers[] = {
    {"type", Member::kType},
    {"event", Member::kEvent},
    {"time", Member::kTime},
    {"time_free", Member::kTimeFree},
    {"properties", Member::kProperties},
    {"lib", Member::kLib},
    {"distinct_id", Member::kDistinctId},
    {"original_id", Member::kOriginalId},
    {"login_id", Member::kLoginId},
    {"anonymous_id", Member::kAnonymousId},
    {"identities", Member::kIdentities},
    {"item_type", Member::kItemType},
    {"item_id", Member::kItemId},
    {"_track_id", Member::kTrackId},
    {"_flush_time", Member::kFlushTime},
    {"token", Member::kToken},
};

const fields::KeyTable& member_table() {
  static const fields::KeyTable table = [] {
    fields::KeyTable members(fields::KeyTable::Case::kExact);
    for (const auto& [name, member] : kMembers) members.add(name, static_cast<uint8_t>(member));
    return members;
  }();
  return table;
}

constexpr Type kTypes[] = {
    Type::kTrack,        Type::kTrackSignup,    Type::kTrackIdBind,      Type::kTrackIdUnbind,
    Type::kProfileSet,   Type::kProfileSetOnce, Type::kProfileIncrement, Type::kProfileAppend,
    Type::kProfileUnset, Type::kProfileDelete,  Type::kItemSet,          Type::kItemDelete};

}  // namespace

std::string_view to_string(Type type) {
  switch (type) {
    case Type::kTrack:
      return "track";
    case Type::kTrackSignup:
      return "track_signup";
    case Type::kTrackIdBind:
      return "track_id_bind";
    case Type::kTrackIdUnbind:
      return "track_id_unbind";
    case Type::kProfileSet:
      return "profile_set";
    case Type::kProfileSetOnce:
      return "profile_set_once";
    case Type::kProfileIncrement:
      return "profile_increment";
    case Type::kProfileAppend:
      return "profile_append";
    case Type::kProfileUnset:
      return "profile_unset";
    case Type::kProfileDelete:
      return "profile_delete";
    case Type::kItemSet:
      return "item_set";
    case Type::kItemDelete:
      return "item_delete";
  }
  return "unknown";
}

std::optional<Type> parse_sensors_type(std::string_view name) {
  for (const Type type : kTypes) {
    if (name == to_string(type)) return type;
  }
  return std::nullopt;
}

// A record is translated into the text of our plain form, and that is read by the decoder that reads all
// other events. So what is personal, too long or repeated is decided in one place for every protocol. The
// price is a second look at the text, and that a fault's place has to be translated back (path_of).
bool Record::translate(const intake::Sender& sender, const json::Index& index, uint32_t node) {
  sender_ = &sender;
  index_ = &index;
  node_ = node;
  fields_ = {};
  event_type_ = EventType::kTrack;
  says_login_id_ = false;
  from_python_ = false;
  screen_name_ = 0;
  presets_.assign(sensors_presets().size(), 0);
  for (auto* keys : {&properties_, &latest_, &others_, &lib_others_, &unknown_identities_}) keys->clear();
  identifiers_.clear();
  unbound_.clear();
  left_distinct_id_ = {};
  joined_count_ = 0;
  sent_at_.reset();
  if (index[node].kind != json::Kind::kObject) {
    return fail(Reason::kNotAnObject, node,
                cat("a record must be an object, not ", to_string(index[node].kind)));
  }
  if (!read_members()) return false;
  read_lib();
  if (!read_type() || !read_event_name() || !read_time()) return false;
  if (!read_properties() || !collect_identifiers()) return false;
  write();
  return true;
}

bool Record::fail(Reason reason, uint32_t node, std::string detail) {
  fault_ = intake::Fault{reason, node, std::move(detail)};
  return false;
}

std::string_view Record::text_of(uint32_t node, std::string& scratch) const {
  const json::Index::Node& value = (*index_)[node];
  if (value.kind != json::Kind::kString) return raw(node);
  return index_->text_of(value, scratch);
}

bool Record::read_members() {
  const json::Index& index = *index_;
  const fields::KeyTable& members = member_table();
  for (uint32_t key = node_ + 1; key < index[node_].next; key = index[key + 1].next) {
    const uint32_t found = index[key + 1].kind == json::Kind::kNull ? 0 : key + 1;
    uint32_t Fields::*field = nullptr;
    switch (static_cast<Member>(members.find(text_of(key, scratch_)))) {
      case Member::kType:
        field = &Fields::type;
        break;
      case Member::kEvent:
        field = &Fields::event;
        break;
      case Member::kTime:
        field = &Fields::time;
        break;
      case Member::kTimeFree:
        field = &Fields::time_free;
        break;
      case Member::kProperties:
        field = &Fields::properties;
        break;
      case Member::kLib:
        field = &Fields::lib;
        break;
      case Member::kDistinctId:
        field = &Fields::distinct_id;
        break;
      case Member::kOriginalId:
        field = &Fields::original_id;
        break;
      case Member::kLoginId:
        field = &Fields::login_id;
        break;
      case Member::kAnonymousId:
        field = &Fields::anonymous_id;
        break;
      case Member::kIdentities:
        field = &Fields::identities;
        break;
      case Member::kItemType:
        field = &Fields::item_type;
        break;
      case Member::kItemId:
        field = &Fields::item_id;
        break;
      case Member::kTrackId:
        field = &Fields::track_id;
        break;
      case Member::kFlushTime:
        field = &Fields::flush_time;
        break;
      case Member::kToken:
        continue;
    }
    if (field != nullptr) {
      fields_.*field = found;
    } else if (found != 0) {
      others_.push_back(key);
    }
  }
  return true;
}

bool Record::read_type() {
  if (fields_.type == 0) return fail(Reason::kMissingType, node_, "each record needs \"type\"");
  const auto type =
      is_string(fields_.type) ? parse_sensors_type(text_of(fields_.type, scratch_)) : std::nullopt;
  if (!type) {
    return fail(
        Reason::kUnknownType, fields_.type,
        "type must be track, track_signup, track_id_bind, track_id_unbind, profile_set, profile_set_once, "
        "profile_increment, profile_append, profile_unset, profile_delete, item_set or item_delete");
  }
  type_ = *type;
  if (sets_traits()) event_type_ = EventType::kIdentify;
  return true;
}

bool Record::read_event_name() {
  const uint32_t node = fields_.event;
  if (type_ == Type::kTrack && node == 0) {
    return fail(Reason::kMissingEventName, node_,
                "a track record needs \"event\", the name of what happened");
  }
  if (!is_event() || node == 0) return true;
  if (!is_string(node)) return fail(Reason::kInvalidField, node, "the event must be a string");
  const std::string_view name = text_of(node, scratch_);
  if (name.empty()) return fail(Reason::kMissingEventName, node, "the name of the event is empty");
  if (!is_sensors_name(name)) {
    return fail(
        Reason::kInvalidName, node,
        "an event's name has ASCII letters, digits, _ and $, no digit first, at most 100 of them, and is no "
        "column of Sensors Analytics (time, event, id, users…)");
  }
  if (type_ != Type::kTrack) return true;
  if (name == "$pageview") event_type_ = EventType::kPage;
  if (name == "$AppViewScreen" || name == "$MPViewScreen") event_type_ = EventType::kScreen;
  return true;
}

bool Record::read_time() {
  if (fields_.flush_time != 0) sent_at_ = times_.parse(index_->value((*index_)[fields_.flush_time]));
  if (fields_.time == 0) return true;
  const auto original = times_.parse({(*index_)[fields_.time].kind, value_text(fields_.time)});
  if (!original) return fail(Reason::kInvalidTime, fields_.time, std::string(times_.why()));
  const bool any_age = fields_.time_free != 0 && raw(fields_.time_free) == "true";
  if (any_age || !is_event()) return true;
  const Instant time =
      intake::corrected_time({.received_at = sender_->received_at, .sent_at = sent_at_}, *original);
  if (time >= sender_->received_at - kOldest) return true;
  return fail(Reason::kTimeOutOfRange, fields_.time,
              "more than two years before it was received; send \"time_free\": true if that is meant");
}

void Record::read_lib() {
  const json::Index& index = *index_;
  const uint32_t lib = fields_.lib;
  if (lib == 0 || is_empty_list(lib)) return;
  if (index[lib].kind != json::Kind::kObject) return others_.push_back(lib - 1);
  for (uint32_t key = lib + 1; key < index[lib].next; key = index[key + 1].next) {
    const std::string_view name = text_of(key, scratch_);
    if (name == "$lib") from_python_ = raw(key + 1) == R"("python")";
    if (!take_preset(name, key + 1, lib)) lib_others_.push_back(key);
  }
}

// False when the property is no preset one, or its place has another value already: `lib` counts before the
// properties. Of a key that stands twice in one object the last one counts, as everywhere.
bool Record::take_preset(std::string_view name, uint32_t value, uint32_t object) {
  const uint8_t preset = find_sensors_preset(name);
  if (preset == 0) return false;
  uint32_t& slot = presets_[preset - 1];
  const bool again = slot > object && slot < (*index_)[object].next;
  if (slot == 0 || again) slot = value;
  return slot == value || raw(slot) == raw(value);
}

bool Record::read_properties() {
  const json::Index& index = *index_;
  const uint32_t object = fields_.properties;
  if (object == 0 || is_empty_list(object)) return true;
  if (index[object].kind != json::Kind::kObject) {
    return fail(Reason::kInvalidField, object,
                cat("properties must be an object, not ", to_string(index[object].kind)));
  }
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (!read_property(key)) return false;
  }
  return true;
}

bool Record::read_property(uint32_t key) {
  const std::string_view name = text_of(key, scratch_);
  if (name == "$lib") from_python_ = from_python_ || raw(key + 1) == R"("python")";
  if (name == "$is_login_id") {
    says_login_id_ = raw(key + 1) == "true";
    return true;
  }
  if (!check_name(key, name) || !check_value(key + 1)) return false;
  if (!is_event()) {
    properties_.push_back(key);
    return true;
  }
  if (name == "$screen_name") screen_name_ = key + 1;
  // A device named in the context is an identifier, and an unbinding may name only one.
  const bool device = type_ == Type::kTrackIdUnbind && name == "$device_id";
  if (!device && take_preset(name, key + 1, fields_.properties)) return true;
  (latest_property(name).empty() ? properties_ : latest_).push_back(key);
  return true;
}

bool Record::check_name(uint32_t key, std::string_view name) {
  return is_sensors_name(name) || fail(Reason::kInvalidName, key + 1,
                                       "a property's name has ASCII letters, digits, _ and $, no digit "
                                       "first, at most 100 of them, and is no "
                                       "column of Sensors Analytics (time, event, id, users…)");
}

bool Record::check_value(uint32_t value) {
  const json::Kind kind = (*index_)[value].kind;
  if (type_ == Type::kProfileIncrement && kind != json::Kind::kNumber) {
    return fail(Reason::kInvalidField, value, cat("profile_increment adds numbers, not ", to_string(kind)));
  }
  if (type_ == Type::kProfileAppend && kind != json::Kind::kArray) {
    return fail(Reason::kInvalidField, value,
                cat("profile_append adds lists of texts, not ", to_string(kind)));
  }
  if (kind == json::Kind::kArray) return check_text_list(value);
  return kind != json::Kind::kObject ||
         fail(Reason::kInvalidField, value,
              "a property is a text, a number, true, false or a list of texts, not an object");
}

bool Record::check_text_list(uint32_t list) {
  const json::Index& index = *index_;
  for (uint32_t at = list + 1; at < index[list].next; at = index[at].next) {
    if (index[at].kind == json::Kind::kArray || index[at].kind == json::Kind::kObject) {
      return fail(Reason::kInvalidField, at, cat("a list holds texts, not ", to_string(index[at].kind)));
    }
  }
  return true;
}

}  // namespace kehu::sensors
