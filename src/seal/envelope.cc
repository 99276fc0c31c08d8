#include "seal/envelope.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "base/siphash.h"
#include "base/text.h"
#include "seal/ciphers.h"
#include "seal/sealed_secret.h"

namespace kehu::seal {
namespace {

constexpr int kNewBits = 2048;
constexpr int kBitsMin = 2048;
constexpr int kBitsMax = 4096;
constexpr size_t kBlockBytes = 16;

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }

// What `write` (an i2d function) writes.
template <class Write>
std::string der(EVP_PKEY* key, Write write) {
  unsigned char* encoded = nullptr;
  const int size = write(key, &encoded);
  KEHU_CHECK(size > 0);
  std::string out(reinterpret_cast<const char*>(encoded), static_cast<size_t>(size));
  OPENSSL_clear_free(encoded, static_cast<size_t>(size));
  return out;
}

std::string private_der(EVP_PKEY* key) {
  return der(key, [](EVP_PKEY* k, unsigned char** out) {
    PKCS8_PRIV_KEY_INFO* const info = EVP_PKEY2PKCS8(k);
    KEHU_CHECK(info != nullptr);
    const int size = i2d_PKCS8_PRIV_KEY_INFO(info, out);
    PKCS8_PRIV_KEY_INFO_free(info);
    return size;
  });
}

std::string associated_data(EnvelopeVersion version) { return cat("envelope key ", version.value()); }

std::string seal_private(const ProjectKey& project_key, const EnvelopeKeyOptions& options, EVP_PKEY* key) {
  std::string secret = private_der(key);
  std::string out = seal_secret([&](Cipher cipher) { return project_key.envelope_wrapping_key(cipher); },
                                options.cipher, associated_data(options.version), secret);
  wipe(secret.data(), secret.size());
  return out;
}

// nullptr when it does not open.
Owned<EVP_PKEY> open_private(const ProjectKey& project_key, const EnvelopeKey& key) {
  auto secret = open_secret([&](Cipher cipher) { return project_key.envelope_wrapping_key(cipher); },
                            associated_data(key.version), key.sealed_private);
  if (!secret) return nullptr;
  const unsigned char* at = bytes(*secret);
  Owned<EVP_PKEY> pair(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(secret->size())));
  wipe(secret->data(), secret->size());
  return pair;
}

EnvelopeKey sealed_pair(const ProjectKey& project_key, const EnvelopeKeyOptions& options, EVP_PKEY* pair) {
  const std::string public_half =
      der(pair, [](EVP_PKEY* k, unsigned char** out) { return i2d_PUBKEY(k, out); });
  return {.version = options.version,
          .public_key = absl::Base64Escape(to_absl(public_half)),
          .sealed_private = seal_private(project_key, options, pair),
          .created = options.created};
}

// A key with a pass phrase is refused: OpenSSL would ask for it on the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

EnvelopeKey make_envelope_key(const ProjectKey& project_key, const EnvelopeKeyOptions& options) {
  const Owned<EVP_PKEY> pair(EVP_RSA_gen(kNewBits));
  KEHU_CHECK(pair != nullptr);
  return sealed_pair(project_key, options, pair.get());
}

absl::StatusOr<EnvelopeKey> read_envelope_key(const ProjectKey& project_key,
                                              const EnvelopeKeyOptions& options, std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Owned<EVP_PKEY> pair(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  const int bits =
      pair == nullptr || EVP_PKEY_get_base_id(pair.get()) != EVP_PKEY_RSA ? 0 : EVP_PKEY_get_bits(pair.get());
  if (bits < kBitsMin || bits > kBitsMax) {
    return failure(absl::StatusCode::kInvalidArgument, "the private key is no RSA key of ", kBitsMin, " to ",
                   kBitsMax,
                   " bits in PEM without a pass phrase: send what begins with -----BEGIN PRIVATE KEY-----");
  }
  return sealed_pair(project_key, options, pair.get());
}

SessionKey::~SessionKey() { wipe(bytes_.data(), bytes_.size()); }

struct EnvelopeOpener::Key {
  EnvelopeKey key;
  bool tried = false;  // to open the private half
  Owned<EVP_PKEY> pair;
};

struct EnvelopeOpener::Contexts {
  Owned<EVP_CIPHER_CTX> aes{EVP_CIPHER_CTX_new()};
};

EnvelopeOpener::EnvelopeOpener(const ProjectKey& project_key, std::vector<EnvelopeKey> keys)
    : project_key_(project_key), contexts_(std::make_unique<Contexts>()) {
  KEHU_CHECK(contexts_->aes != nullptr);
  for (EnvelopeKey& key : keys) keys_.push_back({.key = std::move(key), .tried = false, .pair = nullptr});
}
EnvelopeOpener::~EnvelopeOpener() = default;

EnvelopeOpener::Key* EnvelopeOpener::find(EnvelopeVersion version) {
  const auto at =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.key.version == version; });
  if (at == keys_.end()) return nullptr;
  if (!std::exchange(at->tried, true)) at->pair = open_private(project_key_, at->key);
  return at->pair == nullptr ? nullptr : &*at;
}

// A session key costs an operation of the private key, 0.5 ms, and a sender uses it for many requests. So
// the last ones are kept, in two generations: what is asked for moves to the young one, and when that is
// full the old one is forgotten. That needs no list of who was used when.
std::optional<SessionKey> EnvelopeOpener::open_session(EnvelopeVersion version, std::string_view wrapped) {
  const Key* const key = find(version);
  if (key == nullptr) return std::nullopt;
  const Hash128 name =
      siphash128(project_key_.token_key(), cat("envelope session ", version.value(), "\n", wrapped));
  if (const auto at = young_.find(name); at != young_.end()) return at->second;
  const auto old = old_.find(name);
  const SessionKey session = old != old_.end() ? old->second : unwrap(*key, wrapped);
  if (young_.size() >= kSessions / 2) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(name, session);
  return session;
}

// Neither this padding nor that of the messages is authenticated, so who could tell from an answer which of
// the two was wrong could have envelopes opened by asking often enough. A session key that does not open
// therefore becomes a stand-in, under which no message opens. It follows from what was sent, so that it is
// the same each time, and from the project key, so that nobody can seal a message with it.
SessionKey EnvelopeOpener::unwrap(const Key& key, std::string_view wrapped) const {
  const Cipher family = Cipher::kAes256Gcm;
  std::string stand_in = derive_key(family, project_key_.envelope_wrapping_key(family),
                                    cat("session ", wrapped), SessionKey::kBytes);
  SessionKey::Bytes session;
  std::memcpy(session.data(), stand_in.data(), session.size());

  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(key.pair.get(), nullptr));
  KEHU_CHECK(context != nullptr && EVP_PKEY_decrypt_init(context.get()) == 1);
  KEHU_CHECK(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
  std::string clear(static_cast<size_t>(EVP_PKEY_get_size(key.pair.get())), '\0');
  size_t size = clear.size();
  const bool opened =
      wrapped.size() == clear.size() &&
      EVP_PKEY_decrypt(context.get(), bytes(clear.data()), &size, bytes(wrapped), wrapped.size()) == 1;
  if (opened && size == session.size()) std::memcpy(session.data(), clear.data(), session.size());
  ERR_clear_error();
  wipe(clear.data(), clear.size());
  const SessionKey key_of_session(session);
  wipe(session.data(), session.size());
  return key_of_session;
}

bool EnvelopeOpener::open(const SessionKey& session, std::string_view message, std::string& out) {
  out.clear();
  if (message.size() < 2 * kBlockBytes || message.size() % kBlockBytes != 0) return false;
  const std::string_view blocks = message.substr(kBlockBytes);
  out.resize(blocks.size() + kBlockBytes);
  EVP_CIPHER_CTX* const aes = contexts_->aes.get();
  int size = 0;
  int last = 0;
  KEHU_CHECK(EVP_DecryptInit_ex(aes, EVP_aes_128_cbc(), nullptr, bytes(session.bytes()), bytes(message)) ==
             1);
  KEHU_CHECK(
      EVP_DecryptUpdate(aes, bytes(out.data()), &size, bytes(blocks), static_cast<int>(blocks.size())) == 1);
  const bool opened = EVP_DecryptFinal_ex(aes, bytes(out.data() + size), &last) == 1;
  ERR_clear_error();
  out.resize(opened ? static_cast<size_t>(size + last) : 0);
  return opened;
}

std::string EnvelopeOpener::versions() const {
  std::string out;
  for (const Key& key : keys_) out += cat(out.empty() ? "" : ", ", key.key.version.value());
  return out;
}

}  // namespace kehu::seal
