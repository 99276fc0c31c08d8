#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/limits.h"

namespace kehu::coding {

// True for the first bytes of gzip: clients compress without saying so in Content-Encoding.
bool is_gzip(std::string_view body);

// How the bytes are packed. HTTP's "deflate" is zlib's form, but some send it without zlib's header.
enum class Packing : uint8_t { kGzipOrZlib, kRawDeflate };
// By the first bytes of what is said to be compressed.
Packing packing_of(std::string_view body);

struct InflateLimits {
  size_t output_bytes = 0;
  size_t ratio = limits::kInflateRatio;  // of output to input; the first 64 KiB are free
};

// Decompresses gzip, zlib or raw deflate data in chunks, members behind one another as one; zero bytes behind
// them are padding, as gzip itself takes them, and anything else there is an error. Stops before a small body
// becomes a large one: an error of kResourceExhausted beyond the limits. Other errors are kInvalidArgument.
// After an error nothing more comes out. One thread.
class Inflater {
 public:
  using Sink = absl::FunctionRef<void(std::string_view)>;

  explicit Inflater(size_t output_bytes_max) : Inflater(InflateLimits{output_bytes_max}) {}
  explicit Inflater(const InflateLimits& limits, Packing packing = Packing::kGzipOrZlib);
  ~Inflater();

  // Hands out what the chunk decompresses to, in pieces of up to 64 KiB that are valid during the call only.
  absl::Status feed(std::string_view chunk, Sink sink);
  // After the last chunk: an error when the data ends too early.
  absl::Status finish();
  // Zero bytes behind the data so far.
  size_t padding_bytes() const { return padding_bytes_; }

 private:
  struct Stream;
  absl::Status check_growth() const;

  const InflateLimits limits_;
  size_t input_bytes_ = 0;
  size_t output_bytes_ = 0;
  size_t padding_bytes_ = 0;
  bool member_done_ = false;
  absl::Status failed_;
  std::unique_ptr<Stream> stream_;
};

// The whole body at once.
absl::StatusOr<std::string> inflate_body(std::string_view body, size_t output_bytes_max,
                                         Packing packing = Packing::kGzipOrZlib);

}  // namespace kehu::coding
