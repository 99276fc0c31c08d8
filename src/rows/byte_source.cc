#include "rows/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "coding/inflate.h"

namespace kehu::rows {
namespace {

constexpr size_t kBlock = 64 * 1024;

class FileSource : public ByteSource {
 public:
  FileSource(std::ifstream file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    file_.read(to, static_cast<std::streamsize>(size));
    if (file_.bad())
      return failure(absl::StatusCode::kDataLoss, path_, ": cannot be read on: ", std::strerror(errno));
    const auto count = static_cast<size_t>(file_.gcount());
    position_ += count;
    return count;
  }
  uint64_t position() const override { return position_; }

 private:
  std::ifstream file_;
  std::string path_;
  uint64_t position_ = 0;
};

// A file of a person at this machine may be as repetitive as it likes: it is read in small pieces anyway.
constexpr coding::InflateLimits kUnlimited{.output_bytes = SIZE_MAX, .ratio = 1'000'000};

class GzipSource : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)), inflater_(kUnlimited), packed_(kBlock, '\0') {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    while (at_ == plain_.size() && !done_) unpack();
    // What was unpacked before the damage is given first.
    if (at_ == plain_.size() && !damage_.ok()) return damage_;
    const size_t count = std::min(size, plain_.size() - at_);
    std::memcpy(to, plain_.data() + at_, count);
    at_ += count;
    return count;
  }
  uint64_t position() const override { return file_->position(); }
  std::string note() const override {
    if (inflater_.padding_bytes() == 0) return {};
    return cat(inflater_.padding_bytes(),
               " zero bytes behind the gzip data are padding and were passed over");
  }

 private:
  void unpack() {
    plain_.clear();
    at_ = 0;
    const auto count = file_->read(packed_.data(), packed_.size());
    if (!count.ok()) return end_by(count.status());
    if (*count == 0) {
      done_ = true;
      if (inflater_.finish().ok()) return;
      return end_by(failure(absl::StatusCode::kDataLoss, path_,
                            ": the gzip data ends too early; the file was cut off, fetch it again"));
    }
    const absl::Status status = inflater_.feed(std::string_view(packed_).substr(0, *count),
                                               [this](std::string_view piece) { plain_.append(piece); });
    if (status.ok()) return;
    end_by(failure(absl::StatusCode::kDataLoss, path_, ": cannot be unpacked: ", message_of(status)));
  }

  void end_by(absl::Status damage) {
    damage_ = std::move(damage);
    done_ = true;
  }

  std::unique_ptr<ByteSource> file_;
  std::string path_;
  coding::Inflater inflater_;
  std::string packed_;
  std::string plain_;
  size_t at_ = 0;
  bool done_ = false;
  absl::Status damage_;
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
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return failure(absl::StatusCode::kNotFound, path, " is a directory: name the files in it");
  }
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) {
      return failure(absl::StatusCode::kNotFound, "there is no file ", path, ": check the name");
    }
    return failure(absl::StatusCode::kPermissionDenied, path, " cannot be opened: ", std::strerror(errno),
                   "; check who may read it");
  }
  char magic[2] = {};
  file.read(magic, sizeof magic);
  const bool packed = coding::is_gzip({magic, static_cast<size_t>(file.gcount())});
  file.clear();
  file.seekg(0);
  auto source = std::make_unique<FileSource>(std::move(file), path);
  if (!packed) return source;
  return std::make_unique<GzipSource>(std::move(source), path);
}

std::unique_ptr<ByteSource> bytes_of(std::string text, size_t step) {
  return std::make_unique<TextSource>(std::move(text), step);
}

}  // namespace kehu::rows
