// Any body as a CloudEvent in each of its modes: every event becomes one record, every record decodes, every
// stored JSON text is valid, nothing forged passes.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "intake/test_door.h"
#include "intake/test_stored.h"
#include "protocol/cloud_events.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using kehu::protocol::CloudEventDecoder;
  if (size < 2) return 0;
  static kehu::intake::TestDoor door;
  static CloudEventDecoder decoder;
  const size_t head = std::min<size_t>(data[1], size - 2);
  const std::string_view subject(reinterpret_cast<const char*>(data) + 2, head);
  const std::string_view body(reinterpret_cast<const char*>(data) + 2 + head, size - 2 - head);
  const std::vector<CloudEventDecoder::Attribute> attributes = {
      {"specversion", "1.0"}, {"id", "1"}, {"source", "s"}, {"type", "t"}, {"subject", std::string(subject)}};
  static constexpr std::string_view kTypes[] = {"application/json", "text/plain", "", "image/png"};
  const auto mode = data[0] % 2 == 0 ? CloudEventDecoder::Mode::kStructured : CloudEventDecoder::Mode::kBatch;
  const bool binary = data[0] % 3 == 0;
  const auto refusal =
      binary ? decoder.open_binary(attributes, kTypes[data[0] / 6 % 4], body) : decoder.open(mode, body);
  if (refusal) return 0;
  kehu::intake::Intake intake;
  decoder.decode(door.sender, intake);
  KEHU_CHECK(intake.accepted + intake.rejected == decoder.event_count());
  kehu::intake::check_stored(intake);
  return 0;
}
