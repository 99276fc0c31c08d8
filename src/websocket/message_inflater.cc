#include "websocket/message_inflater.h"

#include <algorithm>
#include <boost/beast/zlib/inflate_stream.hpp>
#include <utility>  // Asio 1.74 forgets it

#include "base/limits.h"

namespace kehu::websocket {
namespace {

namespace zlib = boost::beast::zlib;

constexpr size_t kFreeBytes = 64 * 1024;
constexpr int kWindowBits = 15;
// A sender leaves away the empty block at the end of each message (RFC 7692, 7.2.1).
constexpr std::string_view kTail("\x00\x00\xff\xff", 4);

}  // namespace

struct MessageInflater::Stream {
  zlib::inflate_stream inflate;
};

MessageInflater::MessageInflater() : stream_(std::make_unique<Stream>()) {
  stream_->inflate.reset(kWindowBits);
}

MessageInflater::~MessageInflater() = default;

MessageInflater::Verdict MessageInflater::feed(std::string_view piece, size_t limit, std::string& out) {
  input_bytes_ += piece.size();
  return inflate(piece, limit, out);
}

MessageInflater::Verdict MessageInflater::end_message(size_t limit, std::string& out) {
  const Verdict verdict = inflate(kTail, limit, out);
  input_bytes_ = 0;
  return verdict;
}

// The size is judged after every 16 KiB, so a message that unpacks without end is refused within one such
// piece. The ratio counts from 64 KiB on: a short text may well be that repetitive. An inflater may hold
// output back after its input is used up, so it is asked until it leaves room in the buffer.
MessageInflater::Verdict MessageInflater::inflate(std::string_view piece, size_t limit, std::string& out) {
  char plain[16 * 1024];
  zlib::z_params z;
  z.next_in = piece.data();
  z.avail_in = piece.size();
  for (;;) {
    z.next_out = plain;
    z.avail_out = sizeof plain;
    boost::system::error_code ec;
    stream_->inflate.write(z, zlib::Flush::sync, ec);
    const size_t size = sizeof plain - z.avail_out;
    const size_t allowed = std::min(limit, std::max(kFreeBytes, input_bytes_ * limits::kInflateRatio));
    if (out.size() + size > allowed) return Verdict::kTooLarge;
    out.append(plain, size);
    // A sender may end a block for good and begin another (RFC 7692, 7.2.3.4).
    if (ec == zlib::error::end_of_stream) {
      stream_->inflate.reset(kWindowBits);
    } else if (ec && ec != zlib::error::need_buffers) {
      return Verdict::kBroken;
    }
    if (z.avail_in == 0 && z.avail_out > 0) return Verdict::kGood;
    if (ec == zlib::error::need_buffers && size == 0) return Verdict::kGood;
  }
}

}  // namespace kehu::websocket
