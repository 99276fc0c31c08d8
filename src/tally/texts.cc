#include "tally/texts.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "base/text.h"
#include "rule/value.h"
#include "tally/buckets.h"

// varint n << 1 | beyond; with windows zigzag newest; n times: key hash, text, varint count; with windows
// varint how many buckets, each: varint granules before the newest (behind the first: before the one behind),
// varint count.
namespace kehu::tally {
namespace {

bool before(const Texts::Entry& entry, uint64_t hash, std::string_view text) {
  return entry.hash != hash ? entry.hash < hash : entry.text < text;
}

}  // namespace

void Texts::clear() {
  entries_.clear();
  beyond_ = false;
  newest_ = INT64_MIN;
}

Texts::Entry& Texts::entry_of(uint64_t hash, std::string_view text) {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), 0,
                             [&](const Entry& entry, int) { return before(entry, hash, text); });
  if (at == entries_.end() || at->hash != hash || at->text != text) {
    at = entries_.insert(at, Entry{.hash = hash, .text = std::string(text)});
  }
  return *at;
}

void Texts::add(const Spec& spec, std::string_view text, int64_t number) {
  const uint64_t hash = hash64(text) & aggregate::kKeyMask;
  Entry& entry = entry_of(hash, cut_utf8(text, rule::kValueBytes));
  ++entry.count;
  if (spec.granule != rule::Granule::kNone) {
    newest_ = std::max(newest_, number);
    ++bucket_of(entry.buckets, number).count;
  }
  settle(spec);
}

void Texts::settle(const Spec& spec) {
  if (entries_.size() > kTexts) {
    entries_.resize(kTexts);
    beyond_ = true;
  }
  if (spec.granule == rule::Granule::kNone) return;
  for (Entry& entry : entries_) drop_old(entry.buckets, newest_, spec.length);
}

void Texts::merge(const Spec& spec, const Texts& other) {
  for (const Entry& theirs : other.entries_) {
    Entry& ours = entry_of(theirs.hash, theirs.text);
    ours.count += theirs.count;
    for (const Bucket& bucket : theirs.buckets) bucket_of(ours.buckets, bucket.number).count += bucket.count;
  }
  beyond_ |= other.beyond_;
  newest_ = std::max(newest_, other.newest_);
  settle(spec);
}

bool Texts::read(const Spec& spec, std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  aggregate::WireReader in(payload);
  const uint64_t head = in.varint();
  beyond_ = head & 1;
  const bool windows = spec.granule != rule::Granule::kNone;
  if (windows) newest_ = read_number(spec.granule, in);
  if (head >> 1 == 0 || head >> 1 > kTexts) return false;
  for (uint64_t i = 0; i < head >> 1 && !in.failed(); ++i) {
    Entry& entry = entries_.emplace_back();
    entry.hash = in.key();
    entry.text = in.text();
    entry.count = read_count(in);
    const uint64_t buckets = windows ? in.varint() : 0;
    int64_t number = newest_;
    for (uint64_t j = 0; j < buckets && !in.failed(); ++j) {
      number = read_number_before(number, spec.granule, in);
      entry.buckets.push_back({number, read_count(in)});
    }
  }
  return in.complete();
}

void Texts::write(const Spec& spec, aggregate::WireBuffer& out) const {
  if (entries_.empty()) return;
  out.varint(entries_.size() << 1 | (beyond_ ? 1 : 0));
  const bool windows = spec.granule != rule::Granule::kNone;
  if (windows) out.zigzag(newest_);
  for (const Entry& entry : entries_) {
    out.key(entry.hash);
    out.text(entry.text);
    out.varint(entry.count);
    if (!windows) continue;
    out.varint(entry.buckets.size());
    int64_t number = newest_;
    for (const Bucket& bucket : entry.buckets) {
      out.varint(static_cast<uint64_t>(number - bucket.number));
      out.varint(bucket.count);
      number = bucket.number;
    }
  }
}

}  // namespace kehu::tally
