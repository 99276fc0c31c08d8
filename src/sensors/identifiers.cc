// The steps of SensorsRecord that look for identifiers.
#include <algorithm>

#include "base/text.h"
#include "identifier/identifier_value.h"
#include "sensors/names.h"
#include "sensors/record.h"

namespace kehu::sensors {
namespace {

constexpr size_t kIdBytes = 255;
// Items belong to nobody: an id that no customer has (Envelope::Ids::kOfNobody). Not "sensors:items", which
// was one of older data.
constexpr std::string_view kItemOwner = "\"sensors:item\"";

}  // namespace

bool Record::collect_identifiers() {
  if (is_item()) {
    if (fields_.item_type == 0 || fields_.item_id == 0) {
      return fail(Reason::kInvalidField, node_, "an item record needs \"item_type\" and \"item_id\"");
    }
    identifiers_.push_back({"anonymous_id", kItemOwner});
    return true;
  }
  if (!collect_identities() || !collect_ids()) return false;
  if (type_ == Type::kTrackIdUnbind) keep_one_identifier();
  return true;
}

bool Record::collect_identities() {
  const json::Index& index = *index_;
  const uint32_t object = fields_.identities;
  if (object == 0 || is_empty_list(object)) return true;
  if (index[object].kind != json::Kind::kObject) {
    return fail(Reason::kInvalidField, object,
                cat("identities must be an object, not ", to_string(index[object].kind)));
  }
  repeated_.find(index, object, object + 1);
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (index[key + 1].kind == json::Kind::kNull || repeated_.holds(key)) continue;
    const std::string_view type = sensors_identity_type(text_of(key, scratch_), *sender_->policy);
    if (type.empty()) {
      unknown_identities_.push_back(key);
    } else if (!add_identifier({type, raw(key + 1)}, key + 1)) {
      return false;
    }
  }
  unbound_ = identifiers_;
  return true;
}

// What distinct_id is depends on who wrote it: with identities it repeats one of them; else it is a login id
// where the record says so, and a visitor's before that. A server's track_signup tells that the new id is the
// customer's from now on, however later records call it.
bool Record::collect_ids() {
  const bool signup = type_ == Type::kTrackSignup;
  const bool only_ids = identifiers_.empty();
  if (!add_id("user_id", fields_.login_id)) return false;
  if (!add_id(signup || says_login_id_ ? "user_id" : "anonymous_id", fields_.distinct_id)) return false;
  const bool lone = signup && only_ids && fields_.login_id == 0 && fields_.distinct_id != 0;
  if (lone && !add_identifier({"anonymous_id", raw(fields_.distinct_id)}, fields_.distinct_id)) return false;
  return add_id("anonymous_id", fields_.anonymous_id) && add_id("anonymous_id", fields_.original_id);
}

// An id outside of identities: not again what is named already, and "KEY+VALUE" as the identity KEY.
bool Record::add_id(std::string_view type, uint32_t node) {
  if (node == 0) return true;
  std::string_view value = raw(node);
  const size_t plus = value.find('+');
  if (value.starts_with("\"$identity_") && plus != value.npos) {
    const std::string_view joined = sensors_identity_type(value.substr(1, plus - 1), *sender_->policy);
    std::string& text = joined_[joined_count_++];
    text.assign("\"").append(value.substr(plus + 1));
    if (!joined.empty()) {
      type = joined;
      value = text;
    }
  }
  return is_named(value) || add_identifier({type, value}, node);
}

bool Record::add_identifier(const Named& identifier, uint32_t node) {
  const json::Kind kind = (*index_)[node].kind;
  if (kind != json::Kind::kString && kind != json::Kind::kNumber) {
    return fail(Reason::kInvalidField, node, cat("an id must be a text or a number, not ", to_string(kind)));
  }
  const size_t size = text_of(node, scratch_).size();
  if (size > kIdBytes) {
    return fail(Reason::kIdentifierTooLong, node, cat("an id has ", size, " bytes; at most ", kIdBytes));
  }
  identifiers_.push_back(identifier);
  return true;
}

bool Record::is_named(std::string_view value) const {
  return std::any_of(identifiers_.begin(), identifiers_.end(),
                     [value](const Named& named) { return named.value == value; });
}

// The identities of an unbinding are those to be taken off: an event that carried them beside the customer's
// own id would join what is to be parted. It belongs to the first of them that can be used.
void Record::keep_one_identifier() {
  const auto usable = std::find_if(identifiers_.begin(), identifiers_.end(),
                                   [this](const Named& identifier) { return is_usable(identifier); });
  if (usable == identifiers_.end()) {
    identifiers_.resize(std::min<size_t>(identifiers_.size(), 1));
    return;
  }
  const Named kept = *usable;
  if (fields_.distinct_id != 0 && kept.value != raw(fields_.distinct_id))
    left_distinct_id_ = raw(fields_.distinct_id);
  identifiers_.assign(1, kept);
}

bool Record::is_usable(const Named& identifier) const {
  const auto type = sender_->policy->identifier_type(identifier.type);
  if (!type) return false;
  const IdentifierRule& rule = sender_->policy->settings().rule(*type);
  std::string scratch, normal;
  const bool quoted = identifier.value.starts_with('"');
  const std::string_view value = quoted ? json::unescape(identifier.value, scratch) : identifier.value;
  const Written written = quoted ? Written::kAsText : Written::kAsNumber;
  return read_identifier(sender_->policy->settings(), rule, value, written, normal).left_out == LeftOut::kNo;
}

}  // namespace kehu::sensors
