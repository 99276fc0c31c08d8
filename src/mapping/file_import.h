#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "mapping/file_beginning.h"
#include "mapping/mapping.h"
#include "mapping/row_mapper.h"
#include "model/rejection.h"

namespace kehu::mapping {

// What became of the rows of one file, or, added up, of many.
// The rows of a file by whichever of the readers above fits mapping and first bytes (read_first_bytes).
// Errors as those of FileImport::open.
absl::StatusOr<std::unique_ptr<rows::RowReader>> open_rows(const Mapping& mapping, const std::string& path,
                                                           std::string_view first_bytes);

struct Report {
  uint64_t rows = 0;
  uint64_t events = 0;    // a row may make several
  uint64_t filtered = 0;  // rows
  uint64_t rejected = 0;  // rejections; a row of several events may make several
  std::array<uint64_t, kReasonCount> rejected_by_reason{};  // index: Reason
  // Rows, by the column that said who: see MappedRow.
  std::map<std::string, uint64_t, std::less<>> digits_lost_by_column{};
  // And by the column that could not be read, of rejections that name one.
  std::map<std::string, std::array<uint64_t, kReasonCount>, std::less<>> rejected_by_column{};
  uint64_t exact_duplicates = 0;     // rows whose text stood in the file before; they are kept
  bool duplicates_at_least = false;  // the file has more different rows than are remembered

  void add(const Report& other);
};

// One file on its way through a mapping: rows in order, bounded memory (beside 16 bytes per row, up to
// kRememberedRows rows, for the count of duplicates). One thread. The mapping must outlive it.
class FileImport {
 public:
  static constexpr size_t kRememberedRows = 8'000'000;

  // gzip is unpacked, whatever the file's name. kNotFound, kPermissionDenied: the file; kNotFound also: a
  // column that the mapping names is missing. kInvalidArgument: the file is not what the mapping says.
  static absl::StatusOr<std::unique_ptr<FileImport>> open(const Mapping& mapping, const std::string& path);

  // False at the end. An error says how far the file could be read; rows given before stay good.
  absl::StatusOr<bool> next(MappedRow& row);

  // Mapping::warnings for this file, complete after the first row.
  std::vector<std::string> warnings() const { return mapping_.warnings(reader_->columns()); }
  // How the file begins. Reads it a second time, as far as that.
  FileBeginning beginning() const;
  // What the message ids of its rows begin with: by its name and its first bytes, unless it is known by
  // another.
  const std::string& key() const { return key_; }
  // The file's name in records and origins.
  const std::string& name() const { return name_; }
  // The file is one that came before under this key and name.
  void known_as(std::string key, std::string_view name);

  // A row that was read while its line had no end, and what it said.
  struct OpenRow {
    uint64_t line = 0;
    Hash128 content;
  };
  // The last row, when it is one and made events; at the end of the file. Of a file that grew in such a row,
  // that row as it was read the first time.
  const std::optional<OpenRow>& open_row() const { return grew() ? expected_ : open_row_; }
  // This row was imported while it was open.
  void expect_open_row(const OpenRow& row) { expected_ = row; }
  // The expected row says something else by now.
  bool grew() const { return grew_; }

  const Report& report() const { return report_; }
  // Nothing stands in the file, not even a header: no rows, and no error.
  bool empty() const { return empty_; }
  // Where a row stands, for Rejection::origin: "orders.csv:17".
  std::string origin(const MappedRow& row) const;
  // For a progress bar: bytes of the file read so far, and its size.
  uint64_t position() const { return reader_->position(); }
  uint64_t size() const { return size_; }
  // What a person should know although nothing failed; nothing as a rule. At the end of the file.
  std::string note() const { return reader_->note(); }

 private:
  FileImport(const Mapping& mapping, std::string path, std::string first_bytes);
  void count(const MappedRow& row);
  void look_for_open_row(const MappedRow& row);

  const Mapping& mapping_;
  std::string path_;
  std::string first_bytes_;
  std::string name_;  // in origins
  uint64_t size_ = 0;
  bool empty_ = false;
  std::unique_ptr<rows::RowReader> reader_;
  std::string key_;         // row_ has a view of it
  std::string former_key_;  // of versions that stored the name as it is; a view too
  RowMapper mapper_;
  rows::Row row_;
  Report report_;
  absl::flat_hash_set<uint64_t> seen_;
  std::optional<OpenRow> open_row_;
  std::optional<OpenRow> expected_;
  bool grew_ = false;
};

}  // namespace kehu::mapping
