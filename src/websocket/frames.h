#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// The bytes of WebSocket frames (RFC 6455, 5.2), without sockets.
namespace kehu::websocket {

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

constexpr bool is_control(Opcode opcode) { return static_cast<uint8_t>(opcode) >= 8; }

inline constexpr size_t kFrameHeadBytesMax = 14;
inline constexpr size_t kControlBytesMax = 125;

// The header of a frame from a client.
struct FrameHead {
  Opcode opcode = Opcode::kText;
  bool final = true;
  bool compressed = false;  // RSV1 (RFC 7692)
  uint64_t size = 0;        // of the payload
  uint8_t mask[4] = {};
};

struct FrameHeadResult {
  size_t used = 0;                // bytes of the header; 0 while it is incomplete
  const char* refusal = nullptr;  // why no client may send it; found as early as possible
};

// Reads a header at the start of `bytes`. Whether it may follow what came before is not judged here.
FrameHeadResult parse_frame_head(std::string_view bytes, FrameHead& head);

// Takes the mask off bytes of a payload, or puts it on; `at` is the place of the first one in the payload.
void unmask(std::span<char> bytes, const uint8_t (&mask)[4], size_t at);

// Appends a frame as a server sends it: whole and not masked.
void append_frame(Opcode opcode, std::string_view payload, std::string& out);

// True for codes that may stand in a close frame (7.4, and the registry that continues it).
bool is_close_code(uint16_t code);

// UTF-8 that comes in pieces, cut anywhere, refused as early as it can be seen to be wrong.
class Utf8Check {
 public:
  bool feed(std::string_view piece);               // false: it is not UTF-8, whatever follows
  bool complete() const { return missing_ == 0; }  // no character is cut off at the end
  void reset() { missing_ = 0; }

 private:
  bool feed_byte(uint8_t byte);

  uint8_t missing_ = 0;         // bytes of the character in work
  uint8_t low_ = 0, high_ = 0;  // what its next byte may be
};

}  // namespace kehu::websocket
