#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "log/batch_format.h"
#include "log/segment.h"

namespace kehu::log {

// Reads one segment file in pieces of 1 MiB, or a whole batch where that is larger. Batches are views into
// its buffers, valid until the next call.
class SegmentReader {
 public:
  static absl::StatusOr<SegmentReader> open(os::FileSystem& files, const std::string& directory,
                                            SegmentNumber number);

  SegmentNumber number() const { return number_; }
  uint64_t file_bytes() const { return file_bytes_; }

  // The batch at this offset, if one lies there whole. FailedPrecondition when a newer Kehu wrote it.
  absl::StatusOr<std::optional<WholeBatch>> batch_at(uint64_t offset);

  // The first whole batch at `offset` or behind; only of log `log_id` if that is known. Reads to the end of
  // the file: ~30 ms for 64 MiB in the page cache.
  absl::StatusOr<std::optional<WholeBatch>> find_batch(uint64_t offset, std::optional<uint64_t> log_id);

  // The size that a header at this offset claims, 0 without one.
  absl::StatusOr<uint64_t> claimed_bytes(uint64_t offset);

  // The next call reads from the file again: its bytes may have changed meanwhile.
  void forget() { buffered_ = 0; }

 private:
  SegmentReader(SegmentNumber number, std::unique_ptr<os::File> file, uint64_t file_bytes)
      : number_(number), file_(std::move(file)), file_bytes_(file_bytes) {}
  absl::StatusOr<std::string_view> bytes_at(uint64_t offset, size_t size);
  absl::StatusOr<std::optional<BatchHeader>> header_at(uint64_t offset);

  SegmentNumber number_;
  std::unique_ptr<os::File> file_;
  uint64_t file_bytes_;
  ByteBuffer unpacked_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  uint64_t buffer_offset_ = 0;
  size_t buffered_ = 0;
};

}  // namespace kehu::log
