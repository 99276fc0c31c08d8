#pragma once

#include <map>
#include <string>

#include "store/blob_store.h"
#include "store/store_set.h"

namespace kehu {

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

// A state in maps. One of them may be a store of the test's own.
class MapStores final : public StoreSet {
 public:
  MapStores() = default;
  MapStores(Space replaced, BlobStore& instead) : replaced_(replaced), instead_(&instead) {}

  BlobStore& at(Space space) override {
    return space == replaced_ ? *instead_ : static_cast<BlobStore&>(stores_[space]);
  }

 private:
  std::map<Space, MapStore> stores_;
  Space replaced_ = Space::kMeta;
  BlobStore* instead_ = nullptr;
};

}  // namespace kehu
