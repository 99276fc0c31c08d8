#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "log/batch.h"
#include "os/file_system.h"

namespace kehu::log {

// Walks the batches of a log in order, checking every byte and the chain of checksums. Beside a working
// writer it is a snapshot: a batch that is just being written is the end, and segments prepared after open()
// are not seen.
//
// Damage is DataLoss and says which segment, which offset and which records are missing; the reader does not
// go past it (check.h does). So is an end before the one that an orderly close left a mark of.
class Reader {
 public:
  // From the batch that holds `from` (whose earlier records the caller skips), or the first batch after it;
  // from the oldest one for Sequence(0). OutOfRange when the log no longer retains `from`. A missing or empty
  // directory is an empty log.
  static absl::StatusOr<Reader> open(os::FileSystem& files, const std::string& directory, Sequence from);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // The next batch, false at the end. The batch is valid until the next call. Errors stay. ≥ 1.5 GB/s from
  // the page cache.
  absl::StatusOr<bool> next(Batch& batch);

  // All further batches; an error of `visit` ends the walk.
  absl::Status for_each(absl::FunctionRef<absl::Status(const Batch& batch)> visit);

  // After next() returned false: bytes behind the end that look like the start of a batch that was being
  // written.
  uint64_t torn_bytes() const;

 private:
  class Source;
  explicit Reader(std::unique_ptr<Source> source);
  std::unique_ptr<Source> source_;
};

}  // namespace kehu::log
