#include "log/batch.h"

#include <cstddef>
#include <cstring>

#include "base/crc32c.h"
#include "log/batch_format.h"

namespace kehu::log {
namespace {

constexpr size_t kCoveredHeaderBytes = offsetof(BatchHeader, crc);

uint32_t frame_size(const char* frame) {
  uint32_t size;
  std::memcpy(&size, frame, sizeof(size));
  return size;
}

uint32_t checksum(std::string_view bytes) {
  return crc32c(bytes.substr(kBatchHeaderBytes), crc32c(bytes.substr(0, kCoveredHeaderBytes)));
}

bool frames_fill(std::string_view frames, uint32_t records) {
  for (; records > 0; --records) {
    if (frames.size() < kFrameHeaderBytes) return false;
    const uint64_t whole = kFrameHeaderBytes + uint64_t{frame_size(frames.data())};
    if (whole > frames.size()) return false;
    frames.remove_prefix(whole);
  }
  return frames.empty();
}

}  // namespace

RecordView Batch::Iterator::operator*() const {
  return {.sequence = sequence_,
          .kind = static_cast<RecordKind>(at_[4]),
          .payload = std::string_view(at_ + kFrameHeaderBytes, frame_size(at_))};
}

Batch::Iterator& Batch::Iterator::operator++() {
  at_ += kFrameHeaderBytes + frame_size(at_);
  sequence_ = sequence_.next();
  return *this;
}

std::optional<BatchHeader> BatchFormat::header_at(std::string_view bytes, Position at) {
  BatchHeader header;
  if (bytes.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != kBatchMagic || header.segment != at.segment.value() || header.offset != at.offset ||
      header.size < kBatchHeaderBytes || header.size > kBatchBytesMax) {
    return std::nullopt;
  }
  return header;
}

std::optional<WholeBatch> BatchFormat::open(const BatchHeader& header, std::string_view bytes) {
  if (bytes.size() != header.size || checksum(bytes) != header.crc) return std::nullopt;
  // The frames of another version are not ours to judge; the caller refuses it by name.
  const bool ours = header.version == kFormatVersion;
  if (ours && !frames_fill(bytes.substr(kBatchHeaderBytes), header.records)) return std::nullopt;
  return view(header, bytes);
}

WholeBatch BatchFormat::seal(BatchHeader header, std::string_view bytes, char* out) {
  header.magic = kBatchMagic;
  header.version = kFormatVersion;
  header.size = static_cast<uint32_t>(bytes.size());
  std::memcpy(out, &header, sizeof(header));
  header.crc = checksum(bytes);
  std::memcpy(out + kCoveredHeaderBytes, &header.crc, sizeof(header.crc));
  return view(header, bytes);
}

WholeBatch BatchFormat::view(const BatchHeader& header, std::string_view bytes) {
  WholeBatch whole;
  whole.log_id = header.log_id;
  whole.previous = header.previous;
  whole.crc = header.crc;
  whole.size = header.size;
  whole.batch.first_ = Sequence(header.first_sequence);
  whole.batch.tick_ = Instant(header.tick);
  whole.batch.count_ = header.records;
  whole.batch.position_ = {.segment = SegmentNumber(header.segment), .offset = header.offset};
  whole.batch.frames_ = bytes.substr(kBatchHeaderBytes);
  return whole;
}

}  // namespace kehu::log
