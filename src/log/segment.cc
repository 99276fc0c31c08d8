#include "log/segment.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace kehu::log {
namespace {

constexpr size_t kDigits = 10;

std::string numbered_path(const std::string& directory, SegmentNumber number, const char* extension) {
  char name[32];
  std::snprintf(name, sizeof(name), "/%010u.%s", number.value(), extension);
  return directory + name;
}

std::optional<SegmentNumber> number_of(std::string_view name, std::string_view extension) {
  if (name.size() != kDigits + 1 + extension.size() || name[kDigits] != '.' || !name.ends_with(extension)) {
    return std::nullopt;
  }
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, number);
  if (error != std::errc() || end != name.data() + kDigits || number == 0) return std::nullopt;
  return SegmentNumber(number);
}

absl::StatusOr<std::vector<SegmentNumber>> list_numbered(os::FileSystem& files, const std::string& directory,
                                                         const char* extension) {
  const auto names = files.list(directory);
  if (absl::IsNotFound(names.status())) return std::vector<SegmentNumber>();
  if (!names.ok()) return names.status();
  std::vector<SegmentNumber> numbers;
  for (const std::string& name : *names) {
    if (const auto number = number_of(name, extension)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

}  // namespace

std::string segment_path(const std::string& directory, SegmentNumber number) {
  return numbered_path(directory, number, "log");
}

std::string sidecar_path(const std::string& directory, SegmentNumber number) {
  return numbered_path(directory, number, "keys");
}

std::string scratch_path(const std::string& directory) { return directory + "/next.tmp"; }

std::string closed_mark_path(const std::string& directory) { return directory + "/closed"; }

absl::StatusOr<std::vector<SegmentNumber>> list_segments(os::FileSystem& files,
                                                         const std::string& directory) {
  return list_numbered(files, directory, "log");
}

absl::StatusOr<std::vector<SegmentNumber>> list_sidecars(os::FileSystem& files,
                                                         const std::string& directory) {
  return list_numbered(files, directory, "keys");
}

}  // namespace kehu::log
