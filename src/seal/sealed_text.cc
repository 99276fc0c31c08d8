#include "seal/sealed_text.h"

#include <array>
#include <cstring>

namespace kehu::seal {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kKeyIdDigits = 16;

constexpr std::array<int8_t, 256> kBase64Values = [] {
  std::array<int8_t, 256> values{};
  values.fill(-1);
  for (size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<unsigned char>(kBase64Digits[i])] = static_cast<int8_t>(i);
  }
  return values;
}();

// Abseil's decoder takes padding, white space and stray last bits, so several texts would open as one value.
// Here a text has one spelling: changing any bit of it is damage.
bool decode_base64(std::string_view text, std::string& out) {
  uint32_t bits = 0;
  int count = 0;
  out.reserve(text.size() * 3 / 4);
  for (const char c : text) {
    const int value = kBase64Values[static_cast<unsigned char>(c)];
    if (value < 0) return false;
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count));
  }
  return count < 6 && (bits & ((1u << count) - 1)) == 0;
}

void append_base64(std::string_view bytes, std::string& out) {
  const size_t before = out.size();
  out.resize(before + (bytes.size() * 4 + 2) / 3);
  char* to = out.data() + before;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6;) {
      count -= 6;
      *to++ = kBase64Digits[bits >> count & 63];
    }
  }
  if (count > 0) *to = kBase64Digits[bits << (6 - count) & 63];
}

std::optional<uint64_t> parse_key_id(std::string_view text) {
  uint64_t id = 0;
  for (const char c : text) {
    const size_t digit = kHexDigits.find(c);
    if (digit == kHexDigits.npos) return std::nullopt;
    id = id << 4 | digit;
  }
  return id;
}

}  // namespace

void append_place(const Place& place, std::string& out) {
  char bytes[17];
  std::memcpy(bytes, &place.owner.hash.high, 8);
  std::memcpy(bytes + 8, &place.owner.hash.low, 8);
  bytes[16] = place.what;
  out.append(bytes, sizeof(bytes));
  out.append(place.json_key);
}

// Nonces are made from the value and its place by a second key, as SIV does, and not drawn at random. An
// event that is sent again has the same bytes then, so de-duplication can compare bodies; a trait that did
// not change is seen not to have changed; replay needs no randomness. Who reads the disk sees in return
// that one customer's field has the same value again. Under one key two different values meet in a nonce
// with probability 2^-96 per pair. The size in front keeps apart what would be equal when it is joined.
Nonce make_nonce(const SipKey& key, const NonceInput& input, std::string& scratch) {
  const auto size = static_cast<uint32_t>(input.associated.size());
  scratch.assign(reinterpret_cast<const char*>(&size), sizeof(size));
  scratch.append(input.associated).append(input.text);
  const Hash128 hash = siphash128(key, scratch);
  Nonce nonce;
  std::memcpy(nonce.data(), &hash.low, 8);
  std::memcpy(nonce.data() + 8, &hash.high, 4);
  return nonce;
}

void append_sealed_text(uint64_t key_id, std::string_view message, std::string& out) {
  out.append(kSealedPrefix);
  for (int shift = 60; shift >= 0; shift -= 4) out.push_back(kHexDigits[key_id >> shift & 15]);
  out.push_back(':');
  append_base64(message, out);
}

std::optional<SealedText> parse_sealed_text(std::string_view text) {
  if (!text.starts_with(kSealedPrefix)) return std::nullopt;
  text.remove_prefix(kSealedPrefix.size());
  if (text.size() <= kKeyIdDigits || text[kKeyIdDigits] != ':') return std::nullopt;
  const auto key_id = parse_key_id(text.substr(0, kKeyIdDigits));
  SealedText sealed;
  if (!key_id || !decode_base64(text.substr(kKeyIdDigits + 1), sealed.message)) return std::nullopt;
  if (sealed.message.size() < kSealedOverhead) return std::nullopt;
  sealed.key_id = *key_id;
  return sealed;
}

}  // namespace kehu::seal
