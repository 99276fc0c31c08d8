#include "mapping/file_head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"

namespace kehu::mapping {
namespace {

// UTF-16 and its kin have bytes of two or four; everything else that is read has NUL for no letter.
bool is_wide(std::string_view encoding) {
  std::string name(encoding);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name.find("16") != name.npos || name.find("32") != name.npos || name.find("UCS") != name.npos;
}

// The encoding's name when the bytes are UTF-16: by their mark, or by the zeros beside ASCII letters.
std::optional<std::string_view> wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "UTF-16";
  std::array<size_t, 2> zeros{};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0';
  if (zeros[0] + zeros[1] < bytes.size() / 8 + 1) return std::nullopt;
  return zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE";
}

}  // namespace

bool is_empty(std::string_view first_bytes) {
  return first_bytes.empty() || first_bytes == "\xef\xbb\xbf" || first_bytes == "\xff\xfe" ||
         first_bytes == "\xfe\xff";
}

absl::Status check_text(const Mapping& mapping, std::string_view path, std::string_view first_bytes) {
  if (is_wide(mapping.file.encoding)) return absl::OkStatus();
  if (const auto encoding = wide_encoding(first_bytes)) {
    return failure(absl::StatusCode::kInvalidArgument, path, " is ", *encoding, ", not ",
                   mapping.file.encoding, ": write encoding = \"", *encoding, "\" into [file] of ",
                   mapping.name);
  }
  // The last of the bytes may be the first of a CR LF.
  const std::string_view inner = first_bytes.substr(0, first_bytes.size() - !first_bytes.empty());
  const bool ends_in_cr = inner.find('\r') != inner.npos && first_bytes.find('\n') == first_bytes.npos;
  if (!ends_in_cr) return absl::OkStatus();
  return failure(
      absl::StatusCode::kInvalidArgument, path,
      ": its lines end in CR alone, as those of old Macs did: convert it with tr '\\r' '\\n' first");
}

}  // namespace kehu::mapping
