#include "websocket/frames.h"

#include <algorithm>
#include <cstring>

#include "json/text.h"

namespace kehu::websocket {
namespace {

constexpr uint8_t kFinal = 0x80, kReserved1 = 0x40, kReserved23 = 0x30, kOpcode = 0x0f;
constexpr uint8_t kMasked = 0x80, kSize = 0x7f;
constexpr uint8_t kSize16 = 126, kSize64 = 127;

uint8_t byte_at(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

bool is_known(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// All that the first two bytes tell.
const char* judge_start(uint8_t first, uint8_t second) {
  if ((first & kReserved23) != 0) return "a reserved bit is set";
  const uint8_t opcode = first & kOpcode;
  if (!is_known(opcode)) return "the opcode is reserved";
  if ((second & kMasked) == 0) return "a client's frame is not masked";
  if (!is_control(static_cast<Opcode>(opcode))) return nullptr;
  if ((first & kReserved1) != 0) return "a reserved bit is set";
  if ((first & kFinal) == 0) return "a control frame is fragmented";
  if ((second & kSize) > kControlBytesMax) return "a control frame is longer than 125 bytes";
  return nullptr;
}

uint64_t read_number(std::string_view bytes) {
  uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<uint8_t>(c);
  return number;
}

const char* judge_size(uint8_t form, uint64_t size) {
  if (form == kSize16 && size < kSize16) return "the length is not in its shortest form";
  if (form == kSize64 && size <= 0xffff) return "the length is not in its shortest form";
  if (size >> 63 != 0) return "the length is negative";
  return nullptr;
}

}  // namespace

// The head of a frame (RFC 6455, 5.2). It is judged as soon as enough of it is there: a frame that breaks
// the rules is refused by its first two bytes, and a length that is not in its shortest form before the
// mask has come.
FrameHeadResult parse_frame_head(std::string_view bytes, FrameHead& head) {
  if (bytes.size() < 2) return {};
  const uint8_t first = byte_at(bytes, 0);
  const uint8_t second = byte_at(bytes, 1);
  if (const char* refusal = judge_start(first, second)) return {.refusal = refusal};
  const uint8_t form = second & kSize;
  const size_t width = form == kSize16 ? 2 : form == kSize64 ? 8 : 0;
  if (bytes.size() < 2 + width) return {};
  head.size = width == 0 ? form : read_number(bytes.substr(2, width));
  if (const char* refusal = judge_size(form, head.size)) return {.refusal = refusal};
  if (bytes.size() < 6 + width) return {};
  head.opcode = static_cast<Opcode>(first & kOpcode);
  head.final = (first & kFinal) != 0;
  head.compressed = (first & kReserved1) != 0;
  std::memcpy(head.mask, bytes.data() + 2 + width, sizeof head.mask);
  return {.used = 6 + width};
}

// RFC 6455, 5.3: byte i of the payload is masked with byte i mod 4 of the mask. Eight is a multiple of
// four, so the mask is turned to where this piece begins and then serves for eight bytes at a time.
void unmask(std::span<char> bytes, const uint8_t (&mask)[4], size_t at) {
  uint8_t turned[8];
  for (size_t i = 0; i < sizeof turned; ++i) turned[i] = mask[(at + i) % 4];
  uint64_t wide;
  std::memcpy(&wide, turned, sizeof wide);
  size_t i = 0;
  for (; i + sizeof wide <= bytes.size(); i += sizeof wide) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, sizeof word);
    word ^= wide;
    std::memcpy(bytes.data() + i, &word, sizeof word);
  }
  for (; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ turned[i % 8]);
}

void append_frame(Opcode opcode, std::string_view payload, std::string& out) {
  out.push_back(static_cast<char>(kFinal | static_cast<uint8_t>(opcode)));
  const size_t width = payload.size() < kSize16 ? 0 : payload.size() <= 0xffff ? 2 : 8;
  out.push_back(static_cast<char>(width == 0 ? payload.size() : width == 2 ? kSize16 : kSize64));
  for (size_t i = width; i-- > 0;) out.push_back(static_cast<char>(payload.size() >> (8 * i)));
  out.append(payload);
}

bool is_close_code(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

bool Utf8Check::feed(std::string_view piece) {
  while (missing_ > 0 && !piece.empty()) {
    if (!feed_byte(byte_at(piece, 0))) return false;
    piece.remove_prefix(1);
  }
  // A character that the end may cut off begins within the last three bytes.
  size_t sure = piece.size();
  for (size_t back = 1; back <= std::min<size_t>(3, piece.size()); ++back) {
    const uint8_t byte = byte_at(piece, piece.size() - back);
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      sure = piece.size() - back;
      break;
    }
  }
  if (!json::is_valid_utf8(piece.substr(0, sure))) return false;
  for (const char c : piece.substr(sure)) {
    if (!feed_byte(static_cast<uint8_t>(c))) return false;
  }
  return true;
}

// RFC 3629: the second byte's range rules out overlong forms, surrogates and what is above U+10FFFF.
bool Utf8Check::feed_byte(uint8_t byte) {
  if (missing_ > 0) {
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --missing_;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  missing_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  low_ = byte == 0xe0 ? 0xa0 : byte == 0xf0 ? 0x90 : 0x80;
  high_ = byte == 0xed ? 0x9f : byte == 0xf4 ? 0x8f : 0xbf;
  return true;
}

}  // namespace kehu::websocket
