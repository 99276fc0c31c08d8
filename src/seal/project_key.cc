#include "seal/project_key.h"

#include <cstring>

#include "base/text.h"
#include "seal/ciphers.h"

// Every other key comes from the project key by HKDF (RFC 5869) under a label of its own, so that no two of
// them can stand for each other, and one that is known tells nothing of the rest. docs/formats/sealed.md
// lists the labels; a label that changes makes all that was sealed under it unreadable.
namespace kehu::seal {

absl::StatusOr<ProjectKey> ProjectKey::from_bytes(std::string_view secret) {
  if (secret.size() != kBytes) {
    return failure(absl::StatusCode::kInvalidArgument, "the project key has ", secret.size(),
                   " bytes instead of ", kBytes,
                   "; put the right key file back, without it sealed values cannot be read");
  }
  ProjectKey key;
  std::memcpy(key.secret_.data(), secret.data(), kBytes);
  key.token_key_ = key.derive_sip(Cipher::kAes256Gcm, "kehu token");
  return key;
}

ProjectKey::~ProjectKey() {
  wipe(secret_.data(), secret_.size());
  wipe(reinterpret_cast<char*>(token_key_.data()), sizeof(token_key_));
}

std::string ProjectKey::derive(Cipher cipher, std::string_view label, size_t size) const {
  return derive_key(cipher, {secret_.data(), kBytes}, label, size);
}

SipKey ProjectKey::derive_sip(Cipher cipher, std::string_view label) const {
  std::string bytes = derive(cipher, label, sizeof(SipKey));
  SipKey key;
  std::memcpy(key.data(), bytes.data(), sizeof(key));
  wipe(bytes.data(), bytes.size());
  return key;
}

std::string ProjectKey::fingerprint() const {
  const SipKey bytes = derive_sip(Cipher::kAes256Gcm, "kehu fingerprint");
  return Hash128{bytes[0], bytes[1]}.hex().substr(0, 16);
}

std::string ProjectKey::personal_token_key(Cipher cipher) const {
  return derive(cipher, "kehu personal token", kMacBytes);
}

std::string ProjectKey::wrapping_key(Cipher cipher) const {
  return derive(cipher, "kehu data key wrapping", key_bytes(cipher));
}

std::string ProjectKey::payload_key(Cipher cipher) const {
  return derive(cipher, "kehu payload", key_bytes(cipher));
}

SipKey ProjectKey::payload_nonce_key(Cipher cipher) const { return derive_sip(cipher, "kehu payload nonce"); }

std::string ProjectKey::envelope_wrapping_key(Cipher cipher) const {
  return derive(cipher, "kehu envelope key wrapping", key_bytes(cipher));
}

}  // namespace kehu::seal
