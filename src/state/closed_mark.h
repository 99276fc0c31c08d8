#pragma once

#include <string>

#include "absl/status/status.h"
#include "os/file_system.h"

// The file `closed` beside RocksDB's: left by an orderly close, it holds size and CRC-32C of every file there
// but the tables, whose checksums are in the manifest. RocksDB takes damage at the end of its manifest for a
// write that was interrupted, and passes over it; with the mark it is seen.
namespace kehu::state {

absl::Status write_closed_mark(os::FileSystem& files, const std::string& directory);
// Before the database is opened for writing.
absl::Status remove_closed_mark(os::FileSystem& files, const std::string& directory);
// OK without a mark. DataLoss names the first file that is not as it was; a missing one is for RocksDB to
// notice.
absl::Status verify_closed_mark(os::FileSystem& files, const std::string& directory);

}  // namespace kehu::state
