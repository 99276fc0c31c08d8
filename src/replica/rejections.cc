#include "replica/rejections.h"

#include "codec/record.h"

// The list is kept in memory without the payloads, in the order of records, so a page is read backwards
// from any place. The blobs are looked at once, when it is loaded, and then one at a time for whoever wants
// a payload.
namespace kehu::replica {
namespace {

Hash128 key_of(Sequence sequence) { return Hash128{0, sequence.value()}; }

std::optional<RejectionEntry> entry_of(Sequence sequence, std::string_view blob) {
  if (blob.empty()) return std::nullopt;
  const auto rejection = codec::decode_rejection(blob.substr(1));
  if (!rejection.ok()) return std::nullopt;
  return RejectionEntry{.sequence = sequence,
                        .reason = rejection->reason,
                        .state = static_cast<RejectionState>(blob[0]),
                        .source = rejection->source,
                        .received_at = rejection->received_at};
}

bool matches(const RejectionEntry& entry, const RejectionFilter& filter) {
  return (!filter.reason || entry.reason == *filter.reason) &&
         (!filter.source || entry.source == *filter.source) &&
         (!filter.state || entry.state == *filter.state);
}

}  // namespace

std::string_view to_string(RejectionState state) {
  switch (state) {
    case RejectionState::kOpen:
      return "open";
    case RejectionState::kRepaired:
      return "repaired";
    case RejectionState::kDiscarded:
      return "discarded";
  }
  return "unknown";
}

// A blob is the state's byte and the record as the log has it.
Rejections::Rejections(BlobStore& store) : store_(store) {
  store_.for_each([this](const Hash128& key, std::string_view blob) {
    const auto entry = entry_of(Sequence(key.low), blob);
    if (!entry) return;
    entries_.emplace(entry->sequence, *entry);
    count(*entry, entry->state == RejectionState::kOpen ? 1 : 0, true);
  });
}

absl::Status Rejections::add(Sequence sequence, std::string_view record) {
  std::string blob(1, static_cast<char>(RejectionState::kOpen));
  blob.append(record);
  const auto entry = entry_of(sequence, blob);
  if (!entry) return absl::DataLossError("damaged rejection record");
  store_.put(key_of(sequence), blob);
  entries_.emplace(sequence, *entry);
  count(*entry, 1, true);
  return absl::OkStatus();
}

// Commands may race to close a rejection. The first one in the log counts, and the others change nothing.
void Rejections::close(const RejectionClosed& closed) {
  const auto it = entries_.find(closed.rejection);
  if (it == entries_.end() || it->second.state != RejectionState::kOpen) return;
  it->second.state =
      closed.outcome == RejectionOutcome::kRepaired ? RejectionState::kRepaired : RejectionState::kDiscarded;
  std::string blob(store_.get(key_of(closed.rejection)));
  blob[0] = static_cast<char>(it->second.state);
  store_.put(key_of(closed.rejection), blob);
  count(it->second, -1, false);
}

void Rejections::count(const RejectionEntry& entry, int64_t open_delta, bool is_new) {
  RejectionCount& counter = counts_[{entry.source, entry.reason}];
  counter.source = entry.source;
  counter.reason = entry.reason;
  counter.total += is_new ? 1 : 0;
  counter.open = static_cast<uint64_t>(static_cast<int64_t>(counter.open) + open_delta);
}

std::vector<RejectionEntry> Rejections::list(const RejectionFilter& filter) const {
  std::vector<RejectionEntry> page;
  auto it = filter.before ? entries_.lower_bound(*filter.before) : entries_.end();
  while (it != entries_.begin() && page.size() < filter.limit) {
    --it;
    if (matches(it->second, filter)) page.push_back(it->second);
  }
  return page;
}

std::vector<RejectionCount> Rejections::counts() const {
  std::vector<RejectionCount> out;
  for (const auto& [key, counter] : counts_) out.push_back(counter);
  return out;
}

std::optional<RejectionEntry> Rejections::find(Sequence sequence) const {
  const auto it = entries_.find(sequence);
  if (it == entries_.end()) return std::nullopt;
  return it->second;
}

std::string Rejections::record(Sequence sequence) const {
  const std::string_view blob = store_.get(key_of(sequence));
  return blob.empty() ? std::string() : std::string(blob.substr(1));
}

}  // namespace kehu::replica
