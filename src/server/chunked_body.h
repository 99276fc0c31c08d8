#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace kehu::server {

// Decodes a body in chunked transfer coding (RFC 9112, 7.1), given in pieces of any size. Strict: sizes are
// hexadecimal digits and nothing else, lines end with CR LF. Extensions and trailer fields are checked and
// ignored.
//
// Not Beast's: its decoder (1.74) aborts on a failed assertion when a body that is empty arrives byte by
// byte, and wants a whole chunk header in one buffer.
class ChunkedBody {
 public:
  enum class Verdict : uint8_t { kPartial, kComplete, kRefused };
  struct Result {
    Verdict verdict = Verdict::kPartial;
    size_t used = 0;  // bytes; all of them, unless `take` paused, the body ended, or it is refused
  };
  // Hands on the content in `bytes`, piece by piece, until `take` answers false. A chunk of more than 2^40
  // bytes, or more than 16 KiB of sizes, extensions and trailer without content between them, are refused.
  Result decode(std::string_view bytes, const std::function<bool(std::string_view)>& take);

 private:
  enum class State : uint8_t {
    kFirstDigit,
    kDigits,
    kExtension,
    kSizeLineFeed,
    kContent,
    kContentReturn,
    kContentLineFeed,
    kLineStart,  // of the trailer
    kName,
    kValue,
    kLineFeed,
    kLastLineFeed,
    kDone,
    kBroken,
  };

  State next(char c);
  State on_digit(char c);

  State state_ = State::kFirstDigit;
  uint64_t left_ = 0;    // of the chunk
  size_t overhead_ = 0;  // bytes since the last content
};

}  // namespace kehu::server
