#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/siphash.h"
#include "model/ids.h"
#include "seal/ciphers.h"

// The pieces of sealed values (docs/formats/sealed.md), shared by Door and Opener. Private to this folder.
namespace kehu::seal {

inline constexpr std::string_view kSealedPrefix = "sealed:v1:";
inline constexpr char kFieldPlace = 'f';  // followed by the JSON key
inline constexpr char kIdentifierPlace = 'i';
inline constexpr std::string_view kPayloadPlace = "p";

// What authenticates the place of a value: the owner's token, what it is, and for a field its JSON key.
struct Place {
  Token owner;
  char what = kFieldPlace;
  std::string_view json_key = {};
};
void append_place(const Place& place, std::string& out);

// A nonce from the text itself and its place, by a key that only nonces are made with: two different messages
// under one data key meet in a nonce with probability 2^-96 per pair, and equal messages give equal texts.
// `scratch` is overwritten.
struct NonceInput {
  std::string_view associated;
  std::string_view text;
};
Nonce make_nonce(const SipKey& key, const NonceInput& input, std::string& scratch);

// sealed:v1:<key id, 16 hexadecimal digits>:<base64url without padding of nonce, ciphertext and tag>
void append_sealed_text(uint64_t key_id, std::string_view message, std::string& out);

struct SealedText {
  uint64_t key_id = 0;
  std::string message;
};
// nullopt unless `text` is exactly what append_sealed_text writes.
std::optional<SealedText> parse_sealed_text(std::string_view text);

}  // namespace kehu::seal
