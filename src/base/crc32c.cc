#include "base/crc32c.h"

#include <nmmintrin.h>

#include <cstring>

namespace kehu {
namespace {

// One CRC instruction has a latency of 3 cycles and a throughput of 1, so three independent streams run at
// full speed; their results are joined by shifting over the length of a stream, a linear map kept in tables.
constexpr size_t kStream = 1024;

struct ShiftTable {
  uint32_t rows[4][256];
};

// Says what a CRC becomes when zeros follow. CRCs are linear over the bits of their input, so the CRC of
// two pieces is that of the first one, shifted over the length of the second, xor that of the second begun
// with zero. Shifting is linear in the 32 bits of the CRC, too: what it makes of each bit is worked out
// once, and four tables, one for each byte of the CRC, give the rest.
uint32_t shift_by_zero_bytes(uint32_t crc, size_t count) {
  for (size_t i = 0; i < count; ++i) crc = _mm_crc32_u8(crc, 0);
  return crc;
}

ShiftTable make_shift_table(size_t bytes) {
  uint32_t basis[32];
  for (int bit = 0; bit < 32; ++bit) basis[bit] = shift_by_zero_bytes(uint32_t{1} << bit, bytes);
  ShiftTable table{};
  for (int row = 0; row < 4; ++row) {
    for (uint32_t value = 0; value < 256; ++value) {
      for (int bit = 0; bit < 8; ++bit) {
        if (value >> bit & 1) table.rows[row][value] ^= basis[row * 8 + bit];
      }
    }
  }
  return table;
}

uint32_t shift(const ShiftTable& table, uint32_t crc) {
  return table.rows[0][crc & 255] ^ table.rows[1][crc >> 8 & 255] ^ table.rows[2][crc >> 16 & 255] ^
         table.rows[3][crc >> 24];
}

uint64_t load64(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

}  // namespace

uint32_t crc32c(std::string_view bytes, uint32_t previous) {
  static const ShiftTable table = make_shift_table(kStream);
  const char* at = bytes.data();
  size_t left = bytes.size();
  uint32_t crc = ~previous;
  for (; left >= 3 * kStream; at += 3 * kStream, left -= 3 * kStream) {
    uint64_t a = crc, b = 0, c = 0;
    for (size_t i = 0; i < kStream; i += 8) {
      a = _mm_crc32_u64(a, load64(at + i));
      b = _mm_crc32_u64(b, load64(at + kStream + i));
      c = _mm_crc32_u64(c, load64(at + 2 * kStream + i));
    }
    crc = shift(table, static_cast<uint32_t>(a)) ^ static_cast<uint32_t>(b);
    crc = shift(table, crc) ^ static_cast<uint32_t>(c);
  }
  for (; left >= 8; at += 8, left -= 8) crc = static_cast<uint32_t>(_mm_crc32_u64(crc, load64(at)));
  for (; left > 0; ++at, --left) crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*at));
  return ~crc;
}

}  // namespace kehu
