#include "mapping/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

namespace kehu::mapping {
namespace {

constexpr unsigned kBuffer = 128 * 1024;

class FileSource : public ByteSource {
 public:
  FileSource(gzFile file, std::string path) : file_(file), path_(std::move(path)) {}
  ~FileSource() override { gzclose(file_); }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    const int count = gzread(file_, to, static_cast<unsigned>(std::min<size_t>(size, kBuffer)));
    if (count > 0) return static_cast<size_t>(count);
    int code = 0;
    const char* message = gzerror(file_, &code);
    if (code == Z_OK || code == Z_STREAM_END) return size_t{0};
    if (code == Z_BUF_ERROR) {
      return failure(absl::StatusCode::kDataLoss, path_,
                     ": the gzip data ends too early; the file was cut off, fetch it again");
    }
    return failure(absl::StatusCode::kDataLoss, path_, ": cannot be unpacked: ", message);
  }

  uint64_t position() const override { return static_cast<uint64_t>(std::max<z_off_t>(0, gzoffset(file_))); }

 private:
  gzFile file_;
  std::string path_;
};

class TextSource : public ByteSource {
 public:
  TextSource(std::string text, size_t step) : text_(std::move(text)), step_(step) {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    const size_t count = std::min({size, step_, text_.size() - at_});
    std::memcpy(to, text_.data() + at_, count);
    at_ += count;
    return count;
  }
  uint64_t position() const override { return at_; }

 private:
  std::string text_;
  size_t step_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
  errno = 0;
  const gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    const auto code = errno == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kPermissionDenied;
    return failure(code, path, ": cannot be opened: ", std::strerror(errno));
  }
  gzbuffer(file, kBuffer);
  return std::make_unique<FileSource>(file, path);
}

std::unique_ptr<ByteSource> bytes_of(std::string text, size_t step) {
  return std::make_unique<TextSource>(std::move(text), step);
}

}  // namespace kehu::mapping
