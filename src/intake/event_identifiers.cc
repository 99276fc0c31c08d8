// The steps of EventDecoder that look for identifiers: members of the event, traits, context, previousId.
#include "base/text.h"
#include "intake/event_decoder.h"
#include "intake/library.h"
#include "model/spreadsheet.h"

namespace kehu::intake {

bool EventDecoder::add_value(IdentifierTypeId type, uint32_t node, bool previous) {
  return add_found({.type = type, .text = {}, .node = node, .previous = previous});
}

bool EventDecoder::add_found(IdentifierList::Found found) {
  const uint32_t node = found.node;
  if (!text_of(node, found.text)) {
    return fail(Reason::kInvalidField, node,
                cat("an identifier must be a string or a number, not ", to_string((*index_)[node].kind)));
  }
  if ((*index_)[node].kind == json::Kind::kNumber) found.written = Written::kAsNumber;
  found.text = whole_number(node, found.text);
  if (identifiers_.add(found)) return true;
  fault_ = identifiers_.fault();
  return false;
}

// Languages that know only doubles write 12345 as 12345.0 or 1.2345e4: the same customer. A number whose
// digits are gone stays as it is written, and is left out when the identifiers are settled. Texts stay.
std::string_view EventDecoder::whole_number(uint32_t node, std::string_view text) {
  const bool spelt = (*index_)[node].kind == json::Kind::kNumber && text.find_first_of(".eE") != text.npos;
  if (!spelt) return text;
  PlainNumber number = plain_number(text);
  if (number.text.empty()) return text;
  std::string& out = texts_.next();
  out = std::move(number.text);
  return out;
}

// An id of a sender that has one name space for users and visitors: as what it was named, and as the other.
bool EventDecoder::add_of_name_space(IdentifierTypeId type, uint32_t node) {
  const fields::Policy& policy = *sender_->policy;
  std::string_view text;
  if (text_of(node, text) && identifiers_.has_text(whole_number(node, text))) return true;
  const bool names_nobody = batch_head_->ids == BatchHead::Ids::kOfNobody;
  const bool certain = type != policy.user_id() || batch_head_->ids == BatchHead::Ids::kIdentified;
  const auto other = type == policy.user_id() ? policy.anonymous_id() : policy.user_id();
  return add_found({.type = type,
                    .text = {},
                    .node = node,
                    .alternative = names_nobody,
                    .standing = certain ? Standing::kFirm : Standing::kAssumed}) &&
         (!other || add_found({.type = *other,
                               .text = {},
                               .node = node,
                               .alternative = true,
                               .standing = Standing::kAssumed}));
}

// One value, or in bulk a list of values.
bool EventDecoder::add_values(IdentifierTypeId type, uint32_t node) {
  const json::Index& index = *index_;
  const fields::Policy& policy = *sender_->policy;
  const bool of_name_space = batch_head_->ids != BatchHead::Ids::kTyped &&
                             (type == policy.user_id() || type == policy.anonymous_id());
  if (of_name_space) return add_of_name_space(type, node);
  const bool list =
      index[node].kind == json::Kind::kArray && batch_head_->dialect == BatchHead::Dialect::kBulk;
  if (!list) return add_value(type, node);
  for (uint32_t at = node + 1; at < index[node].next; at = index[at].next) {
    if (index[at].kind != json::Kind::kNull && !add_value(type, at)) return false;
  }
  return true;
}

// "identifiers": {"phone": "…", "email": ["…", "…"]}
bool EventDecoder::add_named(uint32_t object) {
  const json::Index& index = *index_;
  if (!expect_object(object, "identifiers")) return false;
  if (object == 0) return true;
  repeated_in_object_.find(index, object, object + 1);
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (repeated_in_object_.holds(key)) continue;
    std::string_view name;
    text_of(key, name);
    const auto type = sender_->policy->identifier_type(name);
    if (!type)
      return fail(Reason::kInvalidField, key + 1, "the settings have no identifier type of this name");
    if (index[key + 1].kind != json::Kind::kNull && !add_values(*type, key + 1)) return false;
  }
  return true;
}

// A trait that is an identifier too. Of any other JSON type than text or number it stays a trait only.
bool EventDecoder::add_traits(uint32_t object) {
  const json::Index& index = *index_;
  if (object == 0 || index[object].kind != json::Kind::kObject) return true;
  repeated_in_object_.find(index, object, object + 1);
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    const json::Kind kind = index[key + 1].kind;
    if (kind != json::Kind::kString && kind != json::Kind::kNumber) continue;
    if (repeated_in_object_.holds(key)) continue;
    std::string_view name;
    text_of(key, name);
    const auto type = sender_->policy->trait_identifier(name);
    if (type && !add_value(*type, key + 1)) return false;
  }
  return true;
}

// Segment's context.externalIds: [{"id": "…", "type": "phone", "collection": "users", …}]. Types the settings
// do not know stay in the context only.
bool EventDecoder::add_external_ids(uint32_t list) {
  const json::Index& index = *index_;
  if (list == 0 || index[list].kind != json::Kind::kArray) return true;
  for (uint32_t at = list + 1; at < index[list].next; at = index[at].next) {
    const uint32_t id = member_of(at, "id");
    const uint32_t type_name = member_of(at, "type");
    std::string_view name;
    if (id == 0 || type_name == 0 || !text_of(type_name, name)) continue;
    const auto type = sender_->policy->identifier_type(name);
    if (type && !add_value(*type, id)) return false;
  }
  return true;
}

// The previous id of an alias may be a visitor's or a user's: nothing in the call says which, so it is named
// as both. An alias to an id that the call names already says nothing new and is no error (browsers send
// them).
bool EventDecoder::add_previous() {
  const uint32_t node = members_.previous_id;
  if (node == 0) return fail(Reason::kInvalidField, node_, "an alias call needs \"previousId\"");
  std::string_view previous;
  if (text_of(node, previous) && identifiers_.has_text(whole_number(node, previous))) return true;
  const fields::Policy& policy = *sender_->policy;
  if (policy.user_id() && !add_value(*policy.user_id(), node, true)) return false;
  return !policy.anonymous_id() || add_value(*policy.anonymous_id(), node, true);
}

// What is known to be a server's own code and not a page or an app that it speaks for.
bool EventDecoder::sent_by_server() const {
  if (members_.context_page != 0 || members_.context_user_agent != 0 || members_.context_device != 0) {
    return false;
  }
  const bool says_channel = members_.channel != 0 || members_.context_channel != 0;
  if (says_channel && event_.channel == Channel::kServer) return true;
  const uint32_t name = member_of(members_.context_library, "name");
  return name != 0 && (*index_)[name].kind == json::Kind::kString &&
         is_server_library(index_->inner((*index_)[name]));
}

// Server libraries that know no visitor make up an anonymousId for each call.
void EventDecoder::doubt_made_up_ids() {
  const fields::Policy& policy = *sender_->policy;
  const bool calls = batch_head_->dialect == BatchHead::Dialect::kSegment &&
                     event_.type != EventType::kAlias && policy.user_id() && policy.anonymous_id() &&
                     identifiers_.has(*policy.user_id()) && identifiers_.has(*policy.anonymous_id());
  if (calls && sent_by_server()) identifiers_.set_standing(*policy.anonymous_id(), Standing::kPassing);
}

bool EventDecoder::collect_identifiers() {
  const fields::Policy& policy = *sender_->policy;
  if (event_.type == EventType::kIdentify && !add_traits(members_.traits)) return false;
  if (!add_traits(members_.context_traits) || !add_external_ids(members_.context_external_ids)) return false;
  const uint32_t device = member_of(members_.context_device, "id");
  if (device != 0 && policy.device_id() && !add_value(*policy.device_id(), device)) return false;
  if (event_.type == EventType::kAlias && !add_previous()) return false;
  doubt_made_up_ids();
  return true;
}

}  // namespace kehu::intake
