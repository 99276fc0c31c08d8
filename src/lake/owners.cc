#include "lake/owners.h"

#include <mutex>

#include "base/check.h"
#include "lake/hex.h"

namespace kehu::lake {

void Owners::set(Token part, CustomerId customer, Sequence sequence) {
  const std::unique_lock lock(mutex_);
  KEHU_CHECK(entries_.size() < kNone);
  const auto at = static_cast<uint32_t>(entries_.size());
  const auto [found, added] = newest_.try_emplace(part.hash, at);
  entries_.push_back({customer, sequence, added ? kNone : found->second});
  found->second = at;
}

const Owners::Entry* Owners::find_entry(const Hash128& part, Sequence as_of) const {
  const auto found = newest_.find(part);
  if (found == newest_.end()) return nullptr;
  for (uint32_t at = found->second; at != kNone; at = entries_[at].earlier) {
    if (entries_[at].sequence <= as_of) return &entries_[at];
  }
  return nullptr;
}

std::optional<CustomerId> Owners::find(Token part, Sequence as_of) const {
  const std::shared_lock lock(mutex_);
  const Entry* entry = find_entry(part.hash, as_of);
  if (entry == nullptr) return std::nullopt;
  return entry->customer;
}

void Owners::find_all(absl::Span<const std::string_view> parts, Sequence as_of,
                      absl::Span<std::string_view> customers, std::string& scratch) const {
  const std::shared_lock lock(mutex_);
  scratch.resize(parts.size() * kHexDigits);
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto part = Hash128::from_hex(parts[i]);
    const Entry* entry = part ? find_entry(*part, as_of) : nullptr;
    if (entry == nullptr) continue;
    char* digits = scratch.data() + i * kHexDigits;
    write_hex(entry->customer.hash, digits);
    customers[i] = {digits, kHexDigits};
  }
}

size_t Owners::size() const {
  const std::shared_lock lock(mutex_);
  return newest_.size();
}

}  // namespace kehu::lake
