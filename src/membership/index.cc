#include "membership/index.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/hash.h"

// A chunk is a bitmap of fixed size: 512 bytes, of which an empty one is no blob. Runs and sparse lists, as
// Roaring bitmaps have them (Lemire et al. 2016), would save memory for small segments and cost every change
// a second form.
namespace kehu::membership {
namespace {

constexpr uint32_t kChunkBits = 4096;
constexpr uint32_t kIdsPerPage = 256;
constexpr uint32_t kChunksAtOnce = 32;
using Bits = std::array<uint64_t, kChunkBits / 64>;

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

uint32_t Index::end() const { return std::max(1u, read<uint32_t>(store_.get(place(What::kEnd, 0, 0)))); }

uint32_t Index::add(CustomerId customer) {
  const uint32_t number = end();
  store_.put(place(What::kEnd, 0, 0), bytes_of(number + 1));
  const Hash128 at = place(What::kIds, 0, number / kIdsPerPage);
  std::string ids(store_.get(at));
  ids.resize((number % kIdsPerPage + 1) * sizeof(Hash128));
  std::memcpy(ids.data() + number % kIdsPerPage * sizeof(Hash128), &customer.hash, sizeof(Hash128));
  store_.put(at, ids);
  return number;
}

void Index::remove(uint32_t number) {
  const Hash128 at = place(What::kIds, 0, number / kIdsPerPage);
  std::string ids(store_.get(at));
  const size_t offset = number % kIdsPerPage * sizeof(Hash128);
  if (offset + sizeof(Hash128) > ids.size()) return;
  std::memset(ids.data() + offset, 0, sizeof(Hash128));
  store_.put(at, ids);
}

bool Index::change(RuleId rule, uint32_t number, bool in) {
  const Hash128 at = place(What::kChunk, rule.value(), number / kChunkBits);
  Bits bits = read<Bits>(store_.get(at));
  uint64_t& word = bits[number % kChunkBits / 64];
  const uint64_t bit = uint64_t{1} << number % 64;
  if (((word & bit) != 0) == in) return false;
  word ^= bit;
  const bool empty = std::ranges::all_of(bits, [](uint64_t each) { return each == 0; });
  empty ? store_.erase(at) : store_.put(at, bytes_of(bits));
  return true;
}

void Index::enter(RuleId rule, uint32_t number) {
  if (change(rule, number, true)) store_.put(place(What::kSize, rule.value(), 0), bytes_of(size(rule) + 1));
}

void Index::leave(RuleId rule, uint32_t number) {
  if (!change(rule, number, false)) return;
  const uint64_t left = size(rule) - 1;
  const Hash128 at = place(What::kSize, rule.value(), 0);
  left == 0 ? store_.erase(at) : store_.put(at, bytes_of(left));
}

void Index::forget(RuleId rule) {
  for (uint32_t chunk = 0; chunk <= end() / kChunkBits; ++chunk) {
    store_.erase(place(What::kChunk, rule.value(), chunk));
  }
  store_.erase(place(What::kSize, rule.value(), 0));
}

uint64_t Index::size(RuleId rule) const {
  return read<uint64_t>(store_.get(place(What::kSize, rule.value(), 0)));
}

Index::Page Index::page(RuleId rule, uint32_t from, size_t limit) const {
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
