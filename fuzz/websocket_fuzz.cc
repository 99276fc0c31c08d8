// Any bytes as what a WebSocket client sends: the messages do not depend on how the bytes are cut.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "websocket/handshake.h"
#include "websocket/message_reader.h"

namespace {

using kehu::websocket::MessageReader;
using Kind = MessageReader::Kind;

// Reads until nothing comes any more; false once the client is refused.
bool read(MessageReader& reader, std::span<char> bytes, std::string& items) {
  for (;;) {
    size_t used = 0;
    const MessageReader::Item item = reader.next(bytes, used);
    KEHU_CHECK(used <= bytes.size());
    bytes = bytes.subspan(used);
    if (item.kind == Kind::kNothing) return true;
    items += std::to_string(static_cast<int>(item.kind));
    // Which of several faults is seen first may depend on the pieces.
    if (item.kind == Kind::kBroken) return false;
    items += " " + std::to_string(static_cast<int>(item.code)) + " ";
    items.append(item.content).append("\n");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const MessageReader::Options options{.message_bytes = 4096, .deflate = (data[0] & 1) != 0};
  std::string whole(reinterpret_cast<const char*>(data) + 2, size - 2);
  std::string pieces = whole;
  const std::string offers = whole;
  const size_t cut = data[1] % (whole.size() + 1);
  std::string want, got;
  MessageReader one(options), two(options);
  read(one, whole, want);
  if (read(two, std::span(pieces).first(cut), got)) read(two, std::span(pieces).subspan(cut), got);
  KEHU_CHECK(got == want);
  kehu::websocket::accept_deflate(offers);
  return 0;
}
