#include "webhook/message.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "seal/webhook_secret.h"

namespace kehu::webhook {
namespace {

const seal::ProjectKey kKey = *seal::ProjectKey::from_bytes(std::string(seal::ProjectKey::kBytes, 'k'));

std::string header(const fetch::Request& request, std::string_view name) {
  const auto at = std::ranges::find(request.headers, name, [](const auto& each) { return each.first; });
  return at == request.headers.end() ? "" : at->second;
}

TEST(Message, IsSentAsTheSpecificationSays) {
  const auto message = parse_message(
      R"({"type":"segment.entered","timestamp":"2026-11-30T08:00:00Z","noted":"2026-11-30T08:00:01Z",)"
      R"("data":{"name":"VIP","after":true}})");
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(message->noted.micros() % 60'000'000, 1'000'000);
  EXPECT_EQ(body_of(*message, R"([{"type":"user_id","value":"u1"}])"),
            R"({"type":"segment.entered","timestamp":"2026-11-30T08:00:00Z",)"
            R"("data":{"name":"VIP","after":true,"identifiers":[{"type":"user_id","value":"u1"}]}})");
  EXPECT_EQ(body_of(*message, ""), R"({"type":"segment.entered","timestamp":"2026-11-30T08:00:00Z",)"
                                   R"("data":{"name":"VIP","after":true}})");
  EXPECT_TRUE(absl::IsDataLoss(parse_message("{}").status()));
}

TEST(Message, IsSignedWithAllSecretsThatAreValid) {
  const std::string texts[] = {std::string(32, 'a'), std::string(32, 'b'), std::string(32, 'c')};
  definition::Webhook webhook;
  webhook.name = "crm";
  webhook.url = "https://crm.example/";
  for (const std::string& text : texts) {
    webhook.secrets.push_back(
        {.sealed = seal::seal_webhook_secret(kKey, Cipher::kAes256Gcm, "crm", text), .created = Instant()});
  }
  const Instant now(1'700'000'000'900'000);
  webhook.secrets[1].valid_until = now + Duration::seconds(1);
  webhook.secrets[2].valid_until = now;
  const auto request = request_of(kKey, webhook, "msg_1", "{}", now);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(header(*request, "webhook-id"), "msg_1");
  EXPECT_EQ(header(*request, "webhook-timestamp"), "1700000000");
  EXPECT_EQ(header(*request, "webhook-signature"),
            cat(seal::webhook_signature(texts[0], "msg_1", now, "{}"), " ",
                seal::webhook_signature(texts[1], "msg_1", now, "{}")));
  webhook.name = "another";
  EXPECT_TRUE(absl::IsDataLoss(request_of(kKey, webhook, "msg_1", "{}", now).status()));
}

}  // namespace
}  // namespace kehu::webhook
