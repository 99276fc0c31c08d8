#include "intake/event_decoder.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/record.h"
#include "intake/client_time.h"
#include "intake/personal_text.h"
#include "intake/trait_operands.h"
#include "json/text.h"

namespace kehu::intake {
namespace {

std::optional<EventType> parse_type(std::string_view name) {
  for (const auto type : {EventType::kTrack, EventType::kIdentify, EventType::kPage, EventType::kScreen,
                          EventType::kGroup, EventType::kAlias}) {
    if (name == to_string(type)) return type;
  }
  return std::nullopt;
}

// In the context of an event whose time was ahead by a time zone: by which.
constexpr std::string_view kTimeAhead = "timeAhead";

constexpr size_t kFewIdentifiers = 4;

bool same_key(const json::Index& index, uint32_t a, uint32_t b) {
  const json::Index::Node &first = index[a], &second = index[b];
  if (!first.escaped && !second.escaped) return index.raw(first) == index.raw(second);
  std::string scratch, other;
  return index.text_of(first, scratch) == index.text_of(second, other);
}

// Of message ids.
uint64_t scope_of(const Event& event) { return uint64_t{event.project.value()} << 32 | event.source.value(); }

// A group that is named by the phone number of its head, a page by the address of who looks at it. One name
// of one customer has one text, so it is counted as before.
std::string sealed_name(const ObjectText::FieldDoor& door, std::string_view name) {
  std::string literal;
  json::append_literal(name, literal);
  const std::string_view sealed = door.door.seal_field(door.owner, "name", literal);
  return std::string(sealed.substr(1, sealed.size() - 2));
}

bool is_page(EventType type) { return type == EventType::kPage || type == EventType::kScreen; }

}  // namespace

void Intake::clear() {
  records.bytes.clear();
  records.entries.clear();
  new_key_ids.clear();
  accepted = 0;
  rejected = 0;
  times_ahead = 0;
  rejected_by_reason.fill(0);
  identifiers_left_out.fill(0);
}

void EventDecoder::decode(const Sender& sender, const BatchHead& batch_head, const json::Index& index,
                          uint32_t node, Intake& out) {
  sender_ = &sender;
  batch_head_ = &batch_head;
  index_ = &index;
  node_ = node;
  if (build()) {
    codec::add_event(out.records, event_);
    read_former_ids(out.records.entries.back().former_keys);
    ++out.accepted;
    count_in_clear();
    for (const Identifier& identifier : event_.identifiers) {
      if (identifier.left_out != LeftOut::kNo)
        ++out.identifiers_left_out[static_cast<size_t>(identifier.left_out)];
    }
    if (!zone_ahead_.empty()) ++out.times_ahead;
    return;
  }
  reject_event(out);
}

void EventDecoder::count_in_clear() {
  const uint32_t found =
      properties_.take_in_clear() + traits_.take_in_clear() + context_text_.take_in_clear();
  if (found > 0 && sender_->in_clear != nullptr)
    sender_->in_clear->fetch_add(found, std::memory_order_relaxed);
}

// A rejection is for whoever has to correct the sender. So it holds the bytes that came, and the place of
// the fault in these, also where a protocol's event was translated into ours before it was read. The bytes
// are sealed as a whole: nobody can say which part of a broken event is personal.
void EventDecoder::reject_event(Intake& out) {
  const BatchHead& batch_head = *batch_head_;
  const bool translated = !batch_head.received.empty();
  const std::string pointer = pointer_between(*index_, node_, fault_.node);
  std::string path = batch_head.element == 0 ? std::string() : batch_path(batch_head.element);
  path += translated ? batch_head.received_path : pointer;
  if (batch_head.received_paths != nullptr) path += batch_head.received_paths->path_of(pointer);
  const bool names_place = translated && batch_head.received_paths == nullptr && !pointer.empty();
  const std::string detail = names_place ? cat(fault_.detail, " (read as ", pointer, ")") : fault_.detail;
  Sender sender = *sender_;
  sender.source = event_.source;
  reject(sender,
         {.reason = fault_.reason,
          .path = path,
          .detail = detail,
          .payload = translated ? batch_head.received : index_->raw((*index_)[node_]),
          .position = batch_head.position,
          .origin = batch_head.origin,
          .type = batch_head.type,
          .named = members_.message_id != 0},
         out);
}

std::string EventDecoder::batch_path(uint32_t element) { return cat("/batch/", element - 1); }

void EventDecoder::reject(const Sender& sender, const Broken& broken, Intake& out) {
  const std::string sealed = sender.door->seal_payload(broken.payload);
  std::string origin(broken.origin.empty() ? sender.origin : broken.origin);
  if (broken.origin.empty() && broken.position > 0) origin += cat(":", broken.position);
  const Rejection rejection{.project = sender.project,
                            .source = sender.source,
                            .reason = broken.reason,
                            .received_at = sender.received_at,
                            .repeat_key = broken.named ? hash128(sealed, sender.source.value()) : Hash128{},
                            .path = broken.path,
                            .detail = broken.detail,
                            .origin = origin,
                            .sealed_payload = sealed,
                            .protocol = sender.protocol,
                            .type = broken.type};
  codec::add_rejection(out.records, rejection);
  ++out.rejected;
  ++out.rejected_by_reason[static_cast<size_t>(broken.reason)];
}

void EventDecoder::take_keys(const Sender& sender, Intake& out) {
  for (const seal::Door::NewKey& key : sender.door->take_new_keys()) {
    codec::add_record(out.records, RecordKind::kDataKey,
                      [&key](std::string& bytes) { codec::append_data_key(key.record(), bytes); });
    out.new_key_ids.push_back(key.name.key_id);
  }
  keys_.forget();
  properties_.forget();
  traits_.forget();
  context_text_.forget();
}

// What is cheap to refuse comes first: size, kind, members, times. Identifiers are settled before the
// objects are read, because personal values in these are sealed with the key of the strongest identifier,
// so that they go with its customer (docs/decisions/sealing.md). The hashes come last, over all of it.
bool EventDecoder::build() {
  members_ = {};
  former_id_ = 0;
  others_.clear();
  named_.clear();
  zone_ahead_ = {};
  texts_.reset();
  identifiers_.start();
  event_ = Event();
  event_.project = sender_->project;
  event_.source = sender_->source;
  event_.received_at = sender_->received_at;
  default_channel_ = sender_->default_channel;
  const json::Index::Node& node = (*index_)[node_];
  if (node.size > limits::kEventBytes) {
    return fail(Reason::kEventTooLarge, node_, cat(node.size, " bytes; at most ", limits::kEventBytes));
  }
  if (node.kind != json::Kind::kObject) {
    return fail(Reason::kNotAnObject, node_, cat("an event must be an object, not ", to_string(node.kind)));
  }
  if (!read_members() || !read_context() || !read_type() || !read_name() || !read_message_id() ||
      !read_time() || !read_channel()) {
    return false;
  }
  if (!collect_identifiers() || !settle_identifiers() || !read_objects()) return false;
  settle_hashes();
  return true;
}

bool EventDecoder::fail(Reason reason, uint32_t node, std::string_view detail) {
  fault_.reason = reason;
  fault_.node = node;
  fault_.detail = std::string(detail);
  return false;
}

bool EventDecoder::read_members() {
  const json::Index& index = *index_;
  const uint32_t stop = index[node_].next;
  keys_.start();
  for (uint32_t key = node_ + 1; key < stop; key = index[key + 1].next) {
    read_member(key);
  }
  return read_identifiers();
}

// Of a repeated key the last one counts, as everywhere. Nearly every event has one or two, of different
// lengths.
bool EventDecoder::read_identifiers() {
  const bool many = named_.size() > kFewIdentifiers;
  if (many) {
    key_nodes_.clear();
    for (const NamedMember& member : named_) key_nodes_.push_back(member.key);
    repeated_.find_among(*index_, key_nodes_);
  }
  for (size_t i = 0; i < named_.size(); ++i) {
    const uint32_t key = named_[i].key;
    if ((*index_)[key + 1].kind == json::Kind::kNull) continue;
    bool repeated = many && repeated_.holds(key);
    for (size_t j = i + 1; !many && j < named_.size(); ++j) {
      repeated = repeated || same_key(*index_, key, named_[j].key);
    }
    if (repeated) continue;
    const std::optional<IdentifierTypeId> type = named_[i].type;
    if (!(type ? add_values(*type, key + 1) : add_named(key + 1))) return false;
  }
  return true;
}

void EventDecoder::read_member(uint32_t key) {
  const json::Index& index = *index_;
  const uint32_t value = key + 1;
  const json::Index::Node& node = index[key];
  const std::string_view name =
      node.escaped ? json::unescape(index.raw(node), texts_.next()) : index.inner(node);
  const bool bulk = batch_head_->dialect == BatchHead::Dialect::kBulk;
  const fields::Policy& policy = *sender_->policy;
  const fields::MemberName member =
      fields::Policy::member(keys_.find(bulk ? policy.bulk_members() : policy.segment_members(), name));
  // Of a repeated member the last one counts, also when it says null.
  const uint32_t found = index[value].kind == json::Kind::kNull ? 0 : value;
  switch (member.field) {
    case fields::EventField::kType:
      members_.type = found;
      return;
    case fields::EventField::kEvent:
      members_.event = found;
      return;
    case fields::EventField::kName:
      members_.name = found;
      return;
    case fields::EventField::kCategory:
      members_.category = found;
      return;
    case fields::EventField::kGroupId:
      members_.group_id = found;
      return;
    case fields::EventField::kPreviousId:
      members_.previous_id = found;
      return;
    case fields::EventField::kProperties:
      members_.properties = found;
      return;
    case fields::EventField::kTraits:
      members_.traits = found;
      return;
    case fields::EventField::kContext:
      members_.context = found;
      return;
    case fields::EventField::kMessageId:
      members_.message_id = found;
      return;
    case fields::EventField::kTimestamp:
      members_.timestamp = found;
      return;
    case fields::EventField::kOriginalTimestamp:
      members_.original_timestamp = found;
      return;
    case fields::EventField::kSentAt:
      // In our plain form only the spelling that says it on purpose, and not behind a forwarder's name:
      // archives of Segment's events, and topics, hold times of sending that are long past.
      if (!bulk || (name == "sent_at" && batch_head_->origin.empty())) members_.sent_at = found;
      return;
    case fields::EventField::kChannel:
      members_.channel = found;
      return;
    case fields::EventField::kTransport:
      if (sender_->source_of_key != nullptr && name == "writeKey") read_write_key(found);
      if (bulk && name == "$former_id") former_id_ = found;
      return;
    case fields::EventField::kIdentifier:
      named_.push_back({key, member.type});
      return;
    case fields::EventField::kIdentifiers:
      named_.push_back({key, std::nullopt});
      return;
    case fields::EventField::kOther:
      if (bulk) others_.push_back(key);
      return;
  }
}

void EventDecoder::read_write_key(uint32_t node) {
  std::string_view key;
  if (node == 0 || !text_of(node, key)) return;
  const auto source = (*sender_->source_of_key)(key);
  if (!source) return;
  event_.source = source->id;
  default_channel_ = source->default_channel;
}

bool EventDecoder::text_of(uint32_t node, std::string_view& text) {
  const json::Index::Node& value = (*index_)[node];
  if (value.kind == json::Kind::kNumber) {
    text = index_->raw(value);
    return true;
  }
  if (value.kind != json::Kind::kString) return false;
  if (!value.escaped) {
    text = index_->inner(value);
    return true;
  }
  std::string& out = texts_.next();
  const std::string_view plain = json::unescape(index_->raw(value), out);
  if (plain.data() != out.data()) out.assign(plain);
  // Names and identifiers travel through C interfaces and CSV files; no NUL gets that far.
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  for (size_t at = out.find('\0'); at != out.npos; at = out.find('\0', at)) out.replace(at, 1, kReplacement);
  text = out;
  return true;
}

uint32_t EventDecoder::member_of(uint32_t object, std::string_view key) const {
  const json::Index& index = *index_;
  if (object == 0 || index[object].kind != json::Kind::kObject) return 0;
  uint32_t found = 0;
  for (uint32_t at = object + 1; at < index[object].next; at = index[at + 1].next) {
    if (!index[at].escaped && index.inner(index[at]) == key) {
      found = index[at + 1].kind == json::Kind::kNull ? 0 : at + 1;
    }
  }
  return found;
}

bool EventDecoder::expect_object(uint32_t& node, std::string_view what) {
  if (node == 0) return true;
  const json::Kind kind = (*index_)[node].kind;
  if (kind == json::Kind::kArray && (*index_)[node].next == node + 1) {
    node = 0;
    return true;
  }
  return kind == json::Kind::kObject ||
         fail(Reason::kInvalidField, node, cat(what, " must be an object, not ", to_string(kind)));
}

bool EventDecoder::read_context() {
  if (!expect_object(members_.context, "context")) return false;
  if (batch_head_->context != 0) read_context_members(batch_head_->context);
  if (members_.context != 0) read_context_members(members_.context);
  return true;
}

void EventDecoder::read_context_members(uint32_t object) {
  const json::Index& index = *index_;
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (index[key + 1].kind == json::Kind::kNull) continue;
    const std::string_view name = index.inner(index[key]);
    if (name == "channel") members_.context_channel = key + 1;
    if (name == "traits") members_.context_traits = key + 1;
    if (name == "device") members_.context_device = key + 1;
    if (name == "externalIds") members_.context_external_ids = key + 1;
    if (name == "direct") members_.context_direct = key + 1;
    if (name == "ip") members_.context_ip = key + 1;
    if (name == "library") members_.context_library = key + 1;
    if (name == "page") members_.context_page = key + 1;
    if (name == "userAgent" || name == "user_agent") members_.context_user_agent = key + 1;
  }
}

bool EventDecoder::read_type() {
  if (batch_head_->type) {
    event_.type = *batch_head_->type;
    return true;
  }
  if (members_.type == 0) {
    if (batch_head_->dialect == BatchHead::Dialect::kBulk) return true;  // track
    return fail(Reason::kMissingType, node_, "each event of a batch needs \"type\"");
  }
  std::string_view name;
  if ((*index_)[members_.type].kind != json::Kind::kString || !text_of(members_.type, name)) {
    return fail(Reason::kInvalidField, members_.type, "type must be a string");
  }
  const auto type = parse_type(name);
  if (!type) {
    return fail(Reason::kUnknownType, members_.type,
                "type must be track, identify, page, screen, group or alias");
  }
  event_.type = *type;
  return true;
}

bool EventDecoder::read_name() {
  uint32_t node = 0;
  if (event_.type == EventType::kTrack) node = members_.event;
  if (event_.type == EventType::kGroup) node = members_.group_id;
  if (is_page(event_.type)) node = members_.name;
  if (node != 0) {
    const bool readable = event_.type == EventType::kGroup || (*index_)[node].kind == json::Kind::kString;
    if (!readable || !text_of(node, event_.name)) {
      return fail(Reason::kInvalidField, node, "the name must be a string");
    }
  }
  if (event_.name.size() > limits::kNameBytes) {
    return fail(Reason::kNameTooLong, node, cat(event_.name.size(), " bytes; at most ", limits::kNameBytes));
  }
  if (event_.type == EventType::kTrack && event_.name.empty()) {
    return fail(Reason::kMissingEventName, node == 0 ? node_ : node,
                "a track call needs \"event\", the name of what happened");
  }
  if (event_.type == EventType::kGroup && event_.name.empty()) {
    return fail(Reason::kInvalidField, node == 0 ? node_ : node, "a group call needs \"groupId\"");
  }
  return true;
}

bool EventDecoder::read_message_id() {
  if (members_.message_id == 0) return true;
  if (!text_of(members_.message_id, event_.message_id)) {
    return fail(Reason::kInvalidField, members_.message_id, "messageId must be a string");
  }
  if (event_.message_id.size() > limits::kMessageIdBytes) {
    return fail(Reason::kMessageIdTooLong, members_.message_id,
                cat(event_.message_id.size(), " bytes; at most ", limits::kMessageIdBytes));
  }
  if (id_is_personal(sender_->policy->settings(), event_.message_id)) {
    std::string& id = texts_.next();
    id = hidden_text(*sender_->policy, *sender_->door, "message id", event_.message_id);
    event_.message_id = id;
  }
  return true;
}

bool EventDecoder::names_library_with_frozen_clock() const {
  return members_.timestamp == 0 && members_.original_timestamp != 0;
}

bool EventDecoder::read_time() {
  const uint32_t node = members_.timestamp != 0 ? members_.timestamp : members_.original_timestamp;
  has_time_ = node != 0;
  if (node == 0) {
    event_.time = event_.original_time = sender_->received_at;
    return true;
  }
  const auto original = times_.parse(index_->value((*index_)[node]));
  if (!original) {
    return fail(Reason::kInvalidTime, node, times_.why());
  }
  ClientClock clock{.received_at = sender_->received_at,
                    .sent_at = batch_head_->sent_at,
                    .retried = sender_->retried,
                    .frozen_sent_at = names_library_with_frozen_clock()};
  if (!clock.sent_at && members_.sent_at != 0) {
    clock.sent_at = times_.parse(index_->value((*index_)[members_.sent_at]));
  }
  event_.original_time = *original;
  zone_ahead_ = zone_ahead(clock, *original);
  // By its own time it would come behind everything of the next hours.
  event_.time =
      (zone_ahead_.empty() ? corrected_time(clock, *original) : sender_->received_at) + batch_head_->step;
  if (event_.time > sender_->received_at + limits::kFutureTolerance) {
    return fail(Reason::kTimeInFuture, node,
                "more than an hour after it was received; check the sender's clock and time zone");
  }
  return true;
}

bool EventDecoder::read_channel() {
  const uint32_t node = members_.channel != 0 ? members_.channel : members_.context_channel;
  std::string_view name;
  if (node != 0 && (*index_)[node].kind == json::Kind::kString && text_of(node, name)) {
    ChannelReading stated = kehu::read_channel(name);
    event_.channel = stated.channel;
    if (stated.channel == Channel::kOther && is_personal(sender_->policy->settings(), name)) {
      event_.channel = Channel::kUnknown;
    } else if (stated.channel == Channel::kOther) {
      std::string& kept = texts_.next();
      kept = std::move(stated.other);
      event_.channel = ChannelName(kept);
    }
    if (event_.channel != Channel::kUnknown) return true;
  }
  event_.channel = derived_channel();
  return true;
}

// A client library knows where it runs; what the operator says of the source goes before the rest.
ChannelName EventDecoder::derived_channel() {
  const Channel library = channel_of_library(context_text(members_.context_library, "name"));
  if (is_client(library)) return library;
  if (default_channel_ != Channel::kUnknown) return default_channel_;
  if (library != Channel::kUnknown) return library;
  const Channel browser = channel_of_user_agent(context_text(members_.context_user_agent, {}));
  if (browser != Channel::kUnknown) return browser;
  if (event_.type == EventType::kPage) return Channel::kWeb;
  return event_.type == EventType::kScreen ? Channel::kApp : Channel::kUnknown;
}

// The text of a node, or of a member of an object; empty when it is none.
std::string_view EventDecoder::context_text(uint32_t node, std::string_view member) {
  if (node == 0) return {};
  if (!member.empty()) {
    if ((*index_)[node].kind != json::Kind::kObject) return {};
    node = member_of(node, member);
    if (node == 0) return {};
  }
  std::string_view text;
  return (*index_)[node].kind == json::Kind::kString && text_of(node, text) ? text : std::string_view();
}

bool EventDecoder::settle_identifiers() {
  identifiers_.settle(*sender_->policy, *sender_->door, texts_);
  event_.identifiers = identifiers_.all();
  if (identifiers_.strongest() != nullptr || identifiers_.names_nobody()) return true;
  const std::string left_out = identifiers_.left_out(*sender_->policy);
  return fail(Reason::kNoIdentifier, node_,
              left_out.empty() ? "an event needs userId, anonymousId or another identifier"
                               : cat("no identifier can be used (", left_out, ")"));
}

bool EventDecoder::read_objects() {
  const Identifier* strongest = identifiers_.strongest();
  const ObjectText::FieldDoor door{
      *sender_->policy, *sender_->door,
      strongest != nullptr ? strongest->token : event_.identifiers.front().token};
  if (is_personal(sender_->policy->settings(), event_.name)) {
    std::string& name = texts_.next();
    name = sealed_name(door, event_.name);
    event_.name = name;
  }
  properties_.start();
  traits_.start();
  context_text_.start();
  if (!take_properties(door) || !take_context(door)) return false;
  // RudderStack's identify call has its traits in the context only.
  const bool in_context = event_.type == EventType::kIdentify && members_.traits == 0 &&
                          members_.context_traits != 0 &&
                          (*index_)[members_.context_traits].kind == json::Kind::kObject;
  uint32_t traits = in_context ? members_.context_traits : members_.traits;
  if (!expect_object(traits, "traits")) return false;
  if (traits != 0 && !traits_.take_object(*index_, traits, door)) {
    fault_ = traits_.fault();
    return false;
  }
  if (traits != 0) {
    if (auto fault = check_trait_operands(*index_, traits, sender_->list_traits)) {
      fault_ = *std::move(fault);
      return false;
    }
  }
  traits_.finish();
  event_.traits = traits_.text();
  return true;
}

bool EventDecoder::take_properties(const ObjectText::FieldDoor& door) {
  if (!expect_object(members_.properties, "properties")) return false;
  bool ok = members_.properties == 0 || properties_.take_object(*index_, members_.properties, door);
  ok = ok && take_others(door);
  ok = ok && take_spare(members_.category, "category", is_page(event_.type), door);
  ok = ok && take_spare(members_.name, "name", false, door);
  ok = ok && take_spare(members_.group_id, "groupId", false, door);
  // Such a text is no channel (read_channel), and is kept where it is sealed.
  std::string_view channel;
  const bool is_text = members_.channel != 0 && (*index_)[members_.channel].kind == json::Kind::kString;
  if (is_text && text_of(members_.channel, channel) && is_personal(sender_->policy->settings(), channel))
    ok = ok && take_spare(members_.channel, "channel", true, door);
  if (!ok) {
    fault_ = properties_.fault();
    return false;
  }
  properties_.finish();
  event_.properties = properties_.text();
  return true;
}

// What stands in the properties wins over a member of the same name beside them.
bool EventDecoder::take_others(const ObjectText::FieldDoor& door) {
  if (others_.empty()) return true;
  const json::Index& index = *index_;
  key_nodes_.assign(others_.begin(), others_.end());
  const uint32_t object = members_.properties;
  for (uint32_t key = object + 1; object != 0 && key < index[object].next; key = index[key + 1].next) {
    key_nodes_.push_back(key);
  }
  repeated_.find_among(index, key_nodes_);
  for (const uint32_t key : others_) {
    if (!repeated_.holds(key) && !properties_.take_member(index, key, door)) return false;
  }
  return true;
}

// A member that this type of call has no place for becomes a property, unless there is one of its name: in
// bulk always, where nothing is to be lost; in Segment's calls only when the API documents it (a page's
// category).
bool EventDecoder::take_spare(uint32_t node, std::string_view key, bool documented,
                              const ObjectText::FieldDoor& door) {
  if (node == 0) return true;
  const bool used =
      (key == "name" && is_page(event_.type)) || (key == "groupId" && event_.type == EventType::kGroup);
  const bool wanted = documented || (batch_head_->dialect == BatchHead::Dialect::kBulk && !used);
  if (!wanted) return true;
  // By the name under which it would stand there, which may be the other spelling.
  std::string& scratch = texts_.next();
  const std::string_view written = index_->text_of((*index_)[node - 1], scratch);
  if (members_.properties != 0 && json::has_key(*index_, members_.properties, written)) return true;
  return properties_.take_member(*index_, node - 1, door);
}

bool EventDecoder::take_context(const ObjectText::FieldDoor& door) {
  bool ok = members_.context == 0 || context_text_.take_object(*index_, members_.context, door);
  if (ok && batch_head_->context != 0) {
    ok = members_.context == 0
             ? context_text_.take_object(*index_, batch_head_->context, door)
             : context_text_.take_missing(*index_, batch_head_->context, members_.context, door);
  }
  if (!ok) {
    fault_ = context_text_.fault();
    return false;
  }
  const uint32_t direct = members_.context_direct;
  const bool wants_ip = direct != 0 && members_.context_ip == 0 && index_->raw((*index_)[direct]) == "true";
  const auto is_there = [&](std::string_view key) {
    return (members_.context != 0 && json::has_key(*index_, members_.context, key)) ||
           (batch_head_->context != 0 && json::has_key(*index_, batch_head_->context, key));
  };
  if (wants_ip && !sender_->remote_ip.empty() && !is_there("ip")) {
    context_text_.add_text("ip", sender_->remote_ip);
  }
  if (!zone_ahead_.empty() && !is_there(kTimeAhead)) context_text_.add_text(kTimeAhead, zone_ahead_);
  context_text_.finish();
  event_.context = context_text_.text();
  return true;
}

// The hash of the content leaves out what changes when a client sends an event again: sentAt, receivedAt,
// context, and ids that may be made up for each call. Clear personal values enter it only by their keyed
// hashes (tokens, ObjectText::digest).
void EventDecoder::settle_hashes() {
  const Hash128 properties = properties_.digest(), traits = traits_.digest();
  std::array<uint64_t, 7 + 2 * limits::kIdentifiersPerEvent> parts = {
      static_cast<uint64_t>(event_.type),
      has_time_ ? static_cast<uint64_t>(event_.original_time.micros()) : 0,
      hash64(event_.name),
      properties.high,
      properties.low,
      traits.high,
      traits.low,
  };
  size_t count = 7;
  const auto add = [&](bool passing) {
    for (const Identifier& identifier : event_.identifiers) {
      const bool named = !identifier.alternative || identifiers_.names_nobody();
      if (!named || passing != (identifier.standing == Standing::kPassing)) continue;
      parts[count++] = identifier.token.hash.high;
      parts[count++] = identifier.token.hash.low;
    }
    return hash128({reinterpret_cast<const char*>(parts.data()), count * sizeof(uint64_t)});
  };
  event_.body_hash = add(false).low;
  if (event_.message_id.empty()) {
    // Here they are all that tells two events of one moment apart.
    Hash128 content = add(true);
    // Without a time of its own an equal event in a later request, or in another place of this one, is
    // another event.
    if (!has_time_) {
      content.low = hash_combine(content.low, static_cast<uint64_t>(event_.received_at.micros()));
      content.high = hash_combine(node_, batch_head_->position);
    }
    std::string& id = texts_.next();
    id = cat("content-", content.hex());
    event_.message_id = id;
  }
  event_.message_key = hash128(event_.message_id, scope_of(event_));
}

void EventDecoder::read_former_ids(std::array<Hash128, 2>& keys) {
  // What earlier versions knew an id under that is hidden now.
  std::string_view sent;
  const bool hidden =
      members_.message_id != 0 && text_of(members_.message_id, sent) && sent != event_.message_id;
  if (hidden) keys[1] = hash128(sent, scope_of(event_));
  if (former_id_ == 0) return;
  const json::Index::Node& value = (*index_)[former_id_];
  const bool list = value.kind == json::Kind::kArray;
  uint32_t node = list ? former_id_ + 1 : former_id_;
  for (size_t i = 0; i < keys.size() && node < value.next; ++i, node = (*index_)[node].next) {
    std::string_view id;
    if (text_of(node, id)) keys[i] = hash128(id, scope_of(event_));
  }
}

}  // namespace kehu::intake
