#include "json/repeated_keys.h"

#include <algorithm>

#include "base/hash.h"

namespace kehu::json {
namespace {

// Up to so many keys, comparing all with all is cheaper than hashing them.
constexpr size_t kFew = 8;

}  // namespace

bool has_key(const Index& index, uint32_t object, std::string_view name) {
  if (index[object].kind != Kind::kObject) return false;
  std::string scratch;
  for (uint32_t key = object + 1; key < index[object].next; key = index[key + 1].next) {
    if (index.text_of(index[key], scratch) == name) return true;
  }
  return false;
}

absl::Span<const uint32_t> RepeatedKeys::find(const Index& index, uint32_t first, uint32_t last) {
  found_.clear();
  for (uint32_t at = first; at < last; ++at) {
    if (index[at].kind != Kind::kObject) continue;
    keys_.clear();
    for (uint32_t key = at + 1; key < index[at].next; key = index[key + 1].next) keys_.push_back(key);
    look_at_keys(index);
  }
  std::sort(found_.begin(), found_.end());
  return found_;
}

absl::Span<const uint32_t> RepeatedKeys::find_among(const Index& index, absl::Span<const uint32_t> keys) {
  found_.clear();
  keys_.assign(keys.begin(), keys.end());
  look_at_keys(index);
  std::sort(found_.begin(), found_.end());
  return found_;
}

bool RepeatedKeys::holds(uint32_t key) const {
  return !found_.empty() && std::binary_search(found_.begin(), found_.end(), key);
}

void RepeatedKeys::look_at_keys(const Index& index) {
  if (keys_.size() < 2) return;
  keys_.size() <= kFew ? look_at_few(index) : look_at_many(index);
}

void RepeatedKeys::look_at_few(const Index& index) {
  for (size_t i = 0; i + 1 < keys_.size(); ++i) {
    const std::string_view name = index.text_of(index[keys_[i]], scratch_);
    for (size_t j = i + 1; j < keys_.size(); ++j) {
      if (index.text_of(index[keys_[j]], other_scratch_) != name) continue;
      found_.push_back(keys_[i]);
      break;
    }
  }
}

// Sorts by hash, text and place, so that equal keys stand side by side in the order of the text and each but
// the last is reported. Comparing all with all would cost the square of the keys, which whoever sends events
// chooses. Keys that differ and share a hash are found in seconds (the test has two), so texts decide.
void RepeatedKeys::look_at_many(const Index& index) {
  codes_.clear();
  for (uint32_t i = 0; i < keys_.size(); ++i) {
    codes_.push_back({hash64(index.text_of(index[keys_[i]], scratch_)), i});
  }
  const auto compare_texts = [&](const Code& a, const Code& b) {
    const std::string_view text = index.text_of(index[keys_[a.place]], scratch_);
    return text.compare(index.text_of(index[keys_[b.place]], other_scratch_));
  };
  std::sort(codes_.begin(), codes_.end(), [&](const Code& a, const Code& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    const int order = compare_texts(a, b);
    return order != 0 ? order < 0 : a.place < b.place;
  });
  for (size_t i = 0; i + 1 < codes_.size(); ++i) {
    if (codes_[i].hash != codes_[i + 1].hash || compare_texts(codes_[i], codes_[i + 1]) != 0) continue;
    found_.push_back(keys_[codes_[i].place]);
  }
}

}  // namespace kehu::json
