#include "profile/traits.h"

#include <algorithm>

#include "base/limits.h"

namespace kehu::profile {
namespace {

// The later stamp wins, and of equal stamps the larger value. The choice of the larger means nothing, but
// it is a total order, so two events of one moment leave the same value in whichever order they come.
bool replaces(const Trait& next, const Trait& old) {
  if (next.stamp != old.stamp) return next.stamp > old.stamp;
  return next.value > old.value;
}

// Finds the place where the name is, or would be.
template <class Values>
auto place_of(Values& values, NameId name) {
  return std::lower_bound(values.begin(), values.end(), name,
                          [](const Trait& known, NameId wanted) { return known.name < wanted; });
}

constexpr uint64_t kMinStampBytes = 2;
constexpr uint64_t kMinTraitBytes = aggregate::kKeyBytes + 2;

}  // namespace

bool Traits::set(const Trait& trait) {
  const auto at = place_of(values_, trait.name);
  if (at == values_.end() || at->name != trait.name) {
    values_.insert(at, trait);
    return true;
  }
  if (replaces(trait, *at)) *at = trait;
  return false;
}

// The names with the smallest hashes stay. That traits were left out is marked and not counted: an exact
// count of names left out would need the names (docs/decisions/profile.md).
void Traits::trim() {
  if (values_.size() > limits::kTraitsPerCustomer) trim_to(limits::kTraitsPerCustomer);
}

void Traits::trim_to(size_t count) {
  if (values_.size() > count) values_.resize(count);
  left_out_ = true;
}

// A deleted trait keeps its name and stamp, since an older value that comes late must find that it was
// deleted.
void Traits::empty_until(Stamp stamp) {
  for (Trait& trait : values_) {
    if (trait.stamp <= stamp) trait.value = {};
  }
}

const Trait* Traits::find(NameId name) const {
  const auto at = place_of(values_, name);
  return at == values_.end() || at->name != name ? nullptr : &*at;
}

void Traits::merge(const Traits& other) {
  for (const Trait& trait : other.values_) set(trait);
  too_long_ += other.too_long_;
  left_out_ = left_out_ || other.left_out_;
  trim();
}

void Traits::write(aggregate::WireBuffer& out) const {
  if (values_.empty() && too_long_ == 0 && !left_out_) return;
  // One call writes many traits: their stamps are written once and traits name them by number.
  stamps_.clear();
  for (const Trait& trait : values_) {
    const auto at = std::lower_bound(stamps_.begin(), stamps_.end(), trait.stamp);
    if (at == stamps_.end() || *at != trait.stamp) stamps_.insert(at, trait.stamp);
  }
  out.varint(too_long_ << 1 | (left_out_ ? 1 : 0));
  out.varint(stamps_.size());
  for (const Stamp& stamp : stamps_) {
    out.instant(stamp.time);
    out.varint(stamp.source.value());
  }
  out.varint(values_.size());
  for (const Trait& trait : values_) {
    out.key(trait.name.value());
    out.varint(static_cast<uint64_t>(std::lower_bound(stamps_.begin(), stamps_.end(), trait.stamp) -
                                     stamps_.begin()));
    out.text(trait.value);
  }
}

bool Traits::read(std::string_view section) {
  values_.clear();
  stamps_.clear();
  too_long_ = 0;
  left_out_ = false;
  if (section.empty()) return true;
  aggregate::WireReader in(section);
  const uint64_t flags = in.varint();
  too_long_ = flags >> 1;
  left_out_ = (flags & 1) != 0;
  const uint64_t stamps = in.varint();
  if (stamps > in.rest().size() / kMinStampBytes) return false;
  for (uint64_t i = 0; i < stamps; ++i) {
    const Instant time = in.instant();
    const uint64_t source = in.varint();
    if (source > UINT32_MAX) return false;
    stamps_.push_back({time, SourceId(static_cast<uint32_t>(source))});
  }
  const uint64_t traits = in.varint();
  if (traits > in.rest().size() / kMinTraitBytes) return false;
  for (uint64_t i = 0; i < traits; ++i) {
    const NameId name(in.key());
    const uint64_t stamp = in.varint();
    const std::string_view value = in.text();
    if (in.failed() || stamp >= stamps_.size()) return false;
    if (!values_.empty() && values_.back().name >= name) return false;
    values_.push_back({name, value, stamps_[stamp]});
  }
  return in.complete();
}

}  // namespace kehu::profile
