#include "membership/index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/check.h"
#include "base/hash.h"

// A chunk is a bitmap of fixed size: 512 bytes, of which an empty one is no blob. Runs and sparse lists, as
// Roaring bitmaps have them (Lemire et al. 2016), would save memory for small segments and cost every change
// a second form.
namespace kehu::membership {
namespace {

constexpr uint32_t kIdsPerPage = 256;
constexpr uint32_t kChunksAtOnce = 32;

enum class What : uint64_t { kEnd = 1, kIds = 2, kChunk = 3, kSize = 4 };

// Places are hashes, as the tables of stores expect them.
Hash128 place(What what, uint64_t rule, uint64_t number) {
  const uint64_t parts[] = {static_cast<uint64_t>(what), rule, number};
  return hash128({reinterpret_cast<const char*>(parts), sizeof(parts)});
}

template <class T>
T read(std::string_view bytes) {
  T value{};
  if (bytes.size() == sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

template <class T>
std::string_view bytes_of(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

}  // namespace

uint32_t Index::end() const {
  return end_ ? *end_ : std::max(1u, read<uint32_t>(store_.get(place(What::kEnd, 0, 0))));
}

uint32_t Index::add(CustomerId customer) {
  const uint32_t number = end();
  if (!end_ || number % kIdsPerPage == 0) {
    settle_numbers();
    ids_ = store_.get(place(What::kIds, 0, number / kIdsPerPage));
  }
  ids_.resize((number % kIdsPerPage + 1) * sizeof(Hash128));
  std::memcpy(ids_.data() + number % kIdsPerPage * sizeof(Hash128), &customer.hash, sizeof(Hash128));
  end_ = number + 1;
  return number;
}

void Index::settle_numbers() {
  if (!end_) return;
  store_.put(place(What::kEnd, 0, 0), bytes_of(*end_));
  store_.put(place(What::kIds, 0, (*end_ - 1) / kIdsPerPage), ids_);
  end_.reset();
}

void Index::remove(uint32_t number) {
  settle_numbers();
  const Hash128 at = place(What::kIds, 0, number / kIdsPerPage);
  std::string ids(store_.get(at));
  const size_t offset = number % kIdsPerPage * sizeof(Hash128);
  if (offset + sizeof(Hash128) > ids.size()) return;
  std::memset(ids.data() + offset, 0, sizeof(Hash128));
  store_.put(at, ids);
}

Index::AtHand& Index::at_hand(RuleId rule, uint32_t chunk) {
  std::unique_ptr<AtHand>& at = at_hand_[rule];
  if (at != nullptr && at->chunk == chunk) return *at;
  if (at == nullptr) {
    const uint64_t size = this->size(rule);
    at = std::make_unique<AtHand>();
    at->size = size;
  } else if (at->changed) {
    write_chunk(rule, *at);
  }
  at->chunk = chunk;
  at->bits = read<Bits>(store_.get(place(What::kChunk, rule.value(), chunk)));
  return *at;
}

void Index::write_chunk(RuleId rule, const AtHand& at) {
  const Hash128 where = place(What::kChunk, rule.value(), at.chunk);
  const bool empty = std::ranges::all_of(at.bits, [](uint64_t each) { return each == 0; });
  empty ? store_.erase(where) : store_.put(where, bytes_of(at.bits));
}

void Index::change(RuleId rule, uint32_t number, bool in) {
  AtHand& at = at_hand(rule, number / kChunkBits);
  uint64_t& word = at.bits[number % kChunkBits / 64];
  const uint64_t bit = uint64_t{1} << number % 64;
  if (((word & bit) != 0) == in) return;
  word ^= bit;
  in ? ++at.size : --at.size;
  if (!at.changed) changed_.push_back(rule);
  at.changed = true;
}

void Index::enter(RuleId rule, uint32_t number) { change(rule, number, true); }
void Index::leave(RuleId rule, uint32_t number) { change(rule, number, false); }

void Index::settle() {
  settle_numbers();
  for (const RuleId rule : changed_) {
    const auto found = at_hand_.find(rule);
    if (found == at_hand_.end() || !found->second->changed) continue;
    AtHand& at = *found->second;
    write_chunk(rule, at);
    const Hash128 where = place(What::kSize, rule.value(), 0);
    at.size == 0 ? store_.erase(where) : store_.put(where, bytes_of(at.size));
    at.changed = false;
  }
  changed_.clear();
}

void Index::forget(RuleId rule) {
  at_hand_.erase(rule);
  for (uint32_t chunk = 0; chunk <= end() / kChunkBits; ++chunk) {
    store_.erase(place(What::kChunk, rule.value(), chunk));
  }
  store_.erase(place(What::kSize, rule.value(), 0));
}

uint64_t Index::size(RuleId rule) const {
  const auto found = at_hand_.find(rule);
  if (found != at_hand_.end() && found->second != nullptr) return found->second->size;
  return read<uint64_t>(store_.get(place(What::kSize, rule.value(), 0)));
}

Index::Page Index::page(RuleId rule, uint32_t from, size_t limit) const {
  KEHU_CHECK(changed_.empty() && !end_);
  Page page;
  const uint32_t end = this->end();
  for (uint32_t number = from; number < end; number = (number / kChunkBits + 1) * kChunkBits) {
    const std::string_view chunk = store_.get(place(What::kChunk, rule.value(), number / kChunkBits));
    if (chunk.empty()) continue;
    const Bits bits = read<Bits>(chunk);
    for (uint32_t at = number; at < (number / kChunkBits + 1) * kChunkBits; ++at) {
      if ((bits[at % kChunkBits / 64] >> at % 64 & 1) == 0) continue;
      if (page.customers.size() == limit) {
        page.next = at;
        return page;
      }
      Hash128 id;
      const std::string_view ids = store_.get(place(What::kIds, 0, at / kIdsPerPage));
      const size_t offset = at % kIdsPerPage * sizeof(Hash128);
      if (offset + sizeof(id) <= ids.size()) std::memcpy(&id, ids.data() + offset, sizeof(id));
      page.customers.push_back(CustomerId{id});
    }
  }
  return page;
}

// Chunks lie anywhere in memory, or on disk, so that those of many numbers are brought near at once.
uint64_t Index::overlap(absl::Span<const RuleId> rules) const {
  KEHU_CHECK(changed_.empty() && !end_);
  uint64_t count = 0;
  const uint32_t chunks = rules.empty() ? 0 : end() / kChunkBits + 1;
  std::vector<Hash128> keys;
  for (uint32_t first = 0; first < chunks; first += kChunksAtOnce) {
    keys.clear();
    const uint32_t last = std::min(chunks, first + kChunksAtOnce);
    for (uint32_t chunk = first; chunk < last; ++chunk) {
      for (const RuleId rule : rules) keys.push_back(place(What::kChunk, rule.value(), chunk));
    }
    store_.prefetch(keys);
    for (size_t at = 0; at < keys.size(); at += rules.size()) {
      Bits all = read<Bits>(store_.get(keys[at]));
      for (size_t i = 1; i < rules.size(); ++i) {
        const Bits bits = read<Bits>(store_.get(keys[at + i]));
        for (size_t word = 0; word < all.size(); ++word) all[word] &= bits[word];
      }
      for (const uint64_t word : all) count += static_cast<uint64_t>(std::popcount(word));
    }
  }
  return count;
}

}  // namespace kehu::membership
