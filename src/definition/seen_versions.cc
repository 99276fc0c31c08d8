#include "definition/seen_versions.h"

#include "base/text.h"
#include "codec/node.h"
#include "json/document.h"
#include "json/writer.h"

namespace kehu::definition {

absl::StatusOr<SeenVersions> parse_seen_versions(std::string_view text) {
  const auto document = json::Document::parse(text);
  if (!document.ok()) return document.status();
  codec::Reading reading{"the versions"};
  const codec::Node root = codec::Node::root(*document, reading);
  SeenVersions seen;
  if (root.is_object()) {
    root.expect_only({"installation", "versions"});
    root.find("installation").read(seen.installation);
    root.find("versions").each([&seen](const std::string& file, const codec::Node& version) {
      version.read({.min = 0, .max = INT64_MAX}, seen.by_file[file]);
    });
  }
  if (!reading.status.ok()) return reading.status;
  return seen;
}

// One line for each, as versions of a repository are compared by lines.
std::string to_text(const SeenVersions& seen) {
  std::string out = "{\n  \"installation\": ";
  json::Writer(out).value(seen.installation);
  out += ",\n  \"versions\": {";
  std::string_view before = "\n    ";
  for (const auto& [file, version] : seen.by_file) {
    out += before;
    json::Writer(out).value(file);
    out += cat(": ", version);
    before = ",\n    ";
  }
  return out + "\n  }\n}\n";
}

}  // namespace kehu::definition
