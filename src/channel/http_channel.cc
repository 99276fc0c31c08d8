#include "channel/http_channel.h"

#include "base/text.h"
#include "json/writer.h"

namespace kehu::channel {
namespace {

std::string body_of(const Intent& intent) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("key", key_text(intent.key));
  writer.field("customer_id", intent.customer.hash.hex()).field("text", intent.body).end_object();
  return out;
}

absl::StatusOr<Delivery> judge(const absl::StatusOr<fetch::Response>& response) {
  if (!response.ok()) return response.status();
  const int status = response->status;
  if (status >= 200 && status < 300) return Delivery{IntentOutcome::kDelivered, cat(status)};
  const bool passing = status == 408 || status == 425 || status == 429;
  if (status >= 400 && status < 500 && !passing) return Delivery{IntentOutcome::kRefused, cat(status)};
  return failure(absl::StatusCode::kUnavailable, "answered ", status);
}

}  // namespace

HttpChannel::HttpChannel(Options options)
    : options_(std::move(options)), fetcher_({.thread_name = "kehu-channel"}) {}

void HttpChannel::deliver(const Intent& intent, Done done) {
  // Shared, because a request that is not taken must be answered here.
  auto shared = std::make_shared<Done>(std::move(done));
  fetch::Request request{
      .method = "POST",
      .url = options_.url,
      .headers = {{"Content-Type", "application/json"}, {"Idempotency-Key", key_text(intent.key)}},
      .body = body_of(intent),
      .timeout = options_.timeout};
  const absl::Status taken = fetcher_.fetch(
      std::move(request), [shared](absl::StatusOr<fetch::Response> response) { (*shared)(judge(response)); });
  if (!taken.ok()) (*shared)(taken);
}

}  // namespace kehu::channel
