#pragma once

#include "absl/status/status.h"
#include "mapping/mapping.h"
#include "upload/uploads.h"

namespace kehu::upload {

// `kehu import --dry-run`: shows the first events, and says of all rows (up to a million of each file) what
// would not be mapped, what the door would refuse and which identifiers it would leave out, under the
// settings of the installation where they can be asked for.
absl::Status dry_run(const ImportCommand& command, const mapping::Mapping& mapping);

}  // namespace kehu::upload
