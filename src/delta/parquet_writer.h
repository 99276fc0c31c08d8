#pragma once

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/time.h"
#include "delta/actions.h"
#include "delta/schema.h"
#include "duck/database.h"
#include "os/clock.h"
#include "os/file_system.h"

namespace kehu::delta {

// Writes the data files of one table. One thread.
class ParquetWriter {
 public:
  ParquetWriter(const TableSchema& schema, std::string directory, os::FileSystem& files, os::Clock& clock,
                std::unique_ptr<duck::Connection> connection);

  // The rows of a SELECT as a new file of a partition; file and name are durable on return. The file belongs
  // to no version until its AddFile is committed; discard() it when that fails. Nothing is left behind after
  // an error.
  absl::StatusOr<AddFile> write(const std::string& select, const std::string& partition);
  // The same, but nothing is durable before sync(): many files are so with fewer waits for the disk.
  absl::StatusOr<AddFile> begin(const std::string& select, const std::string& partition);
  absl::Status sync(absl::Span<const AddFile> files);
  void discard(const AddFile& file);

  Duration write_time() const { return write_time_; }
  Duration sync_time() const { return sync_time_; }

 private:
  absl::Status describe(const std::string& relative, AddFile& file);
  absl::Status write_back(const std::string& path);

  const TableSchema& schema_;
  std::string directory_;
  os::FileSystem& files_;
  os::Clock& clock_;
  std::unique_ptr<duck::Connection> connection_;
  Duration write_time_;
  Duration sync_time_;
};

// Data files that Kehu writes begin with this; open() removes those that no version names.
inline constexpr char kFilePrefix[] = "kehu-";
inline constexpr char kMonthPrefix[] = "month=";

// Delta's rule for bounds of text: at most 32 characters; an upper bound that was cut is followed by the
// greatest character, so that it stays an upper bound.
std::string lower_bound_text(std::string_view text);
std::string upper_bound_text(std::string_view text);

}  // namespace kehu::delta
