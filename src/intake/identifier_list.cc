#include "intake/identifier_list.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace kehu::intake {
namespace {

bool is_plain_edge(char c) { return c > ' ' && c < '\x7f'; }

// True when normalising cannot change the text, which spares a copy: the usual case.
bool is_normal_already(Normaliser normaliser, std::string_view text) {
  if (!is_plain_edge(text.front()) || !is_plain_edge(text.back())) return false;
  if (normaliser == Normaliser::kTrim) return true;
  return normaliser == Normaliser::kLowercase &&
         std::none_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool may_be_phone(std::string_view text) {
  if (text.size() < 11 || text.size() > 40) return false;
  // Digits, separators, or full-width digits (bytes above 127).
  return std::none_of(text.begin(), text.end(), [](char c) {
    const char letter = static_cast<char>(c | 0x20);
    return (letter >= 'a' && letter <= 'z') || c == '_' || c == ':';
  });
}

// Some shops use the e-mail address or the mobile number as user id. Such a value is personal whatever its
// type.
bool reads_as_personal(std::string_view text) {
  if (text.find('@') != text.npos) return normalise(Normaliser::kEmail, text).has_value();
  if (!may_be_phone(text)) return false;
  const auto phone = normalise(Normaliser::kChinesePhone, text);
  return phone && phone->size() == 11 && phone->front() == '1';
}

}  // namespace

bool IdentifierList::has_text(std::string_view text) const {
  return std::any_of(found_.begin(), found_.begin() + static_cast<std::ptrdiff_t>(count_),
                     [text](const Found& found) { return found.text == text; });
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

void IdentifierList::settle(const Policy& policy, seal::Door& door, TextPool& texts) {
  // Stable, so that of two values of one type the first named stays the stronger.
  for (size_t i = 1; i < count_; ++i) {
    for (size_t k = i; k > 0 && policy.rank(found_[k].type) < policy.rank(found_[k - 1].type); --k) {
      std::swap(found_[k], found_[k - 1]);
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < count_; ++i) {
    Identifier& out = settled_[kept];
    settle_one(policy, door, texts, found_[i], out);
    // The same value in two spellings is one identifier.
    const bool repeated = std::any_of(settled_.begin(), settled_.begin() + static_cast<std::ptrdiff_t>(kept),
                                      [&out](const Identifier& known) { return known.token == out.token; });
    if (!repeated) ++kept;
  }
  count_ = kept;
}

void IdentifierList::settle_one(const Policy& policy, seal::Door& door, TextPool& texts, const Found& found,
                                Identifier& out) {
  const IdentifierRule& rule = policy.settings().rule(found.type);
  out = Identifier();
  out.type = found.type;
  out.previous = found.previous;
  out.value = found.text;
  if (!is_normal_already(rule.normaliser, found.text)) {
    if (auto normal = normalise(rule.normaliser, found.text)) {
      std::string& text = texts.next();
      text = *std::move(normal);
      out.value = text;
    } else {
      out.left_out = LeftOut::kInvalid;
    }
  }
  if (out.left_out == LeftOut::kNo && is_blocked(rule, out.value)) out.left_out = LeftOut::kBlocked;
  out.token = door.token(found.type, out.value);
  out.sealed = rule.personal || reads_as_personal(out.value);
  if (out.sealed) {
    std::string& text = texts.next();
    text = door.seal_identifier(out.token, out.value);
    out.value = text;
  }
}

const Identifier* IdentifierList::strongest() const {
  for (size_t i = 0; i < count_; ++i) {
    if (settled_[i].left_out == LeftOut::kNo) return &settled_[i];
  }
  return nullptr;
}

std::string IdentifierList::left_out(const Policy& policy) const {
  std::string out;
  for (const Identifier& identifier : all()) {
    if (identifier.left_out == LeftOut::kNo) continue;
    out.append(out.empty() ? "" : ", ");
    out.append(cat(policy.settings().rule(identifier.type).name, ": ", to_string(identifier.left_out)));
  }
  return out;
}

}  // namespace kehu::intake
