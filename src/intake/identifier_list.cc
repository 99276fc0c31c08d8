#include "intake/identifier_list.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "identifier/normal_value.h"

namespace kehu::intake {
namespace {

bool may_be_phone(std::string_view text) {
  if (text.size() < 11 || text.size() > 40) return false;
  // Digits, separators, or full-width digits (bytes above 127).
  return std::none_of(text.begin(), text.end(), [](char c) {
    const char letter = static_cast<char>(c | 0x20);
    return (letter >= 'a' && letter <= 'z') || c == '_' || c == ':';
  });
}

bool is_or_are(const NormalValue& value) {
  return value.left_out == LeftOut::kNo || value.left_out == LeftOut::kSeveral;
}

// Asks for two digits, in some width, at its head, so that random ids mostly fail here.
bool may_be_id_card(std::string_view text) {
  const auto digit = [](char c) { return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9'); };
  return text.size() >= 18 && text.size() <= 64 && digit(text[0]) && digit(text[1]) && text[2] != '-';
}

PersonalKind kind_of(std::string_view text) {
  if (may_be_id_card(text) && personal_kind(text) == PersonalKind::kIdCard) return PersonalKind::kIdCard;
  if (text.find('@') != text.npos) {
    return is_or_are(read_value(Normaliser::kEmail, text)) ? PersonalKind::kEmail : PersonalKind::kNone;
  }
  if (!may_be_phone(text)) return PersonalKind::kNone;
  const NormalValue phone = read_value(Normaliser::kChinesePhone, text);
  const bool mainland = phone.text.empty() || (phone.text.size() == 11 && phone.text.front() == '1');
  return is_or_are(phone) && mainland ? PersonalKind::kPhone : PersonalKind::kNone;
}

// Some shops use the e-mail address, the mobile number or the ID card as user id. Such a value is personal
// whatever its type, and so are two of them.
bool reads_as_personal(const fields::Policy& policy, std::string_view type, std::string_view text) {
  const PersonalKind kind = kind_of(text);
  return kind != PersonalKind::kNone && policy.settings().personal_values.seals(kind) &&
         !policy.fields().is_excepted(type);
}

}  // namespace

bool IdentifierList::has_text(std::string_view text) const {
  return std::any_of(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count_),
                     [text](const Found& found) { return found.text == text; });
}

bool IdentifierList::has(IdentifierTypeId type) const {
  return std::any_of(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count_),
                     [type](const Found& found) { return found.type == type && !found.alternative; });
}

void IdentifierList::set_standing(IdentifierTypeId type, Standing standing) {
  for (size_t i = 0; i < count_; ++i) {
    const bool named = found_[i].type == type && !found_[i].alternative && !found_[i].previous;
    if (named) found_[i].standing = standing;
  }
}

bool IdentifierList::add(const Found& found) {
  if (found.text.empty()) return true;
  if (found.text.size() > limits::kIdentifierBytes) {
    fault_ =
        Fault{Reason::kIdentifierTooLong, found.node,
              cat("an identifier has ", found.text.size(), " bytes; at most ", limits::kIdentifierBytes)};
    return false;
  }
  for (size_t i = 0; i < count_; ++i) {
    if (found_[i].type == found.type && found_[i].text == found.text) return true;
  }
  if (count_ == found_.size()) {
    fault_ = Fault{Reason::kTooManyIdentifiers, found.node,
                   cat("more than ", limits::kIdentifiersPerEvent, " identifiers in one event")};
    return false;
  }
  found_[count_++] = found;
  return true;
}

// The strongest type comes first, because the token of the strongest identifier is the part of the event. A
// list has at most kIdentifiersPerEvent entries, so it is sorted by insertion.
void IdentifierList::settle(const fields::Policy& policy, seal::Door& door, TextPool& texts) {
  // Stable, so that of two values of one type the first named stays the stronger.
  for (size_t i = 1; i < count_; ++i) {
    for (size_t k = i; k > 0 && policy.rank(found_[k].type) < policy.rank(found_[k - 1].type); --k) {
      std::swap(found_[k], found_[k - 1]);
    }
  }
  size_t kept = 0;
  std::array<uint32_t, limits::kIdentifiersPerEvent> nodes;
  for (size_t i = 0; i < count_; ++i) {
    Identifier& out = settled_[kept];
    settle_one(policy, door, texts, found_[i], out);
    // The same value in two spellings is one identifier.
    const bool repeated = std::any_of(settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(kept),
                                      [&out](const Identifier& known) { return known.token == out.token; });
    if (!repeated) nodes[kept++] = found_[i].node;
  }
  count_ = kept;
  for (size_t i = 0; i < count_; ++i) {
    if (settled_[i].alternative) settled_[i].named = named_at(i, nodes);
  }
}

// An alternative and what it is one of were read at the same place.
uint8_t IdentifierList::named_at(size_t alternative, absl::Span<const uint32_t> nodes) const {
  for (size_t i = 0; i < count_; ++i) {
    if (!settled_[i].alternative && nodes[i] == nodes[alternative]) return static_cast<uint8_t>(i);
  }
  return static_cast<uint8_t>(alternative);
}

void IdentifierList::settle_one(const fields::Policy& policy, seal::Door& door, TextPool& texts,
                                const Found& found, Identifier& out) {
  const IdentifierRule& rule = policy.settings().rule(found.type);
  out = Identifier();
  out.type = found.type;
  out.previous = found.previous;
  out.alternative = found.alternative;
  out.standing = found.standing;
  const IdentifierValue value = read_identifier(policy.settings(), rule, found.text, found.written, scratch_);
  out.left_out = value.left_out;
  out.value = value.text;
  if (value.text.data() == scratch_.data()) {
    std::string& text = texts.next();
    text.swap(scratch_);
    out.value = text;
  }
  out.token = door.token(found.type, out.value);
  out.sealed = rule.personal || reads_as_personal(policy, rule.name, out.value);
  if (out.sealed) {
    std::string& sealed = texts.next();
    sealed = door.seal_identifier(out.token, out.value);
    out.value = sealed;
  }
}

const Identifier* IdentifierList::strongest() const {
  for (size_t i = 0; i < count_; ++i) {
    if (settled_[i].left_out == LeftOut::kNo && !settled_[i].alternative) return &settled_[i];
  }
  return nullptr;
}

bool IdentifierList::names_nobody() const {
  return count_ > 0 && std::all_of(settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(count_),
                                   [](const Identifier& settled) { return settled.alternative; });
}

std::string IdentifierList::left_out(const fields::Policy& policy) const {
  std::string out;
  for (const Identifier& identifier : all()) {
    if (identifier.left_out == LeftOut::kNo || identifier.alternative) continue;
    out.append(out.empty() ? "" : ", ");
    out.append(cat(policy.settings().rule(identifier.type).name, ": ", to_string(identifier.left_out)));
  }
  return out;
}

}  // namespace kehu::intake
