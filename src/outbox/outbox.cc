#include "outbox/outbox.h"

#include <algorithm>
#include <optional>

#include "base/check.h"
#include "codec/bytes.h"

// An intent is in the state from the step that caused it to the step that applies its receipt, so a
// checkpoint has it or not together with its cause. A channel may be asked twice: the machine may die
// between the delivery and the receipt. What is counted is the removal, which happens once, so delivery is
// at least once and counting exactly once (docs/decisions/outbox.md). Marking an intent before it is sent
// would be at most once, and a queue file beside the log a second truth that has to agree with the first
// after each crash.
namespace kehu::outbox {
namespace {

constexpr uint8_t kVersion = 1;
// No record has this number, so a sender that reads in the order of keys meets every intent before the
// counts.
constexpr uint64_t kCountsPlace = kFirstCounts.high;

Hash128 place_of_counts(std::string_view channel) { return Hash128{kCountsPlace, hash64(channel)}; }

absl::Status damaged() { return absl::DataLossError("damaged outbox"); }

}  // namespace

std::optional<Counts> parse_counts(const Hash128& place, std::string_view blob) {
  if (place.high != kCountsPlace) return std::nullopt;
  codec::ByteReader reader(blob);
  const bool known = reader.fixed<uint8_t>() == kVersion;
  Counts counts;
  counts.channel = reader.text();
  counts.intents = reader.fixed<uint64_t>();
  counts.delivered = reader.fixed<uint64_t>();
  counts.refused = reader.fixed<uint64_t>();
  if (!known || reader.failed() || !reader.at_end()) return std::nullopt;
  return counts;
}

Hash128 place_of(const IntentKey& key) { return Hash128{key.sequence.value(), key.ordinal}; }

std::string blob_of(const Intent& intent) {
  std::string blob;
  codec::ByteWriter writer(blob);
  writer.fixed(kVersion);
  writer.text(intent.channel);
  writer.fixed(intent.customer.hash.high);
  writer.fixed(intent.customer.hash.low);
  writer.text(intent.body);
  return blob;
}

absl::StatusOr<std::optional<Intent>> parse_blob(const Hash128& place, std::string_view blob) {
  if (place.high == kCountsPlace) return std::optional<Intent>();
  codec::ByteReader reader(blob);
  const bool known = reader.fixed<uint8_t>() == kVersion;
  Intent intent;
  intent.key = {Sequence(place.high), static_cast<uint32_t>(place.low)};
  intent.channel = reader.text();
  intent.customer.hash.high = reader.fixed<uint64_t>();
  intent.customer.hash.low = reader.fixed<uint64_t>();
  intent.body = reader.text();
  if (!known || reader.failed() || !reader.at_end()) return damaged();
  return std::optional<Intent>(std::move(intent));
}

void Outbox::add(const Intent& intent) {
  KEHU_CHECK(!intent.channel.empty() && intent.channel.size() <= Intent::kChannelBytes &&
             intent.body.size() <= Intent::kBodyBytes);
  store_.put(place_of(intent.key), blob_of(intent));
  Counts counts = counts_of(intent.channel);
  ++counts.intents;
  put(counts);
}

absl::StatusOr<bool> Outbox::settle(const Receipt& receipt) {
  const Hash128 place = place_of(receipt.intent);
  const std::string_view blob = store_.get(place);
  if (blob.empty()) return false;
  const auto intent = parse_blob(place, blob);
  if (!intent.ok()) return intent.status();
  if (!*intent) return damaged();
  store_.erase(place);
  Counts counts = counts_of((*intent)->channel);
  ++(receipt.outcome == IntentOutcome::kDelivered ? counts.delivered : counts.refused);
  put(counts);
  return true;
}

std::vector<Counts> Outbox::counts() {
  std::vector<Counts> all;
  store_.for_each([&](const Hash128& place, std::string_view blob) {
    if (auto counts = parse_counts(place, blob)) all.push_back(*std::move(counts));
  });
  std::ranges::sort(all, {}, &Counts::channel);
  return all;
}

Counts Outbox::counts_of(std::string_view channel) {
  const Hash128 place = place_of_counts(channel);
  auto counts = parse_counts(place, store_.get(place));
  if (counts) return *std::move(counts);
  Counts none;
  none.channel = channel;
  return none;
}

void Outbox::put(const Counts& counts) {
  std::string blob;
  codec::ByteWriter writer(blob);
  writer.fixed(kVersion);
  writer.text(counts.channel);
  writer.fixed(counts.intents);
  writer.fixed(counts.delivered);
  writer.fixed(counts.refused);
  store_.put(place_of_counts(counts.channel), blob);
}

}  // namespace kehu::outbox
