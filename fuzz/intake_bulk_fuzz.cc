// Any bulk body in chunks of any size: the chunks make no difference, and what is stored is valid.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "intake/bulk.h"
#include "intake/test_door.h"
#include "intake/test_stored.h"

namespace {

kehu::intake::Intake decode(const kehu::intake::Sender& sender, std::string_view body, size_t chunk_size) {
  kehu::intake::Intake intake;
  kehu::intake::BulkDecoder decoder(sender);
  for (size_t at = 0; at < body.size(); at += chunk_size) {
    // A buffer of its own: a view into a chunk that is gone shows up under AddressSanitizer.
    const std::string chunk(body.substr(at, chunk_size));
    decoder.feed(chunk, intake);
  }
  decoder.finish(intake);
  return intake;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static kehu::intake::TestDoor door;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = decode(door.sender, body, std::max<size_t>(body.size(), 1));
  const auto chunked = decode(door.sender, body, 1 + data[0] % 64);
  kehu::intake::check_stored(whole);
  KEHU_CHECK(whole.accepted == chunked.accepted && whole.rejected == chunked.rejected);
  return 0;
}
