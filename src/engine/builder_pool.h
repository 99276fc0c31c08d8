#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "log/batch_builder.h"

namespace kehu::engine {

// A fixed number of batch builders. A batch stays in its builder while it is applied and archived, so their number
// bounds how far those may lag behind the log. Thread-safe; outlived by the builders it gave out.
class BuilderPool {
 public:
  explicit BuilderPool(size_t count) : shelf_(std::make_shared<Shelf>()) {
    for (size_t i = 0; i < count; ++i) shelf_->builders.push_back(std::make_unique<log::BatchBuilder>());
  }

  // An empty builder; waits until one is free. It returns by itself.
  std::shared_ptr<log::BatchBuilder> take() {
    std::unique_lock lock(shelf_->mutex);
    shelf_->returned.wait(lock, [&] { return !shelf_->builders.empty(); });
    std::unique_ptr<log::BatchBuilder> builder = std::move(shelf_->builders.back());
    shelf_->builders.pop_back();
    builder->clear();
    return {builder.release(), [shelf = shelf_](log::BatchBuilder* used) {
              {
                const std::lock_guard guard(shelf->mutex);
                shelf->builders.emplace_back(used);
              }
              shelf->returned.notify_one();
            }};
  }

 private:
  struct Shelf {
    std::mutex mutex;
    std::condition_variable returned;
    std::vector<std::unique_ptr<log::BatchBuilder>> builders;
  };
  std::shared_ptr<Shelf> shelf_;
};

}  // namespace kehu::engine
