#include "lake/definition_rows.h"

namespace kehu::lake {

std::vector<TableRow> definition_rows(absl::Span<const definition::NamedVersion> versions) {
  std::vector<TableRow> rows;
  rows.reserve(versions.size());
  for (const definition::NamedVersion& named : versions) {
    const definition::Version& version = *named.version;
    const bool has_file = named.kind->to_file != nullptr;
    rows.push_back({.sequence = version.sequence,
                    .cells = {std::string(named.kind->name), named.name,
                              static_cast<int64_t>(version.sequence.value()), version.time, version.actor,
                              version.deleted, has_file ? named.kind->to_file(version) : std::string()}});
  }
  return rows;
}

}  // namespace kehu::lake
