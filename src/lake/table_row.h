#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/time.h"
#include "lake/tables.h"
#include "lake/tail.h"
#include "model/ids.h"

namespace kehu::lake {

// A value by the type of its column: text; long; integer, or days since 1970 of a date; boolean; timestamp.
using Cell = std::variant<std::string, int64_t, int32_t, bool, Instant>;

// A row of any table as values. ~1 µs; `events` has a faster way (event_rows.h).
struct TableRow {
  Sequence sequence;        // of the record that left it
  std::vector<Cell> cells;  // in the order of the table's columns
  std::string month = {};   // in a table by month
};
using TableRows = PerTable<std::vector<TableRow>>;

// The row is complete on return, and seen by others after tail.publish().
void add_row(const TableRow& row, const delta::TableSchema& schema, Tail& tail);

}  // namespace kehu::lake
