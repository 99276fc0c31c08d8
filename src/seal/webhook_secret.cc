#include "seal/webhook_secret.h"

#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "base/siphash.h"
#include "base/text.h"
#include "seal/ciphers.h"
#include "seal/sealed_secret.h"

namespace kehu::seal {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr size_t kSecretBytes = 32;
// The specification's bounds.
constexpr size_t kSecretBytesMin = 24;
constexpr size_t kSecretBytesMax = 64;

std::string bound_to(std::string_view webhook) { return cat("webhook ", webhook); }

}  // namespace

std::string make_webhook_secret() {
  std::string secret(kSecretBytes, '\0');
  KEHU_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(secret.data()), kSecretBytes) == 1);
  return secret;
}

std::string webhook_secret_text(std::string_view secret) {
  return cat(kPrefix, absl::Base64Escape(to_absl(secret)));
}

absl::StatusOr<std::string> parse_webhook_secret(std::string_view text) {
  std::string secret;
  const bool readable = text.starts_with(kPrefix) &&
                        absl::Base64Unescape(to_absl(text.substr(kPrefix.size())), &secret) &&
                        secret.size() >= kSecretBytesMin && secret.size() <= kSecretBytesMax;
  if (!readable) {
    return failure(absl::StatusCode::kInvalidArgument, "the secret cannot be used: it is \"", kPrefix,
                   "\" and base64 of ", kSecretBytesMin, " to ", kSecretBytesMax,
                   " random bytes; leave it out to have one made");
  }
  return secret;
}

std::string seal_webhook_secret(const ProjectKey& project_key, Cipher cipher, std::string_view webhook,
                                std::string_view secret) {
  return seal_secret([&](Cipher of) { return project_key.payload_key(of); }, cipher, bound_to(webhook),
                     secret);
}

absl::StatusOr<std::string> open_webhook_secret(const ProjectKey& project_key, std::string_view webhook,
                                                std::string_view sealed) {
  auto secret =
      open_secret([&](Cipher of) { return project_key.payload_key(of); }, bound_to(webhook), sealed);
  if (secret) return *std::move(secret);
  return failure(absl::StatusCode::kDataLoss, "the secret of the webhook ", webhook,
                 " does not open with this project's key: rotate it");
}

std::string webhook_signature(std::string_view secret, std::string_view message_id, Instant sent,
                              std::string_view body) {
  Hmac hmac(Cipher::kAes256Gcm, secret);
  const Mac mac = hmac(cat(message_id, ".", sent.micros() / 1'000'000, ".", body));
  return cat("v1,", absl::Base64Escape(to_absl({reinterpret_cast<const char*>(mac.data()), mac.size()})));
}

// Two installations may send to one receiver, and both have a record of this number.
std::string webhook_message_id(const ProjectKey& project_key, const IntentKey& key) {
  const std::string name = cat("webhook message ", key.sequence.value(), "-", key.ordinal);
  return cat("msg_", siphash128(project_key.token_key(), name).hex());
}

}  // namespace kehu::seal
