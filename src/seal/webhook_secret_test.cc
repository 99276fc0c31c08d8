#include "seal/webhook_secret.h"

#include <gtest/gtest.h>

#include <set>

#include "base/text.h"

namespace kehu::seal {
namespace {

ProjectKey key_of(char byte) { return *ProjectKey::from_bytes(std::string(ProjectKey::kBytes, byte)); }

// That of the specification's own libraries: standardwebhooks 1.0.0, `sign`.
TEST(WebhookSecret, SignsAsTheSpecificationsLibraries) {
  const auto secret = parse_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(secret.ok());
  EXPECT_EQ(webhook_signature(*secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", Instant(1'614'265'330'000'000),
                              R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSecret, IsReadAsItIsWritten) {
  const std::string secret = make_webhook_secret();
  EXPECT_NE(secret, make_webhook_secret());
  EXPECT_EQ(*parse_webhook_secret(webhook_secret_text(secret)), secret);
  for (const std::string_view wrong :
       {"", "whsec_", "whsec_c2hvcnQ=", "whsec_%%%", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
    EXPECT_EQ(parse_webhook_secret(wrong).status().code(), absl::StatusCode::kInvalidArgument) << wrong;
  EXPECT_FALSE(parse_webhook_secret(webhook_secret_text(std::string(65, 'x'))).ok());
}

TEST(WebhookSecret, OpensForItsWebhookAndProjectOnly) {
  const ProjectKey key = key_of('k');
  for (const Cipher cipher : {Cipher::kAes256Gcm, Cipher::kSm4Gcm}) {
    std::string sealed = seal_webhook_secret(key, cipher, "crm", "a secret of the webhook");
    EXPECT_EQ(*open_webhook_secret(key, "crm", sealed), "a secret of the webhook");
    EXPECT_EQ(sealed.find("secret"), std::string::npos);
    EXPECT_TRUE(absl::IsDataLoss(open_webhook_secret(key, "erp", sealed).status()));
    EXPECT_TRUE(absl::IsDataLoss(open_webhook_secret(key_of('o'), "crm", sealed).status()));
    sealed.back() ^= 1;
    EXPECT_TRUE(absl::IsDataLoss(open_webhook_secret(key, "crm", sealed).status()));
    EXPECT_TRUE(absl::IsDataLoss(open_webhook_secret(key, "crm", "").status()));
  }
}

TEST(WebhookSecret, NoTwoMessagesHaveOneId) {
  std::set<std::string> ids;
  for (const char project : {'a', 'b'}) {
    for (const IntentKey key : {IntentKey{Sequence(1), 0}, {Sequence(1), 1}, {Sequence(11), 0}})
      ids.insert(webhook_message_id(key_of(project), key));
  }
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(webhook_message_id(key_of('a'), {Sequence(1), 0}),
            webhook_message_id(key_of('a'), {Sequence(1), 0}));
}

}  // namespace
}  // namespace kehu::seal
