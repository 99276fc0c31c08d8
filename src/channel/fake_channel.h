#pragma once

#include <mutex>
#include <set>
#include <string>

#include "channel/channel.h"

// For tests of what leaves by the outbox.
namespace kehu::channel {

// Delivers at once, as often as it is told to.
class FakeChannel final : public Channel {
 public:
  void deliver(const Intent& intent, Done done) override {
    {
      const std::lock_guard lock(mutex_);
      keys_.insert(intent.key);
      texts_.insert(intent.body);
      ++deliveries_;
      if (failures_ > 0) {
        --failures_;
        done(absl::UnavailableError("not now"));
        return;
      }
    }
    done(Delivery{});
  }
  void fail(int times) {
    const std::lock_guard lock(mutex_);
    failures_ = times;
  }
  size_t keys() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
  }
  // Different ones.
  size_t texts() const {
    const std::lock_guard lock(mutex_);
    return texts_.size();
  }
  size_t deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<IntentKey> keys_;
  std::set<std::string> texts_;
  size_t deliveries_ = 0;
  int failures_ = 0;
};

}  // namespace kehu::channel
