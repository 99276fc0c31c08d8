#include "log/segment_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace kehu::log {
namespace {

// Most batches are far smaller: one read brings many of them.
constexpr size_t kReadBytes = 1 << 20;

}  // namespace

absl::StatusOr<SegmentReader> SegmentReader::open(os::FileSystem& files, const std::string& directory,
                                                  SegmentNumber number) {
  auto file = files.open(segment_path(directory, number), os::OpenMode::kRead);
  if (!file.ok()) return file.status();
  const auto size = (*file)->size();
  if (!size.ok()) return size.status();
  return SegmentReader(number, *std::move(file), *size);
}

// Returns at most `size` bytes, and fewer at the end of the file. They are in the buffer, so the next read
// may replace them.
absl::StatusOr<std::string_view> SegmentReader::bytes_at(uint64_t offset, size_t size) {
  if (offset >= file_bytes_) return std::string_view();
  size = std::min<uint64_t>(size, file_bytes_ - offset);
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffered_) {
    const size_t wanted = std::min<uint64_t>(std::max(size, kReadBytes), file_bytes_ - offset);
    if (capacity_ < wanted) {
      capacity_ = wanted;
      buffer_ = std::make_unique_for_overwrite<char[]>(capacity_);
    }
    buffered_ = 0;
    const auto got = file_->read_at(offset, wanted, buffer_.get());
    if (!got.ok()) return got.status();
    buffer_offset_ = offset;
    buffered_ = *got;
    size = std::min(size, buffered_);
  }
  return std::string_view(buffer_.get() + (offset - buffer_offset_), size);
}

absl::StatusOr<std::optional<BatchHeader>> SegmentReader::header_at(uint64_t offset) {
  const auto bytes = bytes_at(offset, kBatchHeaderBytes);
  if (!bytes.ok()) return bytes.status();
  return BatchFormat::header_at(*bytes, {.segment = number_, .offset = static_cast<uint32_t>(offset)});
}

// A version is believed only when the checksum is right: a flipped bit in it is damage, and must not send
// the operator to look for a newer program.
absl::StatusOr<std::optional<WholeBatch>> SegmentReader::batch_at(uint64_t offset) {
  const auto header = header_at(offset);
  if (!header.ok()) return header.status();
  if (!*header) return std::nullopt;
  const auto bytes = bytes_at(offset, (*header)->size);
  if (!bytes.ok()) return bytes.status();
  const auto whole = BatchFormat::open(**header, *bytes, unpacked_);
  if (whole && (*header)->version != kFormatVersion) {
    return absl::FailedPreconditionError(absl::StrCat("log segment ", number_.value(), " at byte ", offset,
                                                      " is in format version ", (*header)->version,
                                                      ", which this Kehu does not know: start a newer one"));
  }
  return whole;
}

// Batches begin at multiples of 512 bytes and nowhere else, so the search looks at one header in each. It
// computes a checksum only where a header names its own place and the right log, which bytes of an older
// life of the segment never do.
absl::StatusOr<std::optional<WholeBatch>> SegmentReader::find_batch(uint64_t offset,
                                                                    std::optional<uint64_t> log_id) {
  for (uint64_t at = aligned(offset); at + kBatchHeaderBytes <= file_bytes_; at += kBatchAlignment) {
    const auto header = header_at(at);
    if (!header.ok()) return header.status();
    if (!*header || (log_id && (*header)->log_id != *log_id)) continue;
    auto whole = batch_at(at);
    if (!whole.ok() || *whole) return whole;
  }
  return std::nullopt;
}

absl::StatusOr<uint64_t> SegmentReader::claimed_bytes(uint64_t offset) {
  const auto header = header_at(offset);
  if (!header.ok()) return header.status();
  return *header ? (*header)->size : 0;
}

}  // namespace kehu::log
