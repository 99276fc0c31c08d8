#include <unicode/ucnv.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/text.h"
#include "mapping/byte_source.h"

namespace kehu::mapping {
namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";

// Drops the byte order mark at the beginning of UTF-8.
class MarkSkipper : public ByteSource {
 public:
  explicit MarkSkipper(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    if (!begun_) {
      if (const absl::Status status = begin(); !status.ok()) return status;
    }
    if (head_.empty()) return source_->read(to, size);
    const size_t count = std::min(size, head_.size());
    std::memcpy(to, head_.data(), count);
    head_.erase(0, count);
    return count;
  }
  uint64_t position() const override { return source_->position(); }

 private:
  absl::Status begin() {
    begun_ = true;
    while (head_.size() < kMark.size()) {
      char bytes[3];
      const auto count = source_->read(bytes, kMark.size() - head_.size());
      if (!count.ok()) return count.status();
      if (*count == 0) break;
      head_.append(bytes, *count);
    }
    if (head_ == kMark) head_.clear();
    return absl::OkStatus();
  }

  std::unique_ptr<ByteSource> source_;
  bool begun_ = false;
  std::string head_;
};

// Decodes through ICU in pieces; both converters keep a character that lies across two pieces.
class Decoder : public ByteSource {
 public:
  Decoder(std::unique_ptr<ByteSource> source, UConverter* from, UConverter* to)
      : source_(std::move(source)), from_(from), to_(to), raw_(kRaw), pivot_(kPivot) {
    raw_at_ = raw_end_ = raw_.data();
    pivot_source_ = pivot_target_ = pivot_.data();
  }
  ~Decoder() override {
    ucnv_close(from_);
    ucnv_close(to_);
  }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    char* target = to;
    while (target == to && !done_) {
      if (raw_at_ == raw_end_ && !at_end_) {
        const auto count = source_->read(raw_.data(), raw_.size());
        if (!count.ok()) return count.status();
        at_end_ = *count == 0;
        raw_at_ = raw_.data();
        raw_end_ = raw_.data() + *count;
      }
      UErrorCode error = U_ZERO_ERROR;
      ucnv_convertEx(to_, from_, &target, to + size, &raw_at_, raw_end_, pivot_.data(), &pivot_source_,
                     &pivot_target_, pivot_.data() + pivot_.size(), /*reset=*/false, /*flush=*/at_end_,
                     &error);
      if (U_FAILURE(error) && error != U_BUFFER_OVERFLOW_ERROR) {
        return failure(absl::StatusCode::kDataLoss, "the text cannot be decoded: ", u_errorName(error));
      }
      done_ = at_end_ && error != U_BUFFER_OVERFLOW_ERROR;
    }
    return static_cast<size_t>(target - to);
  }
  uint64_t position() const override { return source_->position(); }

 private:
  static constexpr size_t kRaw = 64 * 1024;
  static constexpr size_t kPivot = 8 * 1024;

  std::unique_ptr<ByteSource> source_;
  UConverter* from_;
  UConverter* to_;
  std::vector<char> raw_;
  const char* raw_at_;
  const char* raw_end_;
  std::vector<UChar> pivot_;
  UChar* pivot_source_;
  UChar* pivot_target_;
  bool at_end_ = false;
  bool done_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteSource>> as_utf8(std::unique_ptr<ByteSource> source,
                                                    const std::string& encoding) {
  UErrorCode error = U_ZERO_ERROR;
  UConverter* from = ucnv_open(encoding.c_str(), &error);
  if (U_FAILURE(error)) {
    return failure(
        absl::StatusCode::kInvalidArgument, "\"", encoding,
        "\" is not an encoding; use \"UTF-8\", \"GBK\", \"GB18030\", \"ISO-8859-1\" or another name of IANA");
  }
  if (ucnv_getType(from) == UCNV_UTF8) {
    ucnv_close(from);
    return std::make_unique<MarkSkipper>(std::move(source));
  }
  UConverter* to = ucnv_open("UTF-8", &error);
  if (U_FAILURE(error)) {
    ucnv_close(from);
    return failure(absl::StatusCode::kInternal, "ICU has no UTF-8: ", u_errorName(error));
  }
  return std::make_unique<MarkSkipper>(std::make_unique<Decoder>(std::move(source), from, to));
}

}  // namespace kehu::mapping
