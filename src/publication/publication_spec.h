#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "feed/feed_spec.h"

namespace kehu::publication {

// Where events and changed customers go: the file of `kehu serve --publish` (docs/publish.md).
struct PublicationSpec {
  std::string name;     // the file's, without folder and extension: names what was delivered
  std::string brokers;  // "host:port,host:port"
  std::string events;   // topics; one of the two may be empty
  std::string changes;
  // Where a topic begins that nothing was delivered to yet.
  enum class Start : uint8_t { kBeginning, kNow } start = Start::kBeginning;
  feed::KafkaProperties properties;
};

// InvalidArgument with file, line and column. `file` names the text in errors and gives the name.
absl::StatusOr<PublicationSpec> parse_publication(std::string_view text, std::string_view file);
absl::StatusOr<PublicationSpec> load_publication(const std::string& path);

}  // namespace kehu::publication
