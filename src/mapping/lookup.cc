#include "mapping/lookup.h"

#include <memory>

#include "base/text.h"
#include "mapping/mapping.h"
#include "rows/row.h"

namespace kehu::mapping {
namespace {

absl::StatusOr<std::unique_ptr<rows::RowReader>> open_rows(const rows::RowSpec& wanted,
                                                           const std::string& path) {
  if (wanted.file.format == rows::FileFormat::kParquet) return rows::read_parquet(wanted, path);
  auto source = rows::open_file(path);
  if (!source.ok()) return source.status();
  auto text = rows::as_utf8(*std::move(source), wanted.file.encoding);
  if (!text.ok()) return text.status();
  if (wanted.file.format == rows::FileFormat::kNdjson) return rows::read_ndjson(wanted, *std::move(text));
  if (wanted.file.format == rows::FileFormat::kLog) return rows::read_log(wanted, *std::move(text));
  return rows::read_csv(wanted, *std::move(text), path);
}

constexpr size_t kRowBytes = 100;  // of the table itself, about

}  // namespace

// A key that stands twice with other values ends the reading: either of the two would be wrong for
// somebody, and nobody would see it. The same row twice is no harm.
absl::StatusOr<LookupTable> LookupTable::read(const LookupSpec& spec, const std::string& path) {
  rows::RowSpec wanted;
  wanted.name = spec.name;
  wanted.file = spec.file;
  wanted.columns = {spec.key};
  wanted.columns.insert(wanted.columns.end(), spec.columns.begin(), spec.columns.end());
  auto reader = open_rows(wanted, path);
  if (!reader.ok()) return reader.status();
  LookupTable table;
  rows::Row row;
  std::string scratch;
  for (size_t bytes = 0; bytes <= kBytesMax;) {
    const auto any = (*reader)->next(row);
    if (!any.ok()) return any.status();
    if (!*any) return table;
    if (row.fault)
      return failure(absl::StatusCode::kInvalidArgument, path, ":", row.line, ": ", row.fault->detail);
    if (row.cells[0].kind == rows::CellKind::kNull) continue;
    Entry entry{.line = row.line, .values = {}};
    for (size_t i = 1; i < row.cells.size(); ++i) {
      entry.values.emplace_back(rows::plain_text(row.cells[i], scratch));
      bytes += entry.values.back().size();
    }
    const std::string key(rows::plain_text(row.cells[0], scratch));
    bytes += key.size() + kRowBytes;
    const auto [at, added] = table.rows_.try_emplace(key, entry);
    if (!added && at->second.values != entry.values) {
      return failure(absl::StatusCode::kInvalidArgument, path, ":", row.line, ": the \"", spec.key,
                     "\" of line ", at->second.line, " stands here again with other values: which is meant?");
    }
  }
  return failure(absl::StatusCode::kInvalidArgument, path, " is too large for a look-up: more than ",
                 kBytesMax >> 20, " MiB of keys and values");
}

const std::string* LookupTable::find(std::string_view key, size_t column) const {
  const auto at = rows_.find(to_absl(key));
  if (at == rows_.end() || at->second.values[column].empty()) return nullptr;
  return &at->second.values[column];
}

}  // namespace kehu::mapping
