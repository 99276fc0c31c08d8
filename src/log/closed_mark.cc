#include "log/closed_mark.h"

#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/crc32c.h"
#include "log/segment.h"
#include "os/whole_file.h"

// The mark turns the absence of a batch into damage (see judge_mark() in walk.cc). It must never outlive
// the end that it names, so it is replaced as a whole, and its removal is synced before the log is written
// to again.
namespace kehu::log {
namespace {

constexpr uint32_t kMagic = 0x4355484b;  // "KHUC"
constexpr uint16_t kVersion = 1;

struct Layout {
  uint32_t magic;
  uint16_t version;
  uint16_t reserved;
  uint64_t log_id;
  uint64_t next;
  uint32_t segment;
  uint32_t offset;
  uint32_t chain;
  uint32_t crc;  // CRC-32C of the bytes above
};
static_assert(sizeof(Layout) == 40);

uint32_t checksum(const Layout& layout) {
  return crc32c({reinterpret_cast<const char*>(&layout), offsetof(Layout, crc)});
}

}  // namespace

absl::Status write_closed_mark(os::FileSystem& files, const std::string& directory, const ClosedMark& mark) {
  Layout layout{.magic = kMagic,
                .version = kVersion,
                .reserved = 0,
                .log_id = mark.log_id,
                .next = mark.next.value(),
                .segment = mark.end.segment.value(),
                .offset = mark.end.offset,
                .chain = mark.chain,
                .crc = 0};
  layout.crc = checksum(layout);
  return os::replace_whole_file(files, closed_mark_path(directory),
                                {reinterpret_cast<const char*>(&layout), sizeof(layout)});
}

absl::StatusOr<std::optional<ClosedMark>> read_closed_mark(os::FileSystem& files,
                                                           const std::string& directory) {
  const std::string path = closed_mark_path(directory);
  const auto bytes = os::read_whole_file(files, path);
  if (absl::IsNotFound(bytes.status())) return std::nullopt;
  if (!bytes.ok()) return bytes.status();
  Layout layout{};
  if (bytes->size() == sizeof(layout)) std::memcpy(&layout, bytes->data(), sizeof(layout));
  if (layout.magic != kMagic || layout.crc != checksum(layout) || layout.version != kVersion) {
    return absl::DataLossError(absl::StrCat(
        path,
        " is damaged, so nobody can say where the log ended: verify the log with `kehu check`, then remove "
        "this file"));
  }
  return ClosedMark{.log_id = layout.log_id,
                    .next = Sequence(layout.next),
                    .end = {.segment = SegmentNumber(layout.segment), .offset = layout.offset},
                    .chain = layout.chain};
}

absl::Status remove_closed_mark(os::FileSystem& files, const std::string& directory) {
  const absl::Status removed = files.remove(closed_mark_path(directory));
  if (absl::IsNotFound(removed)) return absl::OkStatus();
  if (!removed.ok()) return removed;
  return files.sync_directory(directory);
}

}  // namespace kehu::log
