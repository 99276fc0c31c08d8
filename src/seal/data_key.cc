#include "seal/data_key.h"

#include <cstring>

#include "base/check.h"

namespace kehu::seal {
namespace {

constexpr size_t kNameBytes = sizeof(Hash128) + sizeof(uint64_t);

std::array<char, kNameBytes> name_bytes(const KeyName& name) {
  std::array<char, kNameBytes> out;
  std::memcpy(out.data(), &name.token.hash.high, 8);
  std::memcpy(out.data() + 8, &name.token.hash.low, 8);
  std::memcpy(out.data() + 16, &name.key_id, 8);
  return out;
}

// A key id is 64 random bits and a token is as good as random, so a name never comes twice: storing a nonce
// would only cost twelve bytes a key.
Nonce nonce_of(const KeyName& name) {
  Nonce nonce;
  std::memcpy(nonce.data(), &name.key_id, 8);
  std::memcpy(nonce.data() + 8, &name.token.hash.low, 4);
  return nonce;
}

}  // namespace

DataKeySecret::DataKeySecret(Cipher cipher, std::string_view bytes) : cipher_(cipher) {
  KEHU_CHECK(bytes.size() == size_for(cipher));
  std::memcpy(bytes_.data(), bytes.data(), bytes.size());
}

SipKey DataKeySecret::nonce_key() const {
  SipKey key;
  std::memcpy(key.data(), bytes_.data() + key_bytes(cipher_), sizeof(key));
  return key;
}

std::optional<Cipher> cipher_of_wrapped(std::string_view wrapped) {
  for (const auto cipher : {Cipher::kAes256Gcm, Cipher::kSm4Gcm}) {
    const bool named = !wrapped.empty() && wrapped[0] == static_cast<char>(cipher);
    if (named && wrapped.size() == wrapped_bytes(cipher)) return cipher;
  }
  return std::nullopt;
}

KeyWrap::KeyWrap(const ProjectKey& project_key)
    : aes_{project_key.wrapping_key(Cipher::kAes256Gcm), Aead(Cipher::kAes256Gcm)},
      sm4_{project_key.wrapping_key(Cipher::kSm4Gcm), Aead(Cipher::kSm4Gcm)} {}

KeyWrap::~KeyWrap() {
  wipe(aes_.key.data(), aes_.key.size());
  wipe(sm4_.key.data(), sm4_.key.size());
}

std::string KeyWrap::wrap(const KeyName& name, const DataKeySecret& secret) {
  const auto associated = name_bytes(name);
  const Nonce nonce = nonce_of(name);
  Side& by = side(secret.cipher());
  std::string out(1, static_cast<char>(secret.cipher()));
  by.aead.seal({by.key, nonce, {associated.data(), associated.size()}}, secret.bytes(), out);
  return out;
}

std::optional<DataKeySecret> KeyWrap::unwrap(const KeyName& name, std::string_view wrapped) {
  const auto cipher = cipher_of_wrapped(wrapped);
  if (!cipher) return std::nullopt;
  const auto associated = name_bytes(name);
  const Nonce nonce = nonce_of(name);
  Side& by = side(*cipher);
  if (!by.aead.open({by.key, nonce, {associated.data(), associated.size()}}, wrapped.substr(1), clear_)) {
    return std::nullopt;
  }
  DataKeySecret secret(*cipher, clear_);
  wipe(clear_.data(), clear_.size());
  return secret;
}

}  // namespace kehu::seal
