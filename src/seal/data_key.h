#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/siphash.h"
#include "model/ids.h"
#include "model/settings.h"
#include "seal/ciphers.h"
#include "seal/project_key.h"

namespace kehu::seal {

// The random key of one token in clear: what seals its values, and a second key from which nonces are made.
// Lives on the stack for the length of a call and is wiped behind it.
class DataKeySecret {
 public:
  static constexpr size_t kBytesMax = 32 + sizeof(SipKey);
  static constexpr size_t size_for(Cipher cipher) { return key_bytes(cipher) + sizeof(SipKey); }

  DataKeySecret() = default;
  // `bytes` is size_for(cipher) long.
  DataKeySecret(Cipher cipher, std::string_view bytes);
  ~DataKeySecret() { wipe(bytes_.data(), bytes_.size()); }
  DataKeySecret(const DataKeySecret&) = default;
  DataKeySecret& operator=(const DataKeySecret&) = default;

  Cipher cipher() const { return cipher_; }
  std::string_view bytes() const { return {bytes_.data(), size_for(cipher_)}; }
  std::string_view seal_key() const { return bytes().substr(0, key_bytes(cipher_)); }
  SipKey nonce_key() const;

 private:
  Cipher cipher_ = Cipher::kAes256Gcm;
  std::array<char, kBytesMax> bytes_{};
};

// Which data key: a token may have had several in its life.
struct KeyName {
  Token token;
  uint64_t key_id = 0;
};

constexpr size_t wrapped_bytes(Cipher cipher) { return 1 + DataKeySecret::size_for(cipher) + kTagBytes; }
inline constexpr size_t kWrappedBytesMax = wrapped_bytes(Cipher::kAes256Gcm);
// nullopt when the bytes have no form that KeyWrap writes.
std::optional<Cipher> cipher_of_wrapped(std::string_view wrapped);

// Data keys as DataKey::wrapped carries them: sealed by the project key, bound to their name
// (formats/sealed.md). One thread at a time. ~0.5 µs a key.
class KeyWrap {
 public:
  explicit KeyWrap(const ProjectKey& project_key);
  ~KeyWrap();
  KeyWrap(const KeyWrap&) = delete;
  KeyWrap& operator=(const KeyWrap&) = delete;

  std::string wrap(const KeyName& name, const DataKeySecret& secret);
  // nullopt when `wrapped` is damaged, or was made for another name or project key.
  std::optional<DataKeySecret> unwrap(const KeyName& name, std::string_view wrapped);

 private:
  struct Side {
    std::string key;
    Aead aead;
  };
  Side& side(Cipher cipher) { return cipher == Cipher::kAes256Gcm ? aes_ : sm4_; }

  Side aes_;
  Side sm4_;
  std::string clear_;
};

}  // namespace kehu::seal
