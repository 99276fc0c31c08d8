#pragma once

#include <cstdint>
#include <string_view>

namespace kehu {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4) by the SSE 4.2 instruction. crc32c("123456789") == 0xe3069283.
// Continue a checksum by passing the previous result.
uint32_t crc32c(std::string_view bytes, uint32_t previous = 0);

}  // namespace kehu
