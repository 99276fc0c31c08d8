#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "codec/bytes.h"
#include "model/ids.h"

namespace kehu::identity {

// The encoding of this folder's blobs: numbers in unsigned LEB128, differences zigzagged first, texts with a
// LEB128 length, hashes as two little-endian words, the high one first. Differences wrap, so that any bytes
// can be read.
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
  void sequence(Sequence value, Sequence base) { difference(value.value() - base.value()); }
  void instant(Instant value, Instant base = Instant()) {
    difference(static_cast<uint64_t>(value.micros()) - static_cast<uint64_t>(base.micros()));
  }
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
  void difference(uint64_t wrapped) { number(wrapped << 1 ^ (wrapped >> 63 ? ~uint64_t{0} : 0)); }

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
  Sequence sequence(Sequence base) { return Sequence(base.value() + difference()); }
  Instant instant(Instant base = Instant()) {
    return Instant(static_cast<int64_t>(static_cast<uint64_t>(base.micros()) + difference()));
  }
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
  uint64_t difference() {
    const uint64_t raw = number();
    return raw >> 1 ^ (~(raw & 1) + 1);
  }

  codec::ByteReader bytes_;
  bool overlong_ = false;
};

}  // namespace kehu::identity
