#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/settings.h"

namespace kehu::seal {

inline constexpr size_t kNonceBytes = 12;
inline constexpr size_t kTagBytes = 16;
inline constexpr size_t kMacBytes = 32;
// What a sealed message is longer than its clear text: the nonce before it, the tag behind it.
inline constexpr size_t kSealedOverhead = kNonceBytes + kTagBytes;

// 32 for AES-256, 16 for SM4.
constexpr size_t key_bytes(Cipher cipher) { return cipher == Cipher::kAes256Gcm ? 32 : 16; }

using Nonce = std::array<uint8_t, kNonceBytes>;
using Mac = std::array<uint8_t, kMacBytes>;

// The nonce that stands before a sealed message; at least kNonceBytes must be there.
Nonce nonce_of(std::string_view message);
// Of bytes that are a cipher's number (1 byte) and a sealed message; nullopt when they cannot be.
std::optional<Cipher> cipher_of_payload(std::string_view bytes);

// Overwrites secrets so that the compiler cannot leave the write out.
void wipe(void* bytes, size_t size);

// Authenticated encryption in one call with a key of its own per message (AES-256-GCM by OpenSSL, SM4-GCM by
// libgcrypt). Holds the libraries' contexts so that a message allocates nothing; one thread at a time.
class Aead {
 public:
  explicit Aead(Cipher cipher);
  ~Aead();
  Aead(Aead&&) noexcept;
  Aead& operator=(Aead&&) noexcept;

  struct Message {
    std::string_view key;              // key_bytes(cipher)
    const Nonce& nonce;                // never twice with one key and different texts
    std::string_view associated = {};  // authenticated, not stored
  };
  // Appends ciphertext and tag: text.size() + kTagBytes.
  void seal(const Message& message, std::string_view text, std::string& out);
  // Replaces `out` with the clear text. False when key, nonce, associated data or any bit of `sealed` differs
  // from what was sealed; `out` is then empty.
  bool open(const Message& message, std::string_view sealed, std::string& out);

 private:
  struct Contexts;
  Cipher cipher_;
  std::unique_ptr<Contexts> contexts_;
};

// HMAC with a fixed key: SHA-256 for Cipher::kAes256Gcm, SM3 for Cipher::kSm4Gcm. One thread at a time.
class Hmac {
 public:
  Hmac(Cipher family, std::string_view key);
  ~Hmac();
  Hmac(Hmac&&) noexcept;
  Hmac& operator=(Hmac&&) noexcept;

  Mac operator()(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

// HKDF (RFC 5869) over the family's HMAC, without salt: `size` bytes that stand for `label` alone. At most
// 8160.
std::string derive_key(Cipher family, std::string_view secret, std::string_view label, size_t size);

}  // namespace kehu::seal
