#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "definition/kind.h"

namespace kehu::definition {

// With what a receiver can tell that a message is ours.
struct WebhookSecret {
  std::string sealed;  // for the webhook's name (seal/webhook_secret.h)
  Instant created;
  std::optional<Instant> valid_until = {};  // another one took its place
};

// Somebody outside who is told when customers enter and leave segments, and when their tags change
// (docs/webhooks.md).
struct Webhook {
  static constexpr size_t kMost = 16;  // of a project, deleted ones aside
  static constexpr size_t kSecretsMost = 4;
  static constexpr size_t kUrlBytes = 2000;
  static constexpr Duration kGiveUpAfter = Duration::seconds(5 * 24 * 3600);
  static constexpr Duration kGiveUpAfterMost = Duration::seconds(30 * 24 * 3600);

  uint32_t id = 0;  // 0 until the project gives it one; those of a name keep it
  std::string name;
  std::string url;  // http:// or https://
  // By name; nullopt: of all that there are.
  std::optional<std::vector<std::string>> segments = {};
  std::optional<std::vector<std::string>> tags = {};
  bool enabled = true;
  Instant enabled_since;         // what is older does not count as a failure
  std::string disabled_because;  // by Kehu; empty: by a person
  Duration give_up_after = kGiveUpAfter;
  std::vector<WebhookSecret> secrets = {};  // the newest first

  bool wants(std::string_view kind, std::string_view rule) const;
  // Of its intents; ids have at most 7 digits.
  std::string channel() const;
};
// Of intents for webhooks: what their channels begin with.
inline constexpr std::string_view kWebhookChannel = "webhook:";

std::string to_json(const Webhook& webhook);
absl::StatusOr<Webhook> parse_webhook(std::string_view json);

// For the table of kinds.
absl::StatusOr<Value> read_webhook(std::string_view body);
absl::Status admit_webhook(Candidate& candidate, const Project& project);

// What a file says of a webhook: all but its name, its id and its secrets.
std::string webhook_file(const Version& version);
// A new one has no secret yet; and of one that is new or enabled again, nobody has said since when it is
// (`enabled_since` is zero). Whoever makes the definition does (complete).
absl::StatusOr<std::string> webhook_from_file(std::string_view name, std::string_view json,
                                              const Version* before);

// By name, without deleted ones.
std::vector<std::shared_ptr<const Webhook>> webhooks_of(const Project& project);
// nullptr: it is deleted, or there never was one.
std::shared_ptr<const Webhook> find_webhook(const Project& project, std::string_view name);
std::shared_ptr<const Webhook> webhook_of_channel(const Project& project, std::string_view channel);

}  // namespace kehu::definition
