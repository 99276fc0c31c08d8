#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "definition/imported_files.h"
#include "definition/project.h"
#include "os/file_system.h"

namespace kehu::directory {

class DataDirectory;

struct WithdrawnFile {
  std::string key;     // of the file: its origin
  std::string source;  // the name of one that it was imported into; empty: all of them
};

struct Withdrawn {
  definition::ImportedFile file;
  uint64_t events = 0;
  uint64_t rejections = 0;
};

// Takes an import back, as if the file had never come: in the log, where a record of the import stood, an
// empty one of the same number stands now (log_replacement.h).
//
// NotFound: no file of this key is imported, or not any more. FailedPrecondition: the log does not reach back
// to the beginning, or does not tell which events were the file's. Nothing is changed then.
absl::StatusOr<Withdrawn> withdraw(os::FileSystem& files, const DataDirectory& directory,
                                   const WithdrawnFile& what);

}  // namespace kehu::directory
