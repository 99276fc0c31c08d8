#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "codec/bytes.h"

namespace kehu::identity {

// The small-number encoding of this folder's blobs: unsigned LEB128, signed numbers zigzagged first, texts
// with a LEB128 length, hashes as 16 bytes, high half first.
class BlobWriter {
 public:
  explicit BlobWriter(std::string& out) : out_(out) {}

  void byte(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(uint64_t value) {
    while (value >= 0x80) {
      byte(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    byte(static_cast<uint8_t>(value));
  }
  void offset(int64_t value) {
    number(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void instant(Instant value) { offset(value.micros()); }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void hash(const Hash128& value) {
    codec::ByteWriter fixed(out_);
    fixed.fixed(value.high);
    fixed.fixed(value.low);
  }

 private:
  std::string& out_;
};

// Reads what BlobWriter wrote. Never reads past the end: a short read gives zeros and sets failed().
class BlobReader {
 public:
  explicit BlobReader(std::string_view bytes) : bytes_(bytes) {}

  uint8_t byte() { return bytes_.fixed<uint8_t>(); }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t next = byte();
      value |= uint64_t{next & 0x7fu} << shift;
      // The last byte of the shortest form is not zero; one value has one encoding.
      if (next < 0x80) {
        if (next == 0 && shift > 0) overlong_ = true;
        return value;
      }
    }
    overlong_ = true;
    return value;
  }
  int64_t offset() {
    const uint64_t raw = number();
    return static_cast<int64_t>(raw >> 1 ^ (~(raw & 1) + 1));
  }
  Instant instant() { return Instant(offset()); }
  std::string_view text() { return bytes_.take(number()); }
  Hash128 hash() {
    Hash128 value;
    value.high = bytes_.fixed<uint64_t>();
    value.low = bytes_.fixed<uint64_t>();
    return value;
  }

  bool failed() const { return overlong_ || bytes_.failed(); }
  bool complete() const { return !failed() && bytes_.at_end(); }

 private:
  codec::ByteReader bytes_;
  bool overlong_ = false;
};

}  // namespace kehu::identity
