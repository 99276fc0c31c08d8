#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/types/span.h"

namespace kehu::os {

// Fills `out` from the kernel's random generator: good for keys. Never fails once the machine has booted.
// ~300 ns a call.
void random_bytes(absl::Span<char> out);

uint64_t random_u64();

// `bytes` random bytes in hexadecimal: 20 bytes make a 160-bit API key.
std::string random_hex(size_t bytes);

}  // namespace kehu::os
