#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "script/statement.h"

// Any text is a script or is refused with a place in it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<std::string> kTypes = {"user_id", "phone", "anonymous_id"};
  std::vector<kehu::script::Statement> statements;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto problem = kehu::script::parse_script(text, kTypes, statements)) {
    KEHU_CHECK(!problem->message.empty() && problem->place.line > 0 && problem->place.column > 0);
  }
  return 0;
}
