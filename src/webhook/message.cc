#include "webhook/message.h"

#include "base/civil_day.h"
#include "base/text.h"
#include "json/document.h"
#include "json/writer.h"
#include "seal/webhook_secret.h"

namespace kehu::webhook {
namespace {

// What the specification recommends at least.
constexpr Duration kTimeout = Duration::seconds(15);
// Nobody reads it.
constexpr size_t kAnswerBytes = 64 << 10;

absl::StatusOr<std::string> signatures(const seal::ProjectKey& key, const definition::Webhook& webhook,
                                       std::string_view message_id, std::string_view body, Instant now) {
  std::string all;
  absl::Status why = absl::DataLossError("the webhook has no secret");
  for (const definition::WebhookSecret& secret : webhook.secrets) {
    if (secret.valid_until && *secret.valid_until <= now) continue;
    const auto open = seal::open_webhook_secret(key, webhook.name, secret.sealed);
    if (open.ok()) {
      all += cat(all.empty() ? "" : " ", seal::webhook_signature(*open, message_id, now, body));
    } else {
      why = open.status();
    }
  }
  if (all.empty()) return why;
  return all;
}

}  // namespace

absl::StatusOr<Message> parse_message(std::string_view body) {
  const auto document = json::Document::parse(body);
  if (!document.ok()) return absl::DataLossError("a damaged message of a webhook");
  const json::Value root = document->root();
  const auto noted = parse_iso8601(root.find("noted").as_string().value_or(""));
  if (!noted || !root.find("data").is_object()) return absl::DataLossError("a damaged message of a webhook");
  return Message{.type = root.find("type").as_string().value_or(""),
                 .timestamp = root.find("timestamp").as_string().value_or(""),
                 .noted = *noted,
                 .data = std::string(root.find("data").raw())};
}

Message sample_message(Instant now) {
  std::string data;
  json::Writer writer(data);
  writer.begin_object().field("name", "a segment").field("version", 1);
  writer.field("customer_id", Hash128{}.hex()).field("since", format_utc(now));
  writer.field("before", false).field("after", true).end_object();
  return {.type = "webhook.test", .timestamp = format_utc(now), .noted = now, .data = std::move(data)};
}

std::string body_of(const Message& message, std::string_view identifiers) {
  std::string data = message.data;
  if (!identifiers.empty())
    data = cat(data.substr(0, data.rfind('}')), ",\"identifiers\":", identifiers, "}");
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("type", message.type).field("timestamp", message.timestamp);
  writer.raw_field("data", data).end_object();
  return out;
}

absl::StatusOr<fetch::Request> request_of(const seal::ProjectKey& key, const definition::Webhook& webhook,
                                          std::string_view message_id, std::string body, Instant now) {
  auto signed_by = signatures(key, webhook, message_id, body, now);
  if (!signed_by.ok()) return signed_by.status();
  return fetch::Request{.method = "POST",
                        .url = webhook.url,
                        .headers = {{"Content-Type", "application/json"},
                                    {"User-Agent", "Kehu"},
                                    {"webhook-id", std::string(message_id)},
                                    {"webhook-timestamp", cat(now.micros() / 1'000'000)},
                                    {"webhook-signature", *std::move(signed_by)}},
                        .body = std::move(body),
                        .timeout = kTimeout,
                        .response_bytes = kAnswerBytes};
}

}  // namespace kehu::webhook
