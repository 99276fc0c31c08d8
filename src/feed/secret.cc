#include <cstdlib>

#include "base/text.h"
#include "feed/feed.h"

namespace kehu::feed {

absl::StatusOr<std::string> secret_of(const std::string& text) {
  if (!text.starts_with('$')) return text;
  const char* value = std::getenv(text.c_str() + 1);
  if (value == nullptr) {
    return failure(absl::StatusCode::kInvalidArgument, "the environment variable ", text.substr(1),
                   ", which the file names, is not set");
  }
  return std::string(value);
}

}  // namespace kehu::feed
