#include "directory/credentials.h"

#include "absl/strings/escaping.h"
#include "base/siphash.h"
#include "base/text.h"
#include "os/random.h"
#include "seal/ciphers.h"

namespace kehu::directory {
namespace {

constexpr size_t kCredentialBytes = 20;
// A hint is the prefix and 32 bits. Keys made before have hints of 8.
constexpr size_t kHintBytes = 12;

std::string derive(const seal::ProjectKey& key, std::string_view prefix, std::string_view label) {
  constexpr Cipher kFamily = Cipher::kAes256Gcm;
  const auto bytes = seal::derive_key(kFamily, key.personal_token_key(kFamily), label, kCredentialBytes);
  return cat(prefix, absl::BytesToHexString(to_absl(bytes)));
}

}  // namespace

// A credential is known by a keyed hash alone: without the project's key nobody can test a guess against
// what lies on the disk.
Hash128 credential_hash(const seal::ProjectKey& key, std::string_view credential) {
  return siphash128(key.token_key(), cat("credential\n", credential));
}

std::string credential_hint(std::string_view credential) {
  return cat(credential.substr(0, kHintBytes), "…");
}

std::string derived_write_key(const seal::ProjectKey& key) { return derive(key, "kwk_", "first write key"); }
std::string derived_admin_token(const seal::ProjectKey& key) { return derive(key, "kat_", "admin token"); }
std::string random_write_key() { return cat("kwk_", os::random_hex(kCredentialBytes)); }

}  // namespace kehu::directory
