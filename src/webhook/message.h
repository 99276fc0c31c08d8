#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "definition/webhook.h"
#include "fetch/request.h"
#include "model/intent.h"
#include "seal/project_key.h"

namespace kehu::webhook {

// What an intent for a webhook says (formats/outbox.md).
struct Message {
  std::string type;
  std::string timestamp;
  Instant noted;     // when the change was applied
  std::string data;  // JSON object
};
// DataLoss when it cannot be read.
absl::StatusOr<Message> parse_message(std::string_view body);
// What a receiver is shown to be tried with.
Message sample_message(Instant now);

// The body of the request; `identifiers` is a JSON array, or empty where there is no customer.
std::string body_of(const Message& message, std::string_view identifiers);

// The same message as often as it is asked for, signed anew each time with all secrets that are valid.
// DataLoss when none opens.
absl::StatusOr<fetch::Request> request_of(const seal::ProjectKey& key, const definition::Webhook& webhook,
                                          std::string_view message_id, std::string body, Instant now);

}  // namespace kehu::webhook
