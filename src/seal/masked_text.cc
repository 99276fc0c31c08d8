#include "seal/masked_text.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "base/text.h"
#include "identifier/normal_value.h"
#include "json/document.h"
#include "json/text.h"
#include "json/writer.h"
#include "model/personal_names.h"
#include "model/personal_values.h"
#include "seal/masks.h"

namespace kehu::seal {
namespace {

constexpr std::string_view kLocalPart =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+_-*%";
// So many digits of a number are shown when it is covered, or when nobody can say what it is.
constexpr size_t kShownDigits = 3;
// A number with spaces in it has at most so many bytes; a longer one is no phone number.
constexpr size_t kNumberBytes = 24;

// Credentials that clients put into their bodies, in small letters.
constexpr std::string_view kSecretFields[] = {"writekey",     "write_key", "api_key", "apikey",
                                              "access_token", "token",     "secret",  "password"};
constexpr std::string_view kSecretPrefixes[] = {"kwk_", "kat_"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A word is what a number or bare text is made of; everything that structures a JSON text ends it.
bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && std::string_view("\"{}[]:,").find(c) == std::string_view::npos;
}

// False for most texts, at a fraction of the cost of a look: there is neither an @ in it nor a number of
// eight digits, however they are written.
bool may_be_personal(std::string_view text) {
  constexpr int kDigits = 8;
  int digits = 0;
  for (const char c : text) {
    digits += is_digit(c) ? 1 : 0;
    if (c == '@' || digits >= kDigits || static_cast<unsigned char>(c) >= 0x80) return true;
  }
  return false;
}

void cover_digits(std::string_view digits, size_t shown, std::string& out) {
  out.append(digits.substr(0, shown));
  if (digits.size() > shown) out.append(digits.size() - shown, '*');
}

// The last place of an ID card's number may be an X.
size_t end_of_number(std::string_view text, size_t at) {
  const size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
  const bool check_character = end - at == 17 && end < text.size() && (text[end] == 'X' || text[end] == 'x');
  return check_character ? end + 1 : end;
}

// The same, with what people put between the digits of a number.
size_t end_of_groups(std::string_view text, size_t at) {
  size_t end = end_of_number(text, at);
  while (end + 1 < text.size() && end - at < kNumberBytes && (text[end] == ' ' || text[end] == '-') &&
         is_digit(text[end + 1])) {
    end = end_of_number(text, end + 1);
  }
  return end;
}

// What the digits of a text may be.
enum class Digits : uint8_t {
  kWhole,    // numbers, each of them whole
  kCutOff,   // the last one may go on
  kAnybody,  // parts of whatever: the text has no form
};

// Numbers and addresses inside a longer text. An address is seen by its @, when its local part stands in
// `out` already and is taken back. Digits are read with what people put between them first, and alone when
// that is no number of a person's.
std::string covered(std::string_view text, Digits what) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    if (text[at] == '@') {
      const size_t start = out.find_last_not_of(kLocalPart);
      out.resize(start == std::string::npos ? 0 : start + 1);
      out += "***@";
      ++at;
    } else if (is_digit(text[at])) {
      const size_t groups = end_of_groups(text, at);
      const bool spaced = looks_personal(text.substr(at, groups - at));
      const size_t end = spaced ? groups : end_of_number(text, at);
      const std::string_view digits = text.substr(at, end - at);
      const bool unsure = what == Digits::kAnybody || (what == Digits::kCutOff && end == text.size());
      if (unsure || spaced || looks_personal(digits)) {
        cover_digits(digits, kShownDigits, out);
      } else {
        out.append(digits);
      }
      at = end;
    } else {
      out.push_back(text[at++]);
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out;
  json::Writer(out).value(text);
  return out;
}

bool is_secret_field(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(to_absl(name));
  return std::find(std::begin(kSecretFields), std::end(kSecretFields), lower) != std::end(kSecretFields);
}

bool looks_secret(std::string_view value) {
  return std::any_of(std::begin(kSecretPrefixes), std::end(kSecretPrefixes),
                     [value](std::string_view prefix) { return value.starts_with(prefix); });
}

// Reads a text as if it were JSON and passes over what is not. There is no parser behind it, because the
// texts are what clients sent: cut, broken, or of another format. It goes once over literals, words and
// marks, and keeps for each open container whether all in it is personal. Whatever is in doubt is covered:
// a key that cannot be read counts as personal, and from a word that JSON does not have to the end of its
// line only three digits of each number are shown.
class Masker {
 public:
  Masker(std::string_view text, bool cut, const Settings& settings)
      : text_(text), cut_(cut), settings_(settings) {}

  std::string run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        take_literal();
      } else if (is_word(c)) {
        take_word();
      } else {
        take_mark(c);
      }
    }
    return std::move(out_);
  }

 private:
  void take_mark(char c) {
    if (c == '{' || c == '[') {
      open_.push_back(personal_);
    } else if (c == '}' || c == ']') {
      if (!open_.empty()) open_.pop_back();
      personal_ = around();
    } else if (c == ',' || c == '\n') {
      personal_ = around();
    }
    // In JSON a value is followed by a mark.
    if (c == '\n') formless_ = false;
    if (std::string_view(" \t\r").find(c) == std::string_view::npos) after_value_ = false;
    out_.push_back(c);
    ++at_;
  }

  static bool is_name(std::string_view word) { return word == "null" || word == "true" || word == "false"; }

  bool around() const { return !open_.empty() && open_.back(); }

  void take_literal() {
    size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return take_rest();
    const std::string_view literal = text_.substr(at_, end + 1 - at_);
    at_ = end + 1;
    const size_t next = text_.find_first_not_of(" \t\r\n", at_);
    if (next != text_.npos && text_[next] == ':') return take_key(literal);
    out_ += masked_literal(literal, personal_);
  }

  void take_key(std::string_view literal) {
    const auto key = value_of(literal);
    personal_ = around() || !key || is_personal_field(*key, settings_) || is_secret_field(*key);
    out_ += masked_literal(literal, false);
  }

  static std::string masked_literal(std::string_view literal, bool personal) {
    const bool plain = !personal && literal.find('\\') == literal.npos && !looks_secret(literal.substr(1));
    if (plain && !may_be_personal(literal)) return std::string(literal);
    const auto value = value_of(literal);
    if (!value) return "\"***\"";
    if (personal || looks_personal(*value) || looks_secret(*value)) return quoted(mask(*value));
    const std::string clear = covered(*value, Digits::kWhole);
    return clear == *value ? std::string(literal) : quoted(clear);
  }

  // nullopt: no text, because of a wrong escape.
  static std::optional<std::string> value_of(std::string_view literal) {
    if (literal.find('\\') == literal.npos) return std::string(literal.substr(1, literal.size() - 2));
    const auto document = json::Document::parse(literal);
    return document.ok() ? document->root().as_string() : std::nullopt;
  }

  void take_word() {
    size_t end = at_;
    while (end < text_.size() && is_word(text_[end])) ++end;
    if (end == text_.size() && cut_) return take_rest();
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    const bool number = word.find_first_not_of("0123456789+-.eE") == word.npos;
    formless_ = formless_ || after_value_ || !(number || is_name(word));
    after_value_ = true;
    if (formless_ && !personal_) {
      out_ += covered(word, Digits::kAnybody);
      return;
    }
    if (!personal_ && !may_be_personal(word)) {
      out_.append(word);
      return;
    }
    const bool value = personal_ && !is_name(word);
    // What is masked is no number any more, but a text.
    const bool masked = value || (number && looks_personal(word));
    const std::string shown = masked ? mask(word) : covered(word, Digits::kWhole);
    out_ += masked || (number && shown != word) ? quoted(shown) : shown;
  }

  void take_rest() {
    const std::string_view rest = text_.substr(at_);
    at_ = text_.size();
    if (cut_) return;
    out_ += personal_ ? "***" : covered(rest, formless_ ? Digits::kAnybody : Digits::kCutOff);
  }

  const std::string_view text_;
  const bool cut_;
  const Settings& settings_;
  size_t at_ = 0;
  std::vector<bool> open_;  // the containers around, and whether everything in them is personal
  bool personal_ = false;   // the next value
  bool after_value_ = false;
  bool formless_ = false;  // this line is no JSON
  std::string out_;
};

}  // namespace

bool is_personal_field(std::string_view name, const Settings& settings) {
  const std::string folded = folded_name(name);
  const auto is_same = [&folded](std::string_view other) { return folded_name(other) == folded; };
  const auto& fields = settings.personal_fields;
  if (std::find(fields.begin(), fields.end(), absl::AsciiStrToLower(to_absl(name))) != fields.end())
    return true;
  if (!folded.empty() && std::any_of(fields.begin(), fields.end(), is_same)) return true;
  for (const IdentifierRule& rule : settings.identifier_types) {
    if (rule.personal && is_same(rule.name)) return true;
  }
  const auto& except = settings.personal_values.except;
  return settings.personal_values.names && name_kind(name) == NameKind::kPersonal &&
         std::none_of(except.begin(), except.end(), is_same);
}

bool looks_personal(std::string_view value) {
  if (!may_be_personal(value)) return false;
  return personal_kind(value) != PersonalKind::kNone || normalise(Normaliser::kEmail, value) ||
         normalise(Normaliser::kIdCard, value) ||
         (value.size() >= 11 && normalise(Normaliser::kChinesePhone, value));
}

std::string masked_text(std::string_view text, const Settings& settings, size_t bytes_max) {
  const std::string_view shown = cut_utf8(text, bytes_max);
  if (!json::is_valid_utf8(shown)) return "(not UTF-8)";
  return Masker(shown, shown.size() < text.size(), settings).run();
}

}  // namespace kehu::seal
