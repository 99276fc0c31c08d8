// Any request of Sensors Analytics' SDKs, as a form, as the records in it, or encrypted: nothing is lost,
// every record decodes, every stored JSON text is valid, nothing forged passes.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "intake/test_door.h"
#include "intake/test_stored.h"
#include "sensors/decoder.h"
#include "sensors/test_envelopes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static kehu::intake::TestDoor door;
  static kehu::sensors::TestSender sender(door);
  static kehu::sensors::Decoder decoder;
  door.sender.envelopes = &sender.opener;
  door.sender.user_agent = "fuzz";
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string sealed;
  switch (data[0] % 5) {
    case 0:
      decoder.open({}, text);
      break;
    case 1:
      decoder.open(text, {});
      break;
    case 2:
      sealed = sender.envelope({sender.payload(text)});
      decoder.open_text(sealed);
      break;
    case 3:
      sealed = sender.envelope({sender.message(text)});
      decoder.open_text(sealed);
      break;
    default:
      decoder.open_text(text);
  }
  decoder.write_keys();
  const bool empty = decoder.empty();
  uint32_t kept = 0;
  for (bool more = true; more;) {
    kehu::intake::Intake intake;
    more = decoder.decode(door.sender, intake);
    kept += intake.accepted + intake.rejected;
    kehu::intake::check_stored(intake);
  }
  KEHU_CHECK(!empty || kept == 0);
  kehu::sensors::is_sensors_text(text);
  return 0;
}
