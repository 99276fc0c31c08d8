#include "duplicates/duplicates.h"

#include <future>
#include <utility>
#include <vector>

#include "duplicates/key_table.h"
#include "log/segment.h"
#include "log/segment_reader.h"
#include "log/sidecar.h"

// A repeat is known for as long as the log keeps the message, and exactly so: what is known is in memory,
// and the log is its only truth. A start reads the keys from sidecars, and from the segments themselves
// where a sidecar is missing or damaged. The segment that was written to last never has one, so it is
// always read.
//
// A message counts as known before it is durable. That is sound because a group which fails takes the
// filter with it: the log is opened again, and the filter is loaded from what the disk has.
namespace kehu::duplicates {
namespace {

MessageKey key_of(const MessageIdentity& message) {
  return {.low = message.key.low,
          .high = static_cast<uint32_t>(message.key.high >> 32),
          .body = static_cast<uint32_t>(message.body_hash)};
}

}  // namespace

struct DuplicateFilter::State {
  State(os::FileSystem& file_system, std::string log_directory)
      : files(file_system), directory(std::move(log_directory)) {}

  os::FileSystem& files;
  std::string directory;
  KeyTable table;
  // The keys of the segment that is being written, for its sidecar.
  SegmentNumber open_segment;
  std::vector<MessageKey> open_keys;
  std::future<absl::Status> sidecar;
  absl::Status sidecar_status;

  KeyTable::Found add(const MessageKey& key, SegmentNumber segment) {
    if (segment > open_segment) seal(segment);
    const KeyTable::Found found = table.find_or_add(key, segment);
    if (found == KeyTable::Found::kNo) open_keys.push_back(key);
    return found;
  }

  // Writes the sidecar of the segment that was open until now, away from the thread of the log.
  void seal(SegmentNumber next) {
    finish();
    if (!open_keys.empty()) {
      const size_t usual = open_keys.size() + open_keys.size() / 8;
      sidecar =
          std::async(std::launch::async, [this, number = open_segment, keys = std::exchange(open_keys, {})] {
            return write_sidecar(files, directory, number, keys);
          });
      open_keys.reserve(usual);
    }
    open_segment = next;
  }

  void finish() {
    if (!sidecar.valid()) return;
    if (absl::Status status = sidecar.get(); !status.ok()) sidecar_status = status;
  }

  absl::Status load_segment(SegmentNumber number, IdentityOf identity_of) {
    const auto keys = read_sidecar(files, directory, number);
    if (keys.ok()) {
      for (const MessageKey& key : *keys) table.find_or_add(key, number);
      return absl::OkStatus();
    }
    if (!absl::IsNotFound(keys.status()) && !absl::IsDataLoss(keys.status())) return keys.status();
    return scan_segment(number, identity_of);
  }

  // Damage is for the reader to report. Here every whole batch counts, wherever it lies, because its
  // messages were acknowledged.
  absl::Status scan_segment(SegmentNumber number, IdentityOf identity_of) {
    auto reader = SegmentReader::open(files, directory, number);
    if (!reader.ok()) return reader.status();
    uint64_t offset = 0;
    while (true) {
      const auto whole = reader->find_batch(offset, std::nullopt);
      if (!whole.ok()) return whole.status();
      if (!*whole) return absl::OkStatus();
      for (const RecordView record : (*whole)->batch) {
        if (const auto message = identity_of(record.kind, record.payload)) add(key_of(*message), number);
      }
      offset = (*whole)->end_offset();
    }
  }
};

absl::StatusOr<DuplicateFilter> DuplicateFilter::load(os::FileSystem& files, std::string directory,
                                                      IdentityOf identity_of) {
  auto state = std::make_unique<State>(files, std::move(directory));
  const auto segments = list_segments(files, state->directory);
  if (!segments.ok()) return segments.status();
  for (const SegmentNumber number : *segments) {
    if (absl::Status status = state->load_segment(number, identity_of); !status.ok()) return status;
  }
  return DuplicateFilter(std::move(state));
}

DuplicateFilter::DuplicateFilter(std::unique_ptr<State> state) : state_(std::move(state)) {}
DuplicateFilter::~DuplicateFilter() = default;
DuplicateFilter::DuplicateFilter(DuplicateFilter&&) noexcept = default;
DuplicateFilter& DuplicateFilter::operator=(DuplicateFilter&&) noexcept = default;

void DuplicateFilter::prefetch(absl::Span<const Hash128> keys) const {
  for (const Hash128& key : keys) state_->table.prefetch(key.low, static_cast<uint32_t>(key.high >> 32));
}

Verdict DuplicateFilter::check_and_add(const MessageIdentity& message, SegmentNumber segment) {
  switch (state_->add(key_of(message), segment)) {
    case KeyTable::Found::kNo:
      return Verdict::kNew;
    case KeyTable::Found::kSame:
      return Verdict::kRepeat;
    case KeyTable::Found::kOtherBody:
      return Verdict::kConflict;
  }
  return Verdict::kNew;
}

bool DuplicateFilter::knows(const MessageIdentity& message) const {
  return state_->table.find(key_of(message)) == KeyTable::Found::kSame;
}

void DuplicateFilter::expire_before(SegmentNumber first) { state_->table.expire_before(first); }

uint64_t DuplicateFilter::size() const { return state_->table.size(); }

uint64_t DuplicateFilter::memory_bytes() const {
  return state_->table.memory_bytes() + state_->open_keys.capacity() * sizeof(MessageKey);
}

absl::Status DuplicateFilter::finish_sidecars() {
  state_->finish();
  return state_->sidecar_status;
}

}  // namespace kehu::duplicates
