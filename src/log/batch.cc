#include "log/batch.h"

#include <lz4.h>

#include <cstddef>
#include <cstring>

#include "base/crc32c.h"
#include "log/batch_format.h"

// A batch has one checksum, and its records have none, because it is acknowledged as one: it is whole or it
// never was. The CRC covers the header and goes on over the frames as they are stored, so a damaged batch
// is refused before LZ4 sees a byte of it. A recycled segment is full of older batches whose checksums are
// right, too. What makes them invalid is the chain: each batch says where it was written, in which log, and
// which CRC the batch before it had (docs/formats/log.md).
namespace kehu::log {
namespace {

// LZ4 with acceleration 8 takes half the time of 1 and has nine tenths of its effect on events.
constexpr int kAcceleration = 8;
constexpr size_t kCoveredHeaderBytes = offsetof(BatchHeader, crc);

uint32_t frame_size(const char* frame) {
  uint32_t size;
  std::memcpy(&size, frame, sizeof(size));
  return size;
}

uint32_t checksum(std::string_view bytes) {
  return crc32c(bytes.substr(kBatchHeaderBytes), crc32c(bytes.substr(0, kCoveredHeaderBytes)));
}

// The iterator of a batch believes the sizes that it meets, so they are all checked once, here. The
// checksum alone would not do: it says that the bytes are those that were written, not that a writer got
// them right.
bool frames_fill(std::string_view frames, uint32_t records) {
  for (; records > 0; --records) {
    if (frames.size() < kFrameHeaderBytes) return false;
    const uint64_t whole = kFrameHeaderBytes + uint64_t{frame_size(frames.data())};
    if (whole > frames.size()) return false;
    frames.remove_prefix(whole);
  }
  return frames.empty();
}

bool unpack(std::string_view packed, uint32_t size, ByteBuffer& frames) {
  if (size > kBatchBytesMax) return false;
  const int unpacked = LZ4_decompress_safe(packed.data(), frames.reserve(size),
                                           static_cast<int>(packed.size()), static_cast<int>(size));
  frames.set_size(size);
  return unpacked == static_cast<int>(size);
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

std::optional<WholeBatch> BatchFormat::open(const BatchHeader& header, std::string_view bytes,
                                            ByteBuffer& unpacked) {
  if (bytes.size() != header.size || checksum(bytes) != header.crc) return std::nullopt;
  std::string_view frames = bytes.substr(kBatchHeaderBytes);
  // The frames of another version are not ours to judge; the caller refuses it by name.
  if (header.version != kFormatVersion) return view(header, frames);
  if (header.packing == kLz4) {
    if (!unpack(frames, header.frames_size, unpacked)) return std::nullopt;
    frames = unpacked.view();
  } else if (header.packing != kPlain) {
    return std::nullopt;
  }
  if (!frames_fill(frames, header.records)) return std::nullopt;
  return view(header, frames);
}

WholeBatch BatchFormat::seal(BatchHeader header, ByteBuffer& stored, std::string_view frames) {
  header.magic = kBatchMagic;
  header.version = kFormatVersion;
  header.size = static_cast<uint32_t>(stored.size());
  stored.set_size(aligned(header.size));
  char* const start = stored.data();
  std::memcpy(start, &header, sizeof(header));
  header.crc = checksum({start, header.size});
  std::memcpy(start + kCoveredHeaderBytes, &header.crc, sizeof(header.crc));
  std::memset(start + header.size, 0, stored.size() - header.size);
  return view(header, frames);
}

// LZ4 is given an eighth less room than the frames take and fails when that is not enough. So packing must
// save an eighth, or the batch is stored as it is and no reader has to unpack it.
bool BatchFormat::pack(std::string_view frames, ByteBuffer& stored) {
  const size_t bound = frames.size() - frames.size() / 8;
  stored.set_size(kBatchHeaderBytes + bound);
  const int packed =
      LZ4_compress_fast(frames.data(), stored.data() + kBatchHeaderBytes, static_cast<int>(frames.size()),
                        static_cast<int>(bound), kAcceleration);
  stored.set_size(kBatchHeaderBytes + static_cast<size_t>(packed));
  return packed > 0;
}

WholeBatch BatchFormat::view(const BatchHeader& header, std::string_view frames) {
  WholeBatch whole;
  whole.log_id = header.log_id;
  whole.previous = header.previous;
  whole.crc = header.crc;
  whole.size = header.size;
  whole.batch.first_ = Sequence(header.first_sequence);
  whole.batch.tick_ = Instant(header.tick);
  whole.batch.count_ = header.records;
  whole.batch.position_ = {.segment = SegmentNumber(header.segment), .offset = header.offset};
  whole.batch.frames_ = frames;
  return whole;
}

}  // namespace kehu::log
