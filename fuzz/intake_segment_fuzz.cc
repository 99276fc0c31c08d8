// Any body through Segment's calls: every record decodes, every stored JSON text is valid, nothing forged
// passes.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "intake/segment.h"
#include "intake/test_door.h"
#include "intake/test_stored.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static kehu::intake::TestDoor door;
  static kehu::intake::SegmentDecoder decoder;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto call = static_cast<kehu::intake::SegmentCall>(data[0] % 7);
  kehu::intake::Intake intake;
  if (const auto refusal = decoder.open(call, body)) {
    KEHU_CHECK(refusal->position <= body.size());
    return 0;
  }
  decoder.write_key();
  decoder.decode(door.sender, intake);
  KEHU_CHECK(intake.accepted + intake.rejected == decoder.event_count());
  kehu::intake::check_stored(intake);
  return 0;
}
