#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "definition/webhook.h"
#include "outbox/outbox.h"
#include "shard/effects.h"

namespace kehu::shard {

// The name of an intent that a record causes: those of one record are numbered in the order in which they are
// caused.
IntentKey next_intent(Sequence sequence, const Effects& effects);

// What webhooks are told: intents, one for each change and each webhook that wants it (formats/outbox.md).
class Notices {
 public:
  // `outbox` outlives it.
  explicit Notices(outbox::Outbox& outbox) : outbox_(outbox) {}

  // For the records that follow.
  void use(std::vector<std::shared_ptr<const definition::Webhook>> webhooks) {
    webhooks_ = std::move(webhooks);
  }

  // A change of a version in force. `tick` is that of its record.
  void changed(const MembershipChange& change, Instant tick, Effects& effects);
  // A version came into force, or the rule is no more; or all customers were asked again about one that is in
  // force. `size` of a segment: how many are in it.
  void updated(const RuleChange& change, uint64_t size, Instant tick, Effects& effects);

 private:
  void send(const definition::Webhook& webhook, CustomerId customer, Sequence sequence, std::string body,
            Effects& effects);

  outbox::Outbox& outbox_;
  std::vector<std::shared_ptr<const definition::Webhook>> webhooks_;
};

}  // namespace kehu::shard
