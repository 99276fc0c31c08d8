#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/siphash.h"
#include "model/settings.h"

namespace kehu::seal {

// The secret of a project: 32 random bytes from which every other key of it is derived (HKDF, one label
// each). Whoever holds it and the data directory can read everything but erased values. The shell reads it
// from its file and hands it over; nothing here prints it, and it is wiped on destruction. Immutable; threads
// may share it.
class ProjectKey {
 public:
  static constexpr size_t kBytes = 32;

  // InvalidArgument when `secret` is not kBytes long.
  static absl::StatusOr<ProjectKey> from_bytes(std::string_view secret);
  ~ProjectKey();
  ProjectKey(const ProjectKey&) = default;
  ProjectKey& operator=(const ProjectKey&) = default;

  // 16 hexadecimal digits that name the key without telling anything about it: kept in the data directory,
  // they show at the start that a key file belongs to it.
  std::string fingerprint() const;

  SipKey token_key() const { return token_key_; }  // identifiers that are not personal, and credentials
  std::string personal_token_key(Cipher) const;    // personal identifiers: HMAC
  std::string wrapping_key(Cipher) const;          // around data keys
  std::string payload_key(Cipher) const;           // of texts that belong to no token
  SipKey payload_nonce_key(Cipher) const;
  std::string envelope_wrapping_key(Cipher) const;  // around the private halves of envelope keys

 private:
  ProjectKey() = default;
  std::string derive(Cipher cipher, std::string_view label, size_t size) const;
  SipKey derive_sip(Cipher cipher, std::string_view label) const;

  std::array<char, kBytes> secret_{};
  SipKey token_key_{};  // derived once: each request needs it
};

}  // namespace kehu::seal
