#include "definition/webhook.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "definition/project.h"

namespace kehu::definition {
namespace {

Webhook a_webhook(std::string name = "crm") {
  Webhook webhook;
  webhook.name = std::move(name);
  webhook.url = "https://crm.example/hooks?token=1";
  webhook.enabled_since = Instant(1'700'000'000'000'000);
  webhook.secrets = {{.sealed = std::string("\1\0secret", 8), .created = Instant(1'700'000'000'000'000)}};
  return webhook;
}

class WebhookTest : public ::testing::Test {
 protected:
  absl::Status define(const Webhook& webhook) {
    const std::string body = to_json(webhook);
    return apply({.kind = kWebhook, .name = webhook.name, .body = body, .actor = "me", .base = at_});
  }
  absl::Status remove(std::string_view name) {
    return apply({.kind = kWebhook, .name = name, .body = "", .actor = "me", .base = at_, .deleted = true});
  }
  absl::Status apply(const Definition& change) {
    at_ = at_.next();
    auto next = project_->apply({&change, 1}, at_, Instant(int64_t(at_.value())));
    if (!next.ok()) return next.status();
    project_ = next->project;
    return absl::OkStatus();
  }

  std::shared_ptr<const Project> project_ =
      std::make_shared<const Project>(std::make_shared<const Settings>(Settings::defaults()));
  Sequence at_{100};
};

TEST_F(WebhookTest, IsReadAsItIsWritten) {
  Webhook webhook = a_webhook();
  webhook.id = 7;
  webhook.segments = {"VIP", "沉睡客户"};
  webhook.tags = std::vector<std::string>();
  webhook.enabled = false;
  webhook.disabled_because = "it answered 410";
  webhook.give_up_after = Duration::seconds(60);
  webhook.secrets.push_back({.sealed = "old", .created = Instant(1), .valid_until = Instant(2'000'000)});
  const auto read = parse_webhook(to_json(webhook));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(to_json(*read), to_json(webhook));
  EXPECT_EQ(read->secrets[0].sealed, webhook.secrets[0].sealed);
  EXPECT_EQ(read->channel(), "webhook:7");
  EXPECT_TRUE(read->tags && read->tags->empty());
  EXPECT_FALSE(parse_webhook("{}").ok());
}

TEST_F(WebhookTest, AFileSaysAllButWhatIsSecret) {
  Webhook webhook = a_webhook();
  webhook.id = 7;
  webhook.segments = {"VIP"};
  webhook.tags = std::vector<std::string>();
  webhook.enabled_since = Instant(5'000'000);
  Version version{.sequence = Sequence(1), .time = {}, .actor = {}, .body = to_json(webhook), .value = {}};
  version.value = *read_webhook(version.body);
  const std::string file = webhook_file(version);
  EXPECT_EQ(file, R"({"url":"https://crm.example/hooks?token=1","segments":["VIP"],"tags":[],"enabled":true,)"
                  R"("give_up_after_s":432000})");
  const auto same = webhook_from_file(webhook.name, file, &version);
  ASSERT_TRUE(same.ok()) << same.status();
  EXPECT_EQ(*same, to_json(webhook)) << "with its secrets, and since when it is enabled";

  const auto read = [&](std::string_view json, const Version* before) {
    return parse_webhook(*webhook_from_file(webhook.name, json, before));
  };
  const auto fresh = read(R"({"url":"https://a.b/","segments":"all"})", nullptr);
  EXPECT_TRUE(fresh->secrets.empty());
  EXPECT_EQ(fresh->enabled_since, Instant());
  EXPECT_FALSE(fresh->segments);
  version.deleted = true;
  EXPECT_TRUE(read(file, &version)->secrets.empty()) << "a deleted one is made anew";
  version.deleted = false;
  webhook.enabled = false;
  webhook.disabled_because = "it answered 410";
  version.value = *read_webhook(to_json(webhook));
  EXPECT_EQ(read(R"({"url":"https://a.b/","enabled":false})", &version)->disabled_because, "it answered 410");
  const auto again = read(R"({"url":"https://a.b/"})", &version);
  EXPECT_TRUE(again->enabled);
  EXPECT_EQ(again->enabled_since, Instant()) << "from now on";
  EXPECT_EQ(again->disabled_because, "");
  for (const char* wrong : {R"({"secret":"whsec_x"})", R"({"segments":"some"})", R"({"give_up_after_s":0})"})
    EXPECT_FALSE(webhook_from_file("x", wrong, nullptr).ok()) << wrong;
}

TEST_F(WebhookTest, WantsWhatItNames) {
  Webhook webhook = a_webhook();
  EXPECT_TRUE(webhook.wants(kSegment, "VIP"));
  EXPECT_TRUE(webhook.wants(kTag, "stage"));
  webhook.segments = {"VIP"};
  webhook.tags = std::vector<std::string>();
  EXPECT_TRUE(webhook.wants(kSegment, "VIP"));
  EXPECT_FALSE(webhook.wants(kSegment, "other"));
  EXPECT_FALSE(webhook.wants(kTag, "stage"));
  webhook.enabled = false;
  EXPECT_FALSE(webhook.wants(kSegment, "VIP"));
}

TEST_F(WebhookTest, KeepsItsIdOverDeletion) {
  ASSERT_TRUE(define(a_webhook("a")).ok());
  ASSERT_TRUE(define(a_webhook("b")).ok());
  EXPECT_EQ(find_webhook(*project_, "b")->id, 2u);
  ASSERT_TRUE(remove("b").ok());
  EXPECT_EQ(find_webhook(*project_, "b"), nullptr);
  EXPECT_EQ(webhook_of_channel(*project_, "webhook:2"), nullptr);
  ASSERT_TRUE(define(a_webhook("c")).ok());
  EXPECT_EQ(find_webhook(*project_, "c")->id, 3u) << "intents of the deleted one may be pending";
  ASSERT_TRUE(define(a_webhook("b")).ok());
  EXPECT_EQ(webhook_of_channel(*project_, "webhook:2")->name, "b");
}

TEST_F(WebhookTest, RefusesWhatCannotBe) {
  const auto wrong = [&](auto change) {
    Webhook webhook = a_webhook();
    change(webhook);
    return define(webhook);
  };
  for (const std::string_view url : {"", "ftp://host/", "http://", "https:///path", "https://me:secret@host/",
                                     "http://host/a b", "http://host/\n", "http://host/\xe5\xae\xa2"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(wrong([&](Webhook& webhook) { webhook.url = url; }))) << url;
  }
  EXPECT_TRUE(
      absl::IsInvalidArgument(wrong([](Webhook& w) { w.url += std::string(Webhook::kUrlBytes, 'a'); })));
  EXPECT_TRUE(absl::IsInvalidArgument(wrong([](Webhook& w) { w.segments = {"nobody"}; })));
  EXPECT_TRUE(absl::IsInvalidArgument(wrong([](Webhook& w) { w.name = "a/b"; })));
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong([](Webhook& w) { w.secrets.clear(); })));
  EXPECT_TRUE(absl::IsFailedPrecondition(wrong([](Webhook& w) { w.secrets.resize(5, w.secrets[0]); })));
  for (size_t i = 0; i < Webhook::kMost; ++i) ASSERT_TRUE(define(a_webhook(cat("hook-", i))).ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(define(a_webhook())));
  EXPECT_TRUE(define(a_webhook("hook-3")).ok());
}

}  // namespace
}  // namespace kehu::definition
