#pragma once

#include <bit>
#include <optional>
#include <string_view>

#include "base/byte_buffer.h"
#include "log/batch.h"

namespace kehu::log {

static_assert(std::endian::native == std::endian::little,
              "the format is little-endian and written by memcpy");

// The first bytes of every batch, as docs/formats/log.md lists them. No padding.
struct BatchHeader {
  uint32_t magic;
  uint16_t version;
  uint16_t packing;
  uint64_t log_id;
  uint64_t first_sequence;
  int64_t tick;
  uint32_t segment;
  uint32_t offset;  // of this header in the segment
  uint32_t size;    // of header and frames as stored, without the padding to kBatchAlignment
  uint32_t records;
  uint32_t previous;     // crc of the batch before, 0 for the first one of a log
  uint32_t frames_size;  // as they were before packing; 0 for kPlain
  uint32_t reserved;
  uint32_t crc;  // CRC-32C of the 60 bytes above, continued over the stored frames
};
static_assert(sizeof(BatchHeader) == kBatchHeaderBytes);

enum Packing : uint16_t { kPlain = 0, kLz4 = 1 };

inline constexpr uint32_t kBatchMagic = 0x4255484b;  // "KHUB"

constexpr uint64_t aligned(uint64_t bytes) {
  return (bytes + kBatchAlignment - 1) / kBatchAlignment * kBatchAlignment;
}

// A batch whose own bytes are right; whether it belongs where it lies in the chain is for the caller to say.
struct WholeBatch {
  Batch batch;
  uint64_t log_id = 0;
  uint32_t previous = 0;
  uint32_t crc = 0;
  uint32_t size = 0;

  uint64_t end_offset() const { return aligned(batch.position().offset + size); }
};

struct BatchFormat {
  // The header at the start of `bytes` if it claims to be of a batch that was written at `at`.
  static std::optional<BatchHeader> header_at(std::string_view bytes, Position at);
  // `bytes` are header.size long. nullopt when the checksum or a frame is wrong. The batch views `bytes`, or
  // `unpacked` when its frames were packed.
  static std::optional<WholeBatch> open(const BatchHeader& header, std::string_view bytes,
                                        ByteBuffer& unpacked);
  // `stored` is room for the header, then frames as header.packing says. Writes the header, and zeros up to
  // the next multiple of kBatchAlignment. The batch views `frames`, the plain ones.
  static WholeBatch seal(BatchHeader header, ByteBuffer& stored, std::string_view frames);
  // Room for the header, then the frames as one LZ4 block. False when that saves less than an eighth.
  static bool pack(std::string_view frames, ByteBuffer& stored);

 private:
  static WholeBatch view(const BatchHeader& header, std::string_view frames);
};

}  // namespace kehu::log
