#include "state/closed_mark.h"

#include <cstdio>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/crc32c.h"
#include "base/text.h"
#include "os/whole_file.h"

namespace kehu::state {
namespace {

constexpr std::string_view kTitle = "kehu state closed, format 1\n";
constexpr size_t kChecksumBytes = 9;  // eight digits and a line feed

std::string mark_path(const std::string& directory) { return directory + "/closed"; }

std::string hex(uint32_t value) {
  char text[16];
  std::snprintf(text, sizeof(text), "%08x", value);
  return text;
}

bool has_checksum_elsewhere(std::string_view name) {
  return name == "closed" || name == "closed.tmp" || name.ends_with(".sst");
}

absl::StatusOr<std::string> line_of(os::FileSystem& files, const std::string& directory,
                                    const std::string& name) {
  const auto bytes = os::read_whole_file(files, cat(directory, "/", name));
  if (!bytes.ok()) return bytes.status();
  return cat(hex(crc32c(*bytes)), " ", bytes->size(), " ", name, "\n");
}

// A missing file is passed over, since RocksDB notices by itself. What it would pass over is a file that is
// there and is not what it was.
absl::Status verify_line(os::FileSystem& files, const std::string& directory, std::string_view line) {
  const std::string name(line.substr(line.rfind(' ') + 1));
  if (!files.exists(cat(directory, "/", name))) return absl::OkStatus();
  const auto now = line_of(files, directory, name);
  if (!now.ok()) return now.status();
  if (*now == cat(line, "\n")) return absl::OkStatus();
  return failure(absl::StatusCode::kDataLoss, directory, "/", name,
                 " is damaged: its bytes are not those of the last orderly close");
}

}  // namespace

// The checksum of the list itself comes last, so that a damaged list is not taken for damaged files.
absl::Status write_closed_mark(os::FileSystem& files, const std::string& directory) {
  const auto names = files.list(directory);
  if (!names.ok()) return names.status();
  std::string text(kTitle);
  for (const std::string& name : *names) {
    if (has_checksum_elsewhere(name)) continue;
    const auto line = line_of(files, directory, name);
    if (!line.ok()) return line.status();
    text += *line;
  }
  text += hex(crc32c(text)) + "\n";
  return os::replace_whole_file(files, mark_path(directory), text);
}

absl::Status remove_closed_mark(os::FileSystem& files, const std::string& directory) {
  if (!files.exists(mark_path(directory))) return absl::OkStatus();
  if (absl::Status status = files.remove(mark_path(directory)); !status.ok()) return status;
  return files.sync_directory(directory);
}

absl::Status verify_closed_mark(os::FileSystem& files, const std::string& directory) {
  if (!files.exists(mark_path(directory))) return absl::OkStatus();
  const auto text = os::read_whole_file(files, mark_path(directory));
  if (!text.ok()) return text.status();
  std::string_view lines = *text;
  if (!lines.starts_with(kTitle) || lines.size() < kTitle.size() + kChecksumBytes) {
    return failure(absl::StatusCode::kDataLoss, mark_path(directory), " is damaged");
  }
  const std::string_view checksum = lines.substr(lines.size() - kChecksumBytes);
  lines.remove_suffix(kChecksumBytes);
  if (checksum != hex(crc32c(lines)) + "\n") {
    return failure(absl::StatusCode::kDataLoss, mark_path(directory), " is damaged");
  }
  lines.remove_prefix(kTitle.size());
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    if (absl::Status status = verify_line(files, directory, lines.substr(0, end)); !status.ok())
      return status;
    lines.remove_prefix(end + 1);
  }
  return absl::OkStatus();
}

}  // namespace kehu::state
