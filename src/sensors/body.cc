#include "sensors/body.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "coding/inflate.h"

namespace kehu::sensors {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char letter = static_cast<char>(c | 0x20);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

// The next "…=…" of a form, and takes it off.
std::string_view take_field(std::string_view& form) {
  const size_t end = std::min(form.find('&'), form.size());
  const std::string_view field = form.substr(0, end);
  form.remove_prefix(std::min(end + 1, form.size()));
  return field;
}

// A + stays a +: none of what these forms carry has spaces.
void unescape_form(std::string_view text, std::string& out) {
  out.clear();
  while (!text.empty()) {
    const size_t escape = std::min(text.find('%'), text.size());
    out.append(text.substr(0, escape));
    text.remove_prefix(escape);
    if (text.empty()) break;
    const int high = text.size() > 2 ? hex_digit(text[1]) : -1;
    const int low = text.size() > 2 ? hex_digit(text[2]) : -1;
    const bool escaped = high >= 0 && low >= 0;
    out.push_back(escaped ? static_cast<char>(high << 4 | low) : '%');
    text.remove_prefix(escaped ? 3 : 1);
  }
}

std::string unescaped(std::string_view text) {
  std::string out;
  unescape_form(text, out);
  return out;
}

bool is_json(std::string_view text) { return text.starts_with('{') || text.starts_with('['); }

// The alphabet of RFC 4648, 4, from that of section 5 and from forms whose + became a space.
void settle_alphabet(std::string& base64) {
  if (is_json(base64) || base64.find_first_of(" -_") == base64.npos) return;
  for (char& c : base64) {
    if (c == ' ' || c == '-') c = '+';
    if (c == '_') c = '/';
  }
}

}  // namespace

// The `crc` of these SDKs is String.hashCode of Java over the base64 text: h = 31 h + c, in 32 bits. Four
// characters go into a step, with the powers of 31 up to the fourth (923,521), so that the products of one
// step do not wait for each other.
int32_t java_hash(std::string_view text) {
  uint32_t hash = 0;
  size_t i = 0;
  const auto at = [text](size_t k) { return static_cast<uint32_t>(static_cast<unsigned char>(text[k])); };
  for (; i + 4 <= text.size(); i += 4) {
    hash = hash * 923521u + at(i) * 29791u + at(i + 1) * 961u + at(i + 2) * 31u + at(i + 3);
  }
  for (; i < text.size(); ++i) hash = hash * 31u + at(i);
  return static_cast<int32_t>(hash);
}

void Body::clear() {
  empty_ = true;
  text_ = received_ = sent_ = gzip_ = crc_ = {};
  token_.reset();
  project_.reset();
}

std::optional<Body::Fault> Body::open(std::string_view query, std::string_view body) {
  clear();
  received_ = body.empty() ? query : body;
  read_form(query);
  if (coding::is_gzip(body)) {
    auto plain = coding::inflate_body(body, kTextBytes);
    if (!plain.ok()) {
      empty_ = false;
      return Fault{.detail = cat("the body cannot be decompressed: ", message_of(plain.status()))};
    }
    inflated_body_ = *std::move(plain);
    body = inflated_body_;
  }
  if (is_json(body)) {
    empty_ = false;
    text_ = body;
    return std::nullopt;
  }
  read_form(body);
  if (sent_.empty()) {
    empty_ = body.empty();
    if (empty_) return std::nullopt;
    return Fault{.detail = "there is no `data` or `data_list` in it"};
  }
  empty_ = false;
  unescape_form(sent_, base64_);
  settle_alphabet(base64_);
  if (auto fault = check()) return fault;
  return unpack();
}

void Body::read_form(std::string_view form) {
  while (!form.empty()) {
    const std::string_view field = take_field(form);
    const size_t equals = field.find('=');
    if (equals != field.npos) read_field(field.substr(0, equals), field.substr(equals + 1));
  }
}

void Body::read_field(std::string_view name, std::string_view value) {
  constexpr std::string_view kCrc = "crc=";
  if (name == "data" || name == "data_list") sent_ = value;
  if (name == "gzip") gzip_ = value;
  if (name == "crc") crc_ = value;
  if (name == "token") token_ = unescaped(value);
  if (name == "project") project_ = unescaped(value);
  if (name != "ext") return;
  // crc=-486748227 with its = escaped.
  constexpr std::string_view kEscapedCrc = "crc%3D";
  if (value.starts_with(kCrc)) crc_ = value.substr(kCrc.size());
  if (value.starts_with(kEscapedCrc) || value.starts_with("crc%3d")) crc_ = value.substr(kEscapedCrc.size());
}

std::optional<Body::Fault> Body::check() {
  int32_t crc = 0;
  if (crc_.empty()) return std::nullopt;
  const auto parsed = std::from_chars(crc_.data(), crc_.data() + crc_.size(), crc);
  const bool number = parsed.ec == std::errc() && parsed.ptr == crc_.data() + crc_.size();
  if (number && crc == java_hash(base64_)) return std::nullopt;
  return Fault{Reason::kChecksumMismatch,
               cat("the crc of the ", base64_.size(), " characters of data is ", java_hash(base64_),
                   ", not what was sent; the data was changed or cut off on its way")};
}

std::optional<Body::Fault> Body::unpack() {
  text_ = base64_;
  if (is_json(text_)) return std::nullopt;
  if (!absl::Base64Unescape(to_absl(base64_), &bytes_)) return Fault{.detail = "the data is no base64"};
  text_ = bytes_;
  if (!coding::is_gzip(bytes_)) return std::nullopt;
  auto plain = coding::inflate_body(bytes_, kTextBytes);
  if (!plain.ok()) {
    return Fault{.detail = cat("the data cannot be decompressed: ", message_of(plain.status()))};
  }
  inflated_ = *std::move(plain);
  text_ = inflated_;
  return std::nullopt;
}

}  // namespace kehu::sensors
