#include "lake/owners.h"

#include <mutex>
#include <utility>

#include "base/check.h"
#include "lake/hex.h"

// The owners of a part are a chain: the newest stands in the map, earlier ones lie behind it in one vector
// with a list of its free places. An entry holds from its own position up to that of the entry after it.
// Somebody may ask for a position only if a snapshot holds it or if it was shown last, for then the next
// snapshot will hold it. An entry whose stretch has no such position is taken out, so the length of a chain
// is bounded by the snapshots that are alive and not by the number of moves.
//
// The view looks a part up here instead of joining `identity_log`: nothing is rewritten when customers
// merge, and AS OF asks the same map.
namespace kehu::lake {

std::shared_ptr<const Owners> Owners::hold(std::shared_ptr<Owners> owners, Sequence as_of) {
  struct Held {
    ~Held() { owners->release(as_of); }
    std::shared_ptr<Owners> owners;
    Sequence as_of;
  };
  {
    const std::unique_lock lock(owners->mutex_);
    KEHU_CHECK(as_of >= owners->shown_);
    owners->held_.insert(as_of);
  }
  const auto held = std::make_shared<Held>();
  held->owners = std::move(owners);
  held->as_of = as_of;
  return {held, held->owners.get()};
}

void Owners::release(Sequence as_of) {
  const std::unique_lock lock(mutex_);
  held_.erase(held_.find(as_of));
}

void Owners::show(Sequence sequence) {
  const std::unique_lock lock(mutex_);
  shown_ = sequence;
}

void Owners::set(Token part, CustomerId customer, Sequence sequence) {
  const std::unique_lock lock(mutex_);
  const auto [found, added] = newest_.try_emplace(part.hash, Entry{customer, sequence, kNone});
  Entry& newest = found->second;
  if (added || sequence < newest.sequence) return;
  if (sequence > newest.sequence) {
    const bool needed = is_needed(newest.sequence, sequence);
    thin_out(newest);
    if (needed) newest.earlier = keep(newest);
  }
  newest.customer = customer;
  newest.sequence = sequence;
}

// True when somebody may ask for a position of [from, to).
bool Owners::is_needed(Sequence from, Sequence to) const {
  if (from <= shown_ && shown_ < to) return true;
  const auto held = held_.lower_bound(from);
  return held != held_.end() && *held < to;
}

// Forgets what nobody holds any more, so that the past of a part is no longer than the list of who looks.
void Owners::thin_out(Entry& newest) {
  Entry* later = &newest;
  while (later->earlier != kNone) {
    const uint32_t at = later->earlier;
    Entry& entry = earlier_[at];
    if (is_needed(entry.sequence, later->sequence)) {
      later = &entry;
      continue;
    }
    later->earlier = entry.earlier;
    free_.push_back(at);
  }
}

uint32_t Owners::keep(const Entry& entry) {
  if (free_.empty()) {
    KEHU_CHECK(earlier_.size() < kNone);
    earlier_.push_back(entry);
    return static_cast<uint32_t>(earlier_.size() - 1);
  }
  const uint32_t at = free_.back();
  free_.pop_back();
  earlier_[at] = entry;
  return at;
}

const Owners::Entry* Owners::find_entry(const Hash128& part, Sequence as_of) const {
  const auto found = newest_.find(part);
  if (found == newest_.end()) return nullptr;
  const Entry* entry = &found->second;
  while (entry->sequence > as_of) {
    if (entry->earlier == kNone) return nullptr;
    entry = &earlier_[entry->earlier];
  }
  return entry;
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

size_t Owners::earlier() const {
  const std::shared_lock lock(mutex_);
  return earlier_.size() - free_.size();
}

}  // namespace kehu::lake
