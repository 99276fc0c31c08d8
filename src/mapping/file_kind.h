#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "mapping/mapping.h"

namespace kehu::mapping {

// What the first bytes of a file, unpacked, say against reading it as text: a packed file, an archive, a
// database, a document. kInvalidArgument names what it is and says what to do.
absl::Status check_kind(const Mapping& mapping, std::string_view path, std::string_view first_bytes);

// The same for a file that should be Parquet, by its raw first and last bytes.
absl::Status check_parquet(const Mapping& mapping, const std::string& path);

// True for the first bytes of a zip archive; a workbook is one.
bool is_zip(std::string_view first_bytes);

// JSON that is not one object to a line: an array, or objects that are spread over lines.
bool is_json_document(std::string_view first_bytes);

}  // namespace kehu::mapping
