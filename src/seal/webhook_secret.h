#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "model/intent.h"
#include "model/settings.h"
#include "seal/project_key.h"

// What receivers of webhooks know us by: the Standard Webhooks specification, with symmetric signatures.
namespace kehu::seal {

// 32 bytes from OpenSSL's own generator of randomness.
std::string make_webhook_secret();
// "whsec_…": how a receiver is given it.
std::string webhook_secret_text(std::string_view secret);
// InvalidArgument, without the text: it is none, or of less than 24 or more than 64 bytes.
absl::StatusOr<std::string> parse_webhook_secret(std::string_view text);

// As it is kept, and for one webhook only.
std::string seal_webhook_secret(const ProjectKey& project_key, Cipher cipher, std::string_view webhook,
                                std::string_view secret);
// DataLoss when it does not open.
absl::StatusOr<std::string> open_webhook_secret(const ProjectKey& project_key, std::string_view webhook,
                                                std::string_view sealed);

// What is sent with a message: "v1,…". `sent` is that of the header webhook-timestamp, in whole seconds.
std::string webhook_signature(std::string_view secret, std::string_view message_id, Instant sent,
                              std::string_view body);
// The message that an intent is, in every attempt; no other installation has one of this id.
std::string webhook_message_id(const ProjectKey& project_key, const IntentKey& key);

}  // namespace kehu::seal
