#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "mapping/mapping.h"

namespace kehu::mapping {

// True for the first bytes of a file in which nothing stands, or a byte order mark alone.
bool is_empty(std::string_view first_bytes);

// What the first bytes, unpacked, say against reading a text file by the mapping: lines that end in CR alone,
// or UTF-16 that the mapping does not tell of. Both would read as one long first line. kInvalidArgument, with
// what to do.
absl::Status check_text(const Mapping& mapping, std::string_view path, std::string_view first_bytes);

}  // namespace kehu::mapping
