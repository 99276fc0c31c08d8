#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/hash.h"
#include "base/strong.h"
#include "base/time.h"
#include "model/settings.h"
#include "seal/project_key.h"

namespace kehu::seal {

// Names a key pair to the clients that use it; from 1.
using EnvelopeVersion = Strong<struct EnvelopeVersionTag, uint32_t>;

// A key pair of a project: clients seal what they send for the public half, and only the project opens it.
struct EnvelopeKey {
  EnvelopeVersion version;
  std::string public_key;      // base64 of its X.509 SubjectPublicKeyInfo
  std::string sealed_private;  // PKCS #8, sealed by the project key for this version (formats/sealed.md)
  Instant created;
};

struct EnvelopeKeyOptions {
  Cipher cipher = Cipher::kAes256Gcm;  // seals the private half
  EnvelopeVersion version;
  Instant created;
};
// A new RSA pair of 2048 bits, from OpenSSL's own generator of randomness. ~100 ms.
EnvelopeKey make_envelope_key(const ProjectKey& project_key, const EnvelopeKeyOptions& options);
// The pair of a private key in PEM that is somebody's already. InvalidArgument when it is no RSA key of 2048
// to 4096 bits.
absl::StatusOr<EnvelopeKey> read_envelope_key(const ProjectKey& project_key,
                                              const EnvelopeKeyOptions& options, std::string_view pem);

// The key of one sender's session in clear; wiped behind it.
class SessionKey {
 public:
  static constexpr size_t kBytes = 16;
  using Bytes = std::array<char, kBytes>;

  explicit SessionKey(const Bytes& bytes) : bytes_(bytes) {}
  ~SessionKey();
  SessionKey(const SessionKey&) = default;
  SessionKey& operator=(const SessionKey&) = default;

  std::string_view bytes() const { return {bytes_.data(), kBytes}; }

 private:
  Bytes bytes_;
};

// Opens envelopes: a session key behind RSA with PKCS #1 v1.5 padding, and messages behind AES-128-CBC with
// PKCS #7 padding under it. Neither is authenticated, so nobody may learn from an answer which step failed: a
// session key that does not open becomes one that nobody has, and then no message opens.
//
// One thread at a time. 0.5 ms for a session key (RSA-2048), the last kSessions of which are remembered; ~1
// ns a byte of a message.
class EnvelopeOpener {
 public:
  static constexpr size_t kSessions = 4096;

  EnvelopeOpener(const ProjectKey& project_key, std::vector<EnvelopeKey> keys);
  ~EnvelopeOpener();
  EnvelopeOpener(const EnvelopeOpener&) = delete;
  EnvelopeOpener& operator=(const EnvelopeOpener&) = delete;

  // nullopt when the project has no pair of this version, or its private half does not open.
  std::optional<SessionKey> open_session(EnvelopeVersion version, std::string_view wrapped);
  // Replaces `out` with the clear text of `message`, 16 bytes of initialisation vector and blocks. False when
  // it does not open; `out` is then empty.
  bool open(const SessionKey& session, std::string_view message, std::string& out);

  // For people: "1, 2, 3"; empty when there is none.
  std::string versions() const;

 private:
  struct Key;
  struct Contexts;
  Key* find(EnvelopeVersion version);
  SessionKey unwrap(const Key& key, std::string_view wrapped) const;

  ProjectKey project_key_;
  std::vector<Key> keys_;
  std::unique_ptr<Contexts> contexts_;
  // By version and wrapped key. Two generations: when the young one is full it becomes the old one.
  absl::flat_hash_map<Hash128, SessionKey> young_;
  absl::flat_hash_map<Hash128, SessionKey> old_;
};

}  // namespace kehu::seal
