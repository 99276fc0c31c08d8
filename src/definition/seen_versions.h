#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kehu::definition {

// Which versions the files of a directory were made of. `kehu export` leaves them beside the files, and `kehu
// apply` sends them, so that it undoes no change that somebody made meanwhile.
struct SeenVersions {
  std::string installation;                              // whose they are: ProjectKey::fingerprint()
  std::map<std::string, uint64_t, std::less<>> by_file;  // "settings", "sources/web"
};

// {"installation": "…", "versions": {"settings": 1, "sources/web": 12}}, a line each. InvalidArgument says
// what is wrong and where.
absl::StatusOr<SeenVersions> parse_seen_versions(std::string_view text);
std::string to_text(const SeenVersions& seen);

}  // namespace kehu::definition
