// Any bytes as a mapping: it is read or refused with a place and a reason.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "mapping/mapping.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto mapping =
      kehu::mapping::Mapping::parse({reinterpret_cast<const char*>(data), size}, "fuzz.toml");
  if (mapping.ok()) {
    KEHU_CHECK(!mapping->events.empty());
    return 0;
  }
  KEHU_CHECK(kehu::message_of(mapping.status()).starts_with("fuzz.toml:"));
  return 0;
}
