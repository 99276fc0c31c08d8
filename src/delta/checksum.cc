#include "delta/checksum.h"

#include <algorithm>
#include <cstdio>

#include "base/crc32c.h"

namespace kehu::delta {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kDigits = 8;

}  // namespace

absl::StatusOr<uint32_t> file_checksum(os::FileSystem& files, const std::string& path) {
  const auto file = files.open(path, os::OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->size();
  if (!size.ok()) return size.status();
  std::string piece(std::min<uint64_t>(kReadBytes, *size), '\0');
  uint32_t checksum = 0;
  for (uint64_t at = 0; at < *size;) {
    const auto got = (*file)->read_at(at, piece.size(), piece.data());
    if (!got.ok()) return got.status();
    if (*got == 0) break;
    checksum = crc32c(std::string_view(piece).substr(0, *got), checksum);
    at += *got;
  }
  return checksum;
}

std::string checksum_text(uint32_t checksum) {
  char text[kDigits + 1];
  std::snprintf(text, sizeof(text), "%08x", checksum);
  return text;
}

std::optional<uint32_t> parse_checksum(std::string_view text) {
  if (text.size() != kDigits) return std::nullopt;
  uint32_t checksum = 0;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return std::nullopt;
    checksum = checksum << 4 | static_cast<uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return checksum;
}

}  // namespace kehu::delta
