#pragma once

#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "model/intent.h"

// Ways into the world outside: each brings intents to somebody who acts on them (docs/decisions/outbox.md).
namespace kehu::channel {

struct Delivery {
  IntentOutcome outcome = IntentOutcome::kDelivered;
  std::string detail = {};  // for people: "201", "unknown recipient"; no personal value
};

// "1234-0": how the world outside knows an intent, so that it can tell a repeat.
std::string key_text(const IntentKey& key);

class Channel {
 public:
  // An error: nothing is known of the intent's fate, and it is to be tried again later.
  using Done = absl::AnyInvocable<void(absl::StatusOr<Delivery>)>;

  virtual ~Channel() = default;

  // How many are delivered at a time of those that have one name.
  virtual size_t at_once() const { return 256; }
  // Brings the intent there, at least once, and never waits: `done` is called once, from any thread, also
  // when the channel ends before. `intent` is valid during the call.
  virtual void deliver(const Intent& intent, Done done) = 0;
};

}  // namespace kehu::channel
