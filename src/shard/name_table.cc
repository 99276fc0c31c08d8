#include "shard/name_table.h"

namespace kehu::shard {

NameTable::NameTable(BlobStore& store) : store_(store) {
  store_.for_each(
      [this](const Hash128& key, std::string_view text) { texts_.emplace(NameId(key.low), text); });
}

void NameTable::learn(NameId id, std::string_view text) {
  if (texts_.contains(id) || texts_.size() >= kMaxNames) return;
  texts_.emplace(id, text);
  store_.put(Hash128{0, id.value()}, text);
}

std::string_view NameTable::text(NameId id) const {
  const auto it = texts_.find(id);
  return it == texts_.end() ? std::string_view() : std::string_view(it->second);
}

}  // namespace kehu::shard
