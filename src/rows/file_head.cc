#include "rows/file_head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"
#include "json/text.h"
#include "rows/byte_source.h"

namespace kehu::rows {
namespace {

// UTF-16 and its kin have bytes of two or four; everything else that is read has NUL for no letter.
bool is_wide(std::string_view encoding) {
  std::string name(encoding);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name.find("16") != name.npos || name.find("32") != name.npos || name.find("UCS") != name.npos;
}

// The encoding's name when the bytes are UTF-16: by their mark, or by the zeros beside ASCII letters, which
// stand on one side of them. Zeros on both sides are other data, at the end they are padding.
std::optional<std::string_view> wide_encoding(std::string_view bytes) {
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) return "UTF-16";
  bytes = bytes.substr(0, bytes.find_last_not_of('\0') + 1);
  std::array<size_t, 2> zeros{};
  for (size_t i = 0; i < bytes.size(); ++i) zeros[i % 2] += bytes[i] == '\0';
  const auto [few, many] = std::minmax(zeros[0], zeros[1]);
  if (many < bytes.size() / 8 + 1 || few > many / 4) return std::nullopt;
  return zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE";
}

// Without the beginning of a character that the end of the bytes cuts.
std::string_view whole_characters(std::string_view bytes) {
  for (int i = 0; i < 3 && !bytes.empty() && (bytes.back() & 0xc0) == 0x80; ++i) bytes.remove_suffix(1);
  if (!bytes.empty() && (bytes.back() & 0x80) != 0) bytes.remove_suffix(1);
  return bytes;
}

// Text of which most characters beyond ASCII are common Chinese ones (GB 2312, first level), and none is
// UTF-8's. A single broken byte in other text is the matter of its row.
bool looks_like_gbk(std::string_view bytes) {
  size_t common = 0, others = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) continue;
    if (i + 1 == bytes.size()) break;  // cut in the middle of a character
    const auto trail = static_cast<unsigned char>(bytes[i + 1]);
    if (lead == 0x80 || lead == 0xff || trail < 0x40 || trail == 0x7f || trail == 0xff) return false;
    (lead >= 0xb0 && lead <= 0xd7 && trail >= 0xa1 ? common : others)++;
    ++i;
  }
  return common > 0 && common >= 2 * others && !json::is_valid_utf8(whole_characters(bytes));
}

}  // namespace

absl::StatusOr<std::string> read_first_bytes(const std::string& path, size_t count) {
  auto source = open_file(path);
  if (!source.ok()) return source.status();
  std::string bytes(count, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const auto read = (*source)->read(bytes.data() + filled, bytes.size() - filled);
    // A file that is damaged behind its first bytes has them all the same.
    if (!read.ok() && filled == 0) return read.status();
    if (!read.ok() || *read == 0) break;
    filled += *read;
  }
  bytes.resize(filled);
  return bytes;
}

// From what bytes can disprove to what they cannot: text that is valid UTF-8 is nearly never anything else,
// GBK is told by its common characters, and windows-1252 is left, in which any bytes can be read.
std::string_view encoding_of(std::string_view first_bytes) {
  if (const auto wide = wide_encoding(first_bytes)) return *wide;
  if (json::is_valid_utf8(whole_characters(first_bytes))) return "UTF-8";
  return looks_like_gbk(first_bytes) ? "GBK" : "windows-1252";
}

bool is_empty(std::string_view first_bytes) {
  return first_bytes.empty() || first_bytes == "\xef\xbb\xbf" || first_bytes == "\xff\xfe" ||
         first_bytes == "\xfe\xff";
}

absl::Status check_text(const RowSpec& spec, std::string_view path, std::string_view first_bytes) {
  if (is_wide(spec.file.encoding)) return absl::OkStatus();
  if (const auto encoding = wide_encoding(first_bytes)) {
    return failure(absl::StatusCode::kInvalidArgument, path, " is ", *encoding, ", not ", spec.file.encoding,
                   ": write encoding = \"", *encoding, "\" into [file] of ", spec.name);
  }
  if (spec.file.encoding == "UTF-8" && looks_like_gbk(first_bytes)) {
    return failure(absl::StatusCode::kInvalidArgument, path,
                   " is not UTF-8 and looks like GBK: write encoding = \"GBK\" into [file] of ", spec.name);
  }
  // The last of the bytes may be the first of a CR LF.
  const std::string_view inner = first_bytes.substr(0, first_bytes.size() - !first_bytes.empty());
  const bool ends_in_cr = inner.find('\r') != inner.npos && first_bytes.find('\n') == first_bytes.npos;
  if (!ends_in_cr) return absl::OkStatus();
  return failure(
      absl::StatusCode::kInvalidArgument, path,
      ": its lines end in CR alone, as those of old Macs did: convert it with tr '\\r' '\\n' first");
}

}  // namespace kehu::rows
