#include "coding/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"

namespace kehu::coding {
namespace {

constexpr size_t kPieceBytes = 64 * 1024;
constexpr char kGzipFirstByte = '\x1f';
constexpr int kGzipOrZlib = 32;  // added to windowBits: zlib recognises the header

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  char piece[kPieceBytes];
};

bool is_gzip(std::string_view body) { return body.starts_with("\x1f\x8b"); }

// zlib's header: method 8, and both bytes together a multiple of 31.
Packing packing_of(std::string_view body) {
  if (is_gzip(body) || body.size() < 2) return Packing::kGzipOrZlib;
  const auto first = static_cast<unsigned char>(body[0]), second = static_cast<unsigned char>(body[1]);
  const bool zlib = (first & 15) == 8 && (first * 256 + second) % 31 == 0;
  return zlib ? Packing::kGzipOrZlib : Packing::kRawDeflate;
}

Inflater::Inflater(const InflateLimits& limits, Packing packing)
    : limits_(limits), stream_(std::make_unique<Stream>()) {
  const int window_bits = packing == Packing::kRawDeflate ? -MAX_WBITS : MAX_WBITS + kGzipOrZlib;
  KEHU_CHECK(inflateInit2(&stream_->z, window_bits) == Z_OK);
}

Inflater::~Inflater() { inflateEnd(&stream_->z); }

// Deflate can pack 1,032 bytes into one; texts that say something stay far below the ratio. Without it a
// sender of small bodies could make us spend time as for large ones, each within the absolute bound.
absl::Status Inflater::check_growth() const {
  if (output_bytes_ > limits_.output_bytes) {
    return failure(absl::StatusCode::kResourceExhausted, "the decompressed body has more than ",
                   limits_.output_bytes, " bytes; send smaller bodies");
  }
  if (output_bytes_ > kPieceBytes && output_bytes_ - kPieceBytes > limits_.ratio * input_bytes_) {
    return failure(absl::StatusCode::kResourceExhausted, "the body decompresses to more than ", limits_.ratio,
                   " times its size");
  }
  return absl::OkStatus();
}

absl::Status Inflater::feed(std::string_view chunk, Sink sink) {
  if (!failed_.ok()) return failed_;
  z_stream& z = stream_->z;
  while (!chunk.empty()) {
    if (member_done_) {
      const size_t zeros = std::min(chunk.find_first_not_of('\0'), chunk.size());
      padding_bytes_ += zeros;
      chunk.remove_prefix(zeros);
      if (chunk.empty()) break;
      if (padding_bytes_ > 0 || chunk.front() != kGzipFirstByte) {
        const size_t place = input_bytes_ + padding_bytes_;
        padding_bytes_ = 0;  // zeros with something behind them are none
        failed_ = failure(absl::StatusCode::kInvalidArgument, "behind the end of the gzip data, from byte ",
                          place, " on, stands something else");
        return failed_;
      }
      inflateReset(&z);
      member_done_ = false;
    }
    const size_t part = std::min<size_t>(chunk.size(), std::numeric_limits<uInt>::max());
    // zlib's interface is older than const; it does not write to its input.
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
    z.avail_in = static_cast<uInt>(part);
    int result = Z_OK;
    do {
      z.next_out = reinterpret_cast<Bytef*>(stream_->piece);
      z.avail_out = kPieceBytes;
      const uInt before = z.avail_in;
      result = inflate(&z, Z_NO_FLUSH);
      const size_t size = kPieceBytes - z.avail_out;
      input_bytes_ += before - z.avail_in;
      output_bytes_ += size;
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        failed_ = failure(absl::StatusCode::kInvalidArgument, "damaged gzip data at byte ", input_bytes_);
        return failed_;
      }
      failed_ = check_growth();
      if (!failed_.ok()) return failed_;
      if (size > 0) sink({stream_->piece, size});
    } while (result == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
    member_done_ = result == Z_STREAM_END;
    chunk.remove_prefix(part - z.avail_in);
  }
  return absl::OkStatus();
}

absl::Status Inflater::finish() {
  if (!failed_.ok()) return failed_;
  if (member_done_) return absl::OkStatus();
  return failure(absl::StatusCode::kInvalidArgument, "the gzip data ends too early; was the body cut off?");
}

absl::StatusOr<std::string> inflate_body(std::string_view body, size_t output_bytes_max, Packing packing) {
  std::string out;
  Inflater inflater(InflateLimits{output_bytes_max}, packing);
  absl::Status status = inflater.feed(body, [&out](std::string_view piece) { out.append(piece); });
  if (status.ok()) status = inflater.finish();
  if (!status.ok()) return status;
  return out;
}

}  // namespace kehu::coding
