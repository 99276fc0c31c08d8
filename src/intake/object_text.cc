#include "intake/object_text.h"

#include <algorithm>
#include <array>

#include "base/money.h"
#include "fields/nested_text.h"
#include "intake/personal_text.h"
#include "json/scan.h"
#include "json/text.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kKey = "key";  // what is hidden, see hidden_text
constexpr std::string_view kReservedPrefix = "$sealed";
constexpr std::string_view kSealedPrefix = "sealed:v";  // as seal::Door::looks_sealed has it, unescaped

Hash128 combined(Hash128 a, Hash128 b) {
  return Hash128{hash_combine(a.high, b.high), hash_combine(a.low, b.low)};
}

constexpr uint8_t kLookedAt =
    fields::FieldClass::kPersonal | fields::FieldClass::kAmount | fields::FieldClass::kPersonalName;
constexpr size_t kShortestPersonal = 6;  // a@b.cc
constexpr size_t kShortestPhone = 11;
constexpr size_t kLongestNumber = 64;
constexpr char kFullWidth = '\xef';  // first byte of full-width forms

// What a number in some spelling, or a text that is JSON, begins with.
constexpr std::array<uint8_t, 256> first_of_personal() {
  std::array<uint8_t, 256> table{};
  for (const unsigned char c : {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '+', '(', ' ', '[', '{'})
    table[c] = 1;
  // No-break and other wide spaces, full-width digits.
  for (const int c : {0xc2, 0xe2, 0xe3, 0xef}) table[static_cast<size_t>(c)] = 1;
  return table;
}
constexpr std::array<uint8_t, 256> kFirstOfPersonal = first_of_personal();

bool has_exponent(std::string_view number) {
  return std::any_of(number.begin(), number.end(), [](char c) { return c == 'e' || c == 'E'; });
}

bool is_empty_object(const json::Index& index, uint32_t object) { return index[object].next == object + 1; }

}  // namespace

void ObjectText::start() {
  whole_ = {};
  buffer_.clear();
  buffered_ = false;
  taken_ = false;
  text_ = {};
  digest_ = {};
}

bool ObjectText::take_object(const json::Index& index, uint32_t object, const FieldDoor& door) {
  if (is_empty_object(index, object)) return true;
  const json::Index::Node& node = index[object];
  const std::string_view raw = index.raw(node);
  // The events of a request mostly share one context.
  const bool known = !taken_ && raw == clean_;
  if (!known && !look(index, object + 1, node.next, door)) return false;
  if (!taken_ && (known || replacements_.empty())) {
    taken_ = true;
    whole_ = raw;
    if (!known && !keeps_digest_) clean_ = raw;
    return true;
  }
  settle_whole();
  append_separator();
  append_range(index.text(), index[object + 1].begin, node.begin + node.size - 1);
  return true;
}

bool ObjectText::take_missing(const json::Index& index, uint32_t object, uint32_t others,
                              const FieldDoor& door) {
  repeated_in_missing_.find(index, object, object + 1);
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (repeated_in_missing_.holds(key) || json::has_key(index, others, index.text_of(index[key], key_)))
      continue;
    if (!take_member(index, key, door)) return false;
  }
  return true;
}

bool ObjectText::take_member(const json::Index& index, uint32_t key, const FieldDoor& door) {
  const json::Index::Node& value = index[key + 1];
  if (!look(index, key, value.next, door)) return false;
  settle_whole();
  append_separator();
  append_range(index.text(), index[key].begin, value.begin + value.size);
  return true;
}

void ObjectText::add_text(std::string_view key, std::string_view text) {
  settle_whole();
  append_separator();
  json::append_literal(key, buffer_);
  buffer_.push_back(':');
  json::append_literal(text, buffer_);
  mix(key);
  mix(text);
}

void ObjectText::finish() {
  if (buffered_) {
    buffer_.push_back('}');
    text_ = buffer_;
  } else if (taken_) {
    text_ = whole_;
    mix(whole_.substr(1, whole_.size() - 2));
  } else {
    text_ = "{}";
  }
}

// Moves what was taken as a view into the buffer, because something is to follow it.
void ObjectText::settle_whole() {
  if (buffered_) return;
  buffered_ = true;
  buffer_.push_back('{');
  if (!taken_) return;
  const std::string_view members = whole_.substr(1, whole_.size() - 2);
  buffer_.append(members);
  mix(members);
}

void ObjectText::append_separator() {
  if (taken_) buffer_.push_back(',');
  taken_ = true;
}

void ObjectText::append_range(std::string_view text, uint32_t begin, uint32_t end) {
  const auto copy = [&](uint32_t from, uint32_t to) {
    buffer_.append(text.substr(from, to - from));
    mix(text.substr(from, to - from));
  };
  for (const Replacement& replacement : replacements_) {
    copy(begin, replacement.begin);
    buffer_.append(sealed_, replacement.sealed_begin, replacement.sealed_end - replacement.sealed_begin);
    begin = replacement.end;
  }
  copy(begin, end);
}

void ObjectText::mix(std::string_view bytes) {
  if (!keeps_digest_ || bytes.empty()) return;
  const Hash128 hash = hash128(bytes);
  digest_ = digest_.is_zero() ? hash : combined(digest_, hash);
}

bool ObjectText::fail(Reason reason, uint32_t node, const char* detail) {
  fault_ = Fault{reason, node, detail};
  return false;
}

// One look for all texts spares one for each: few objects have an @ in them.
void ObjectText::note_marks(const json::Index& index, uint32_t first, uint32_t last,
                            const fields::Policy& policy) {
  const json::Index::Node& end = index[last - 1];
  const char* begin = index.text().data() + index[first].begin;
  const size_t size = end.begin + end.size - index[first].begin;
  marks_ =
      json::has_either(begin, begin + size, '@', kFullWidth) || policy.settings().personal_values.free_text;
}

// False for nearly every value: texts that nothing has to be done about, and numbers that are no phone's.
inline bool ObjectText::needs_look(const json::Index& index, const json::Index::Node& node) const {
  if (node.kind == json::Kind::kNumber) {
    // Thirteen digits are a time in milliseconds, unless they begin with 86.
    const char* digits = index.text().data() + node.begin;
    return node.size >= kShortestPhone && (node.size != 13 || digits[0] == '8' || digits[11] == '.');
  }
  if (node.kind != json::Kind::kString) return false;
  const auto first = static_cast<unsigned char>(index.text()[node.begin + 1]);
  if (node.escaped || first == kSealedPrefix.front()) return true;
  if (marks_ && node.size >= kShortestPersonal + 2) return true;
  if (kFirstOfPersonal[first] == 0) return false;
  if (first == '[' || first == '{') return true;
  // Times end in Z.
  return node.size >= kShortestPhone + 2 && node.size <= kLongestNumber + 2 &&
         index.text()[node.begin + node.size - 2] != 'Z';
}

bool ObjectText::reads_personal(const json::Index& index, uint32_t value, uint8_t field_class,
                                const fields::Policy& policy) {
  const json::Index::Node& node = index[value];
  if (!needs_look(index, node)) return false;
  const PersonalValues& values = policy.settings().personal_values;
  const bool is_text = node.kind == json::Kind::kString;
  const std::string_view text = is_text ? index.text_of(node, scratch_) : index.raw(node);
  const PersonalKind kind = is_text && values.free_text ? personal_kind_inside(text) : personal_kind(text);
  if (kind == PersonalKind::kNone) {
    const bool excepted = (field_class & fields::FieldClass::kExcepted) != 0;
    return is_text && !excepted && fields::holds_personal(text, policy.fields(), values);
  }
  if ((field_class & fields::FieldClass::kPlainNumber) != 0 && is_bare_number(text)) return false;
  if (values.seals(kind) && (field_class & fields::FieldClass::kExcepted) == 0) return true;
  ++in_clear_;
  return false;
}

// Repeated keys are looked for only where the keys are not those of the object before, in which there were
// none: then all is done again without them.
bool ObjectText::look(const json::Index& index, uint32_t first, uint32_t last, const FieldDoor& door) {
  const Hash128 before = digest_;
  const auto in_clear_before = in_clear_;
  leaves_out_ = false;
  if (!look_once(index, first, last, door)) {
    keys_.forget();
    return false;
  }
  // The node before the first is the object that holds them all, or, of a single member, none of its own.
  const bool whole = index[first - 1].kind == json::Kind::kObject && index[first - 1].next == last;
  if (!keys_.changed() || repeated_.find(index, whole ? first - 1 : first, last).empty()) return true;
  leaves_out_ = true;
  digest_ = before;
  in_clear_ = in_clear_before;
  const bool taken = look_once(index, first, last, door);
  keys_.forget();
  return taken;
}

// With the comma behind it: there is a later member.
void ObjectText::leave_out(const json::Index& index, uint32_t key) {
  const auto nothing = static_cast<uint32_t>(sealed_.size());
  replacements_.push_back({index[key].begin, index[index[key + 1].next].begin, nothing, nothing});
}

// One pass over the index for all that the door asks of an object: reserved keys, personal names, values
// that read as personal, amounts, repeated keys. What nearly all of them are, neither known nor odd, is
// decided in this loop. The text itself is not rewritten: what has to change is noted as a replacement, in
// ascending order, and an object without any is taken as a view.
bool ObjectText::look_once(const json::Index& index, uint32_t first, uint32_t last, const FieldDoor& door) {
  replacements_.clear();
  sealed_.clear();
  lists_.clear();
  keys_.start();
  if (first == last) return true;
  note_marks(index, first, last, door.policy);
  for (uint32_t at = first; at < last;) {
    const json::Index::Node& node = index[at];
    if (!node.is_key) {
      if (needs_look(index, node)) look_at_element(index, at, door);
      ++at;
      continue;
    }
    if (leaves_out_ && repeated_.holds(at)) {
      leave_out(index, at);
      at = index[at + 1].next;
      continue;
    }
    if (node.lone_surrogate) replace_half_characters(index, at);
    const std::string_view name = index.text_of(node, key_);
    if (!name.empty() && name.front() == '$' && name.starts_with(kReservedPrefix)) {
      return fail(Reason::kReservedKey, at + 1, "keys that begin with $sealed are Kehu's own; rename it");
    }
    const uint8_t field_class = keys_.find(
        door.policy.fields(), name, fields::KeySequence::place_of(at - first, index[at + 1].next - first));
    const bool hidden = (field_class & fields::FieldClass::kPersonalKey) != 0;
    const std::string stand_in = hidden ? hide_key(index, at, name, door) : std::string();
    const json::Index::Node& value = index[at + 1];
    const bool container = value.kind == json::Kind::kArray || value.kind == json::Kind::kObject;
    if ((field_class & kLookedAt) != 0 || needs_look(index, value)) {
      if (!look_at_value(index, hidden ? stand_in : name, at + 1, field_class, door)) return false;
      const bool done = !replacements_.empty() && replacements_.back().begin == value.begin;
      if (done || !container) {
        at = value.next;
        continue;
      }
    }
    if (value.kind == json::Kind::kArray) lists_.push_back({at, value.next, field_class});
    at += 2;
  }
  return true;
}

bool ObjectText::look_at_value(const json::Index& index, std::string_view key, uint32_t value,
                               uint8_t field_class, const FieldDoor& door) {
  const json::Index::Node& node = index[value];
  const bool answer = node.kind == json::Kind::kBool;
  const bool named = (field_class & fields::FieldClass::kPersonalName) != 0 && !answer;
  if (named || (field_class & fields::FieldClass::kPersonal) != 0) {
    if (node.kind != json::Kind::kNull) seal(index, key, value, door);
    return true;
  }
  if (node.kind == json::Kind::kString && imitates_sealed(index, value)) {
    seal(index, key, value, door);
  } else if (reads_personal(index, value, field_class, door.policy)) {
    seal(index, key, value, door);
  } else if (node.lone_surrogate) {
    replace_half_characters(index, value);
  }
  return (field_class & fields::FieldClass::kAmount) == 0 || fits_decimal(index, value);
}

// Under the key of its list, where every reader looks for it.
void ObjectText::look_at_element(const json::Index& index, uint32_t value, const FieldDoor& door) {
  while (!lists_.empty() && lists_.back().end <= value) lists_.pop_back();
  const uint8_t field_class = lists_.empty() ? uint8_t{0} : lists_.back().field_class;
  const json::Index::Node& node = index[value];
  const bool imitation = node.kind == json::Kind::kString && imitates_sealed(index, value);
  if (imitation || reads_personal(index, value, field_class, door.policy)) {
    std::string scratch;
    std::string_view key =
        lists_.empty() ? std::string_view() : index.text_of(index[lists_.back().key], scratch);
    std::string hidden;
    if ((field_class & fields::FieldClass::kPersonalKey) != 0)
      key = hidden = hidden_text(door.policy, door.door, kKey, key);
    seal(index, key, value, door);
  } else if (node.lone_surrogate) {
    replace_half_characters(index, value);
  }
}

bool ObjectText::fits_decimal(const json::Index& index, uint32_t value) {
  const json::Index::Node& node = index[value];
  if (node.kind != json::Kind::kNumber) return true;
  const std::string_view text = index.raw(node);
  // Twelve characters without an exponent cannot leave the range.
  const bool small = text.size() <= 12 && !has_exponent(text);
  return small || Decimal::parse(text) ||
         fail(Reason::kAmountOutOfRange, value, "an amount must lie within ±10^14");
}

// A client's text that looks like one of the door's must not pass as one.
bool ObjectText::imitates_sealed(const json::Index& index, uint32_t value) {
  const json::Index::Node& node = index[value];
  const std::string_view raw = index.raw(node);
  if (!node.escaped) return raw[1] == 's' && seal::Door::looks_sealed(raw);
  return json::unescape(raw, scratch_).starts_with(kSealedPrefix);
}

void ObjectText::seal(const json::Index& index, std::string_view key, uint32_t value, const FieldDoor& door) {
  const json::Index::Node& node = index[value];
  const std::string_view raw = index.raw(node);
  const auto begin = static_cast<uint32_t>(sealed_.size());
  sealed_.append(door.door.seal_field(door.owner, key, raw));
  replacements_.push_back({node.begin, node.begin + node.size, begin, static_cast<uint32_t>(sealed_.size())});
  // Nobody may find a clear value by guessing at a plain hash of it, so it counts by its keyed one.
  if (keeps_digest_) digest_ = combined(digest_, door.door.token(IdentifierTypeId(0), raw).hash);
}

// A map from phone numbers to points, as clients build them. A key is looked up and counted by, so what
// stands for it is one for all customers. Values are sealed under it, because readers see no other.
std::string ObjectText::hide_key(const json::Index& index, uint32_t key, std::string_view name,
                                 const FieldDoor& door) {
  const json::Index::Node& node = index[key];
  if (!replacements_.empty() && replacements_.back().begin == node.begin) replacements_.pop_back();
  const auto begin = static_cast<uint32_t>(sealed_.size());
  std::string hidden = hidden_text(door.policy, door.door, kKey, name);
  json::append_literal(hidden, sealed_);
  replacements_.push_back({node.begin, node.begin + node.size, begin, static_cast<uint32_t>(sealed_.size())});
  mix(hidden);
  return hidden;
}

void ObjectText::replace_half_characters(const json::Index& index, uint32_t at) {
  const json::Index::Node& node = index[at];
  const auto begin = static_cast<uint32_t>(sealed_.size());
  json::append_literal(json::unescape(index.raw(node), scratch_), sealed_);
  replacements_.push_back({node.begin, node.begin + node.size, begin, static_cast<uint32_t>(sealed_.size())});
  mix(index.raw(node));
}

}  // namespace kehu::intake
