#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "os/file_system.h"

namespace kehu::delta {

// CRC-32C of the bytes of a file. Right after the file was written they come from the page cache: ~0.2 ms a
// MB.
absl::StatusOr<uint32_t> file_checksum(os::FileSystem& files, const std::string& path);

// Eight lower-case hexadecimal digits.
std::string checksum_text(uint32_t checksum);
std::optional<uint32_t> parse_checksum(std::string_view text);

}  // namespace kehu::delta
