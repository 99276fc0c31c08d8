#include "shard/name_table.h"

#include <algorithm>

#include "text/near_word.h"

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

std::vector<std::string> NameTable::known_or_near(absl::Span<const std::string> words) const {
  if (texts_.size() >= kMaxNames) return {words.begin(), words.end()};
  std::vector<std::string> found;
  std::vector<size_t> lengths;  // of those that are not known
  for (const std::string& word : words) {
    if (text(name_id(word)) == word) {
      found.push_back(word);
    } else {
      lengths.push_back(word.size());
    }
  }
  if (lengths.empty()) return found;
  const size_t most = found.size() + kMaxNear;
  for (const auto& [id, name] : texts_) {
    const bool near = std::ranges::any_of(
        lengths, [size = name.size()](size_t length) { return text::may_be_near(length, size); });
    if (near && found.size() < most) found.push_back(name);
  }
  std::ranges::sort(found);  // equal distances are decided by the order
  return found;
}

}  // namespace kehu::shard
