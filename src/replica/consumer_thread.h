#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "replica/bounded_queue.h"
#include "replica/consumer.h"

namespace kehu::replica {

// A consumer that works on a thread of its own, at its own pace. Slices for which its queue has no room are
// passed over and counted: whoever applies never waits for it.
class ConsumerThread final : public Consumer {
 public:
  struct Options {
    const char* thread_name = "kehu-consumer";
    size_t queue_bytes = 16u << 20;
    // On the apply thread, for each slice: quick.
    std::function<bool(const shard::Effects&)> wants;
    // On the consumer's thread. `missed`: events of slices that were passed over just before.
    std::function<void(const AppliedSlice& slice, uint64_t missed)> consume;
  };
  // `consumers` outlives it.
  ConsumerThread(Consumers& consumers, Options options);
  ~ConsumerThread() override;

  bool wants(const shard::Effects& effects) override { return options_.wants(effects); }
  void take(const std::shared_ptr<const AppliedSlice>& slice) override;

 private:
  struct Item {
    std::shared_ptr<const AppliedSlice> slice;
    uint64_t missed = 0;
  };
  void run();

  Consumers& consumers_;
  Options options_;
  BoundedQueue<Item> queue_;
  uint64_t missed_ = 0;  // the apply thread's
  std::thread thread_;
};

}  // namespace kehu::replica
