#include "os/random.h"

#include <errno.h>
#include <sys/random.h>

#include "absl/strings/escaping.h"
#include "base/check.h"

namespace kehu::os {

// There is nothing to go on with when the kernel gives no random bytes: keys made of anything else would
// look sound.
void random_bytes(absl::Span<char> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    KEHU_CHECK(got > 0);
    out.remove_prefix(static_cast<size_t>(got));
  }
}

uint64_t random_u64() {
  uint64_t value = 0;
  random_bytes(absl::MakeSpan(reinterpret_cast<char*>(&value), sizeof(value)));
  return value;
}

std::string random_hex(size_t bytes) {
  std::string raw(bytes, '\0');
  random_bytes(absl::MakeSpan(raw.data(), raw.size()));
  return absl::BytesToHexString(raw);
}

}  // namespace kehu::os
