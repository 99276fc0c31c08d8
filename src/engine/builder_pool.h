#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "log/batch_builder.h"

namespace kehu::engine {

// Batch builders that come back by themselves when nobody needs their bytes any more: a batch stays in its
// builder while it is applied and archived. How many are under way is bounded by the bytes of the queues that
// hold them; at most `kept` are kept for reuse, the one returned last first, because it is still in the
// processor's cache. Thread-safe; outlived by the builders it gave out.
class BuilderPool {
 public:
  explicit BuilderPool(size_t kept) : shelf_(std::make_shared<Shelf>()) { shelf_->kept = kept; }

  // An empty builder.
  std::shared_ptr<log::BatchBuilder> take() {
    std::unique_ptr<log::BatchBuilder> builder = shelf_->take();
    if (builder == nullptr) builder = std::make_unique<log::BatchBuilder>();
    builder->clear();
    return {builder.release(), [shelf = shelf_](log::BatchBuilder* used) { shelf->put(used); }};
  }

 private:
  struct Shelf {
    std::mutex mutex;
    size_t kept = 0;
    std::vector<std::unique_ptr<log::BatchBuilder>> builders;

    std::unique_ptr<log::BatchBuilder> take() {
      const std::lock_guard lock(mutex);
      if (builders.empty()) return nullptr;
      std::unique_ptr<log::BatchBuilder> builder = std::move(builders.back());
      builders.pop_back();
      return builder;
    }
    void put(log::BatchBuilder* used) {
      std::unique_ptr<log::BatchBuilder> builder(used);
      const std::lock_guard lock(mutex);
      if (builders.size() < kept) builders.push_back(std::move(builder));
    }
  };
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace kehu::engine
