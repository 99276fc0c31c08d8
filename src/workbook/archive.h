#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

struct zip;
struct zip_file;

namespace kehu::workbook {

// One part of an archive, unpacked while it is read.
class Part {
 public:
  explicit Part(zip_file* file, std::string name) : file_(file), name_(std::move(name)) {}
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  ~Part();

  // Up to `size` bytes; 0 at the end. kDataLoss for damage.
  absl::StatusOr<size_t> read(char* to, size_t size);

 private:
  zip_file* file_;
  std::string name_;
};

// A zip archive on disk.
class Archive {
 public:
  static absl::StatusOr<std::unique_ptr<Archive>> open(const std::string& path);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  bool has(const std::string& part) const;
  // Unpacked; 0 when the archive does not say.
  uint64_t size_of(const std::string& part) const;
  absl::StatusOr<std::unique_ptr<Part>> open_part(const std::string& part) const;
  // The whole of a part that is small; kResourceExhausted when it is not.
  absl::StatusOr<std::string> content(const std::string& part) const;

 private:
  explicit Archive(zip* archive) : archive_(archive) {}
  zip* archive_;
};

}  // namespace kehu::workbook
