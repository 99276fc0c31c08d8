#pragma once

#include <map>
#include <string>

#include "model/blob_store.h"

namespace kehu::shard {

// A BlobStore in a map, for tests.
class MapStore final : public BlobStore {
 public:
  std::string_view get(const Hash128& key) override {
    const auto it = blobs_.find(key);
    return it == blobs_.end() ? std::string_view() : std::string_view(it->second);
  }
  void put(const Hash128& key, std::string_view bytes) override { blobs_[key].assign(bytes); }
  void erase(const Hash128& key) override { blobs_.erase(key); }
  void prefetch(absl::Span<const Hash128>) override {}
  void for_each(const std::function<void(const Hash128&, std::string_view)>& visit) override {
    for (const auto& [key, bytes] : blobs_) visit(key, bytes);
  }

 private:
  std::map<Hash128, std::string> blobs_;
};

}  // namespace kehu::shard
