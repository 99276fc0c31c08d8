#include "log/sidecar.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "log/segment.h"
#include "os/whole_file.h"

// A sidecar is a cache: it holds nothing that its segment does not. So it needs no sync order with the log,
// and a missing or damaged one costs one reading of the segment and no fact.
namespace kehu::log {
namespace {

constexpr uint32_t kMagic = 0x4b55484b;  // "KHUK"
constexpr uint16_t kVersion = 1;

struct Layout {
  uint32_t magic;
  uint16_t version;
  uint16_t reserved;
  uint32_t segment;
  uint32_t crc;  // CRC-32C of the other header bytes, continued over the keys
  uint64_t keys;
};
static_assert(sizeof(Layout) == 24);

uint32_t checksum(Layout header, std::string_view keys) {
  header.crc = 0;
  return crc32c(keys, crc32c({reinterpret_cast<const char*>(&header), sizeof(header)}));
}

}  // namespace

absl::Status write_sidecar(os::FileSystem& files, const std::string& directory, SegmentNumber number,
                           const std::vector<MessageKey>& keys) {
  const std::string_view raw(reinterpret_cast<const char*>(keys.data()), keys.size() * sizeof(MessageKey));
  Layout header{.magic = kMagic,
                .version = kVersion,
                .reserved = 0,
                .segment = number.value(),
                .crc = 0,
                .keys = keys.size()};
  header.crc = checksum(header, raw);
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
  bytes.append(raw);
  return os::replace_whole_file(files, sidecar_path(directory, number), bytes);
}

absl::StatusOr<std::vector<MessageKey>> read_sidecar(os::FileSystem& files, const std::string& directory,
                                                     SegmentNumber number) {
  const std::string path = sidecar_path(directory, number);
  const auto bytes = os::read_whole_file(files, path);
  if (!bytes.ok()) return bytes.status();
  Layout header{};
  if (bytes->size() >= sizeof(header)) std::memcpy(&header, bytes->data(), sizeof(header));
  const std::string_view raw = std::string_view(*bytes).substr(std::min(bytes->size(), sizeof(header)));
  if (header.magic != kMagic || header.version != kVersion || header.segment != number.value() ||
      raw.size() != header.keys * sizeof(MessageKey) || header.crc != checksum(header, raw)) {
    return absl::DataLossError(
        absl::StrCat(path, " is damaged; it can be removed, the next start makes it anew"));
  }
  std::vector<MessageKey> keys(header.keys);
  if (!keys.empty()) std::memcpy(keys.data(), raw.data(), raw.size());
  return keys;
}

}  // namespace kehu::log
