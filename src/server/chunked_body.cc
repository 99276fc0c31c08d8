#include "server/chunked_body.h"

namespace kehu::server {
namespace {

constexpr uint64_t kChunkBytesMax = uint64_t{1} << 40;
constexpr size_t kOverheadMax = 16 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

bool is_name(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

}  // namespace

ChunkedBody::State ChunkedBody::on_digit(char c) {
  left_ = left_ * 16 + static_cast<uint64_t>(hex_digit(c));
  return left_ > kChunkBytesMax ? State::kBroken : State::kDigits;
}

// The chunked coding (RFC 9112, 7.1) as a machine over single bytes, for everything but the content, which
// is handed on in stretches. It takes no bare line feed and no blanks around a size: what two programs on
// the way read differently is how one request is smuggled in another. Extensions and trailers are read and
// dropped. They have no length of their own, so the bytes between two pieces of content are counted.
ChunkedBody::State ChunkedBody::next(char c) {
  switch (state_) {
    case State::kFirstDigit:
      return hex_digit(c) >= 0 ? on_digit(c) : State::kBroken;
    case State::kDigits:
      if (hex_digit(c) >= 0) return on_digit(c);
      if (c == ';') return State::kExtension;
      return c == '\r' ? State::kSizeLineFeed : State::kBroken;
    case State::kExtension:
      if (c == '\r') return State::kSizeLineFeed;
      return is_text(c) ? State::kExtension : State::kBroken;
    case State::kSizeLineFeed:
      if (c != '\n') return State::kBroken;
      return left_ > 0 ? State::kContent : State::kLineStart;
    case State::kContentReturn:
      return c == '\r' ? State::kContentLineFeed : State::kBroken;
    case State::kContentLineFeed:
      return c == '\n' ? State::kFirstDigit : State::kBroken;
    case State::kLineStart:
      if (c == '\r') return State::kLastLineFeed;
      return is_name(c) ? State::kName : State::kBroken;
    case State::kName:
      if (c == ':') return State::kValue;
      return is_name(c) ? State::kName : State::kBroken;
    case State::kValue:
      if (c == '\r') return State::kLineFeed;
      return is_text(c) ? State::kValue : State::kBroken;
    case State::kLineFeed:
      return c == '\n' ? State::kLineStart : State::kBroken;
    case State::kLastLineFeed:
      return c == '\n' ? State::kDone : State::kBroken;
    case State::kContent:
    case State::kDone:
    case State::kBroken:
      break;
  }
  return State::kBroken;
}

ChunkedBody::Result ChunkedBody::decode(std::string_view bytes,
                                        const std::function<bool(std::string_view)>& take) {
  size_t used = 0;
  while (used < bytes.size() && state_ != State::kDone && state_ != State::kBroken) {
    if (state_ != State::kContent) {
      state_ = ++overhead_ > kOverheadMax ? State::kBroken : next(bytes[used]);
      ++used;
      continue;
    }
    const std::string_view piece = bytes.substr(used, left_);
    used += piece.size();
    left_ -= piece.size();
    overhead_ = 0;
    if (left_ == 0) state_ = State::kContentReturn;
    if (!take(piece)) return {Verdict::kPartial, used};
  }
  if (state_ == State::kDone) return {Verdict::kComplete, used};
  return {state_ == State::kBroken ? Verdict::kRefused : Verdict::kPartial, used};
}

}  // namespace kehu::server
