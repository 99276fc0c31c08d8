// Any body through PostHog's capture API and its encodings: every event becomes one record, every record
// decodes, every stored JSON text is valid, nothing forged passes.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/limits.h"
#include "intake/test_door.h"
#include "intake/test_stored.h"
#include "protocol/posthog.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static kehu::intake::TestDoor door;
  static kehu::protocol::PostHogDecoder decoder;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  static constexpr std::string_view kCompressions[] = {"", "gzip-js", "base64", "lz64"};
  std::string scratch;
  const auto json = kehu::protocol::posthog_json(body, kCompressions[data[0] % 4],
                                                 kehu::limits::kSegmentBatchBytes, scratch);
  if (!json.ok() || decoder.open(*json)) return 0;
  decoder.write_key();
  kehu::intake::Intake intake;
  decoder.decode(door.sender, intake);
  KEHU_CHECK(intake.accepted + intake.rejected == decoder.event_count());
  kehu::intake::check_stored(intake);
  return 0;
}
