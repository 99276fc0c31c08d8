#pragma once

#include "os/file_system.h"

namespace kehu::os {

// The machine's own files. Stateless; lives as long as the process.
FileSystem& posix_file_system();

}  // namespace kehu::os
