#include "intake/object_text.h"

#include <algorithm>

#include "base/money.h"
#include "json/text.h"

namespace kehu::intake {
namespace {

constexpr std::string_view kReservedPrefix = "$sealed";
constexpr std::string_view kSealedPrefix = "sealed:v";  // as seal::Door::looks_sealed has it, unescaped

Hash128 combined(Hash128 a, Hash128 b) {
  return Hash128{hash_combine(a.high, b.high), hash_combine(a.low, b.low)};
}

bool has_key(const json::Index& index, uint32_t object, std::string_view wanted) {
  std::string scratch;
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (index.text_of(index[key], scratch) == wanted) return true;
  }
  return false;
}

// A string that nothing has to be done about, as far as one look tells.
inline bool is_plain(const json::Index& index, const json::Index::Node& node) {
  return !node.escaped && index.text()[node.begin + 1] != kSealedPrefix.front();
}

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

bool ObjectText::take_object(const json::Index& index, uint32_t object, const Door& door) {
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

bool ObjectText::take_missing(const json::Index& index, uint32_t object, uint32_t others, const Door& door) {
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (has_key(index, others, index.text_of(index[key], key_))) continue;
    if (!take_member(index, key, door)) return false;
  }
  return true;
}

bool ObjectText::take_member(const json::Index& index, uint32_t key, const Door& door) {
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

// Every key and every text once. What nearly all of them are, neither known nor odd, is decided in this loop.
bool ObjectText::look(const json::Index& index, uint32_t first, uint32_t last, const Door& door) {
  replacements_.clear();
  sealed_.clear();
  keys_.start();
  for (uint32_t at = first; at < last;) {
    const json::Index::Node& node = index[at];
    if (node.lone_surrogate && (node.is_key || !imitates_sealed(index, at)))
      replace_half_characters(index, at);
    if (!node.is_key) {
      if (node.kind == json::Kind::kString && imitates_sealed(index, at)) seal(index, "", at, door);
      ++at;
      continue;
    }
    const std::string_view name = index.text_of(node, key_);
    if (!name.empty() && name.front() == '$' && name.starts_with(kReservedPrefix)) {
      return fail(Reason::kReservedKey, at + 1, "keys that begin with $sealed are Kehu's own; rename it");
    }
    const uint8_t field_class = keys_.find(door.policy.fields(), name);
    ++at;
    if (field_class == 0 && (index[at].kind != json::Kind::kString || is_plain(index, index[at]))) {
      at += index[at].kind == json::Kind::kString ? 1 : 0;
      continue;
    }
    if (!look_at_value(index, name, at, field_class, door)) return false;
    const bool done = (field_class & FieldClass::kPersonal) != 0 || index[at].kind == json::Kind::kString;
    at = done ? index[at].next : at;
  }
  return true;
}

bool ObjectText::look_at_value(const json::Index& index, std::string_view key, uint32_t value,
                               uint8_t field_class, const Door& door) {
  const json::Index::Node& node = index[value];
  if ((field_class & FieldClass::kPersonal) != 0) {
    if (node.kind != json::Kind::kNull) seal(index, key, value, door);
    return true;
  }
  if (node.kind == json::Kind::kString) {
    if (imitates_sealed(index, value)) {
      seal(index, key, value, door);
    } else if (node.lone_surrogate) {
      replace_half_characters(index, value);
    }
    return true;
  }
  return (field_class & FieldClass::kAmount) == 0 || fits_decimal(index, value);
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

void ObjectText::seal(const json::Index& index, std::string_view key, uint32_t value, const Door& door) {
  const json::Index::Node& node = index[value];
  const std::string_view raw = index.raw(node);
  const auto begin = static_cast<uint32_t>(sealed_.size());
  sealed_.append(door.door.seal_field(door.owner, key, raw));
  replacements_.push_back({node.begin, node.begin + node.size, begin, static_cast<uint32_t>(sealed_.size())});
  // Nobody may find a clear value by guessing at a plain hash of it, so it counts by its keyed one.
  if (keeps_digest_) digest_ = combined(digest_, door.door.token(IdentifierTypeId(0), raw).hash);
}

void ObjectText::replace_half_characters(const json::Index& index, uint32_t at) {
  const json::Index::Node& node = index[at];
  const auto begin = static_cast<uint32_t>(sealed_.size());
  json::append_literal(json::unescape(index.raw(node), scratch_), sealed_);
  replacements_.push_back({node.begin, node.begin + node.size, begin, static_cast<uint32_t>(sealed_.size())});
  mix(index.raw(node));
}

}  // namespace kehu::intake
