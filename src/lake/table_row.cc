#include "lake/table_row.h"

#include "base/check.h"

namespace kehu::lake {
namespace {

using duck::ColumnType;

// Puts a value into its column, which must be of its type.
struct CellWriter {
  duck::Chunk& chunk;
  size_t column;
  ColumnType type;

  void operator()(const std::string& text) const {
    KEHU_CHECK(type == ColumnType::kText);
    chunk.set_text(column, text);
  }
  void operator()(int64_t number) const {
    KEHU_CHECK(type == ColumnType::kLong);
    chunk.set_long(column, number);
  }
  void operator()(int32_t number) const {
    KEHU_CHECK(type == ColumnType::kInteger || type == ColumnType::kDate);
    chunk.set_integer(column, number);
  }
  void operator()(bool value) const {
    KEHU_CHECK(type == ColumnType::kBoolean);
    chunk.set_boolean(column, value);
  }
  void operator()(Instant time) const {
    KEHU_CHECK(type == ColumnType::kTimestamp);
    chunk.set_instant(column, time);
  }
};

}  // namespace

void add_row(const TableRow& row, const delta::TableSchema& schema, Tail& tail) {
  KEHU_CHECK(row.cells.size() == schema.columns.size());
  duck::Chunk& chunk = tail.chunk_for(tail.slot(row.month));
  for (size_t i = 0; i < row.cells.size(); ++i) {
    std::visit(CellWriter{chunk, i, schema.columns[i].type}, row.cells[i]);
  }
  chunk.end_row();
}

}  // namespace kehu::lake
