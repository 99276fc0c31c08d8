#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/money.h"
#include "base/time.h"

// The numbers of docs/formats/profile.md: as short as their values allow, because a part is read and written
// at every event and kept for every customer.
namespace kehu::aggregate {

static_assert(std::endian::native == std::endian::little, "keys are written by memcpy");

inline constexpr size_t kKeyBytes = 6;
inline constexpr uint64_t kKeyMask = 0xffff'ffff'ffffULL;
inline constexpr Instant kWireEpoch = Instant::from_seconds(1'577'836'800);  // 2020-01-01

constexpr uint64_t to_zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
constexpr int64_t from_zigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
}

// Sums of damaged parts may overflow; they wrap instead of being undefined.
__extension__ using WideBits = unsigned __int128;
constexpr Sum wrapping_add(Sum a, Sum b) {
  return static_cast<Sum>(static_cast<WideBits>(a) + static_cast<WideBits>(b));
}

// A growing run of bytes that keeps its memory when cleared.
class WireBuffer {
 public:
  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  // Valid until the next write.
  std::string_view view() const { return {bytes_.get(), size_}; }

  void byte(uint8_t value) {
    reserve(1);
    push(value);
  }
  void varint(uint64_t value) {
    reserve(10);
    for (; value >= 0x80; value >>= 7) push(static_cast<uint8_t>(value | 0x80));
    push(static_cast<uint8_t>(value));
  }
  void zigzag(int64_t value) { varint(to_zigzag(value)); }
  void wide(Sum value) {
    WideBits bits = (static_cast<WideBits>(value) << 1) ^ static_cast<WideBits>(value >> 127);
    reserve(19);
    for (; bits >= 0x80; bits >>= 7) push(static_cast<uint8_t>(bits | 0x80));
    push(static_cast<uint8_t>(bits));
  }
  void key(uint64_t value) {
    reserve(kKeyBytes);
    std::memcpy(bytes_.get() + size_, &value, kKeyBytes);
    size_ += kKeyBytes;
  }
  void raw(std::string_view bytes) {
    reserve(bytes.size());
    if (!bytes.empty()) std::memcpy(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void text(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  void instant(Instant t) { scaled((t - kWireEpoch).micros(), true); }
  // Not negative.
  void duration(Duration d) { scaled(d.micros(), false); }

 private:
  void push(uint8_t value) { bytes_[size_++] = static_cast<char>(value); }
  void reserve(size_t more) {
    if (capacity_ - size_ < more) [[unlikely]]
      grow(more);
  }
  void grow(size_t more) {
    const size_t capacity = std::bit_ceil(size_ + more + 256);
    std::unique_ptr<char[]> bytes(new char[capacity]);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }
  // Most clocks tell milliseconds and most files seconds: the two low bits name the unit.
  void scaled(int64_t micros, bool is_signed) {
    uint64_t unit = 0;
    int64_t value = micros;
    if (micros != 0 && micros % 1000 == 0) {
      value = micros / 1000;
      unit = 1;
      if (value % 1000 == 0) {
        value /= 1000;
        unit = 2;
      }
    }
    varint((is_signed ? to_zigzag(value) : static_cast<uint64_t>(value)) << 2 | unit);
  }

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

// Reads what a WireBuffer wrote. Never reads past the end: damage gives zeros and sets failed().
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == end_; }
  // Everything was read and was sound.
  bool complete() const { return !failed_ && at_end(); }
  std::string_view rest() const { return {at_, static_cast<size_t>(end_ - at_)}; }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  uint8_t byte() {
    if (at_ == end_) return fail_zero();
    return static_cast<uint8_t>(*at_++);
  }
  uint64_t varint() {
    if (at_ != end_ && static_cast<uint8_t>(*at_) < 0x80) return static_cast<uint8_t>(*at_++);
    return long_varint();
  }
  int64_t zigzag() { return from_zigzag(varint()); }
  Sum wide() {
    WideBits bits = 0;
    for (int shift = 0; shift < 128; shift += 7) {
      if (at_ == end_) return fail_zero();
      const uint8_t next = static_cast<uint8_t>(*at_++);
      bits |= static_cast<WideBits>(next & 0x7f) << shift;
      if (next < 0x80) return static_cast<Sum>(bits >> 1) ^ -static_cast<Sum>(bits & 1);
    }
    return fail_zero();
  }
  uint64_t key() {
    uint64_t value = 0;
    if (end_ - at_ >= static_cast<ptrdiff_t>(sizeof(value))) [[likely]] {
      std::memcpy(&value, at_, sizeof(value));
      value &= kKeyMask;
    } else if (end_ - at_ >= static_cast<ptrdiff_t>(kKeyBytes)) {
      std::memcpy(&value, at_, kKeyBytes);
    } else {
      return fail_zero();
    }
    at_ += kKeyBytes;
    return value;
  }
  std::string_view take(uint64_t size) {
    if (size > static_cast<uint64_t>(end_ - at_)) {
      fail();
      return {};
    }
    const std::string_view taken(at_, static_cast<size_t>(size));
    at_ += size;
    return taken;
  }
  std::string_view text() { return take(varint()); }
  // Within kFirstInstant..kLastInstant, so that arithmetic on instants cannot overflow.
  Instant instant() {
    const uint64_t coded = varint();
    return checked(kWireEpoch + unscaled(from_zigzag(coded >> 2), coded & 3));
  }
  // The instant that lies a written duration behind `earlier`.
  Instant instant_behind(Instant earlier) {
    const uint64_t coded = varint();
    return checked(earlier + unscaled(static_cast<int64_t>(coded >> 2), coded & 3));
  }
  // The instant that lies a written duration before `later`.
  Instant instant_before(Instant later) {
    const uint64_t coded = varint();
    return checked(later - unscaled(static_cast<int64_t>(coded >> 2), coded & 3));
  }

 private:
  uint8_t fail_zero() {
    fail();
    return 0;
  }
  uint64_t long_varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail_zero();
      const uint8_t next = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return value;
    }
    return fail_zero();
  }
  Duration unscaled(int64_t value, uint64_t unit) {
    static constexpr int64_t kMicros[] = {1, 1000, 1'000'000};
    constexpr int64_t kLimit = 20'000'000'000'000'000;  // microseconds; about 600 years
    if (unit > 2 || value > kLimit / kMicros[unit] || value < -kLimit / kMicros[unit]) {
      fail();
      return Duration();
    }
    return Duration(value * kMicros[unit]);
  }
  Instant checked(Instant t) {
    if (t >= kFirstInstant && t <= kLastInstant) return t;
    fail();
    return Instant();
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace kehu::aggregate
