#pragma once

#include <vector>

#include "absl/types/span.h"
#include "definition/project.h"
#include "lake/table_row.h"

namespace kehu::lake {

// The rows of `definitions`: a version's body in the form of its file, or empty where its kind has none.
std::vector<TableRow> definition_rows(absl::Span<const definition::NamedVersion> versions);

}  // namespace kehu::lake
