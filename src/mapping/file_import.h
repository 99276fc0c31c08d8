#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "mapping/mapping.h"
#include "mapping/row_mapper.h"
#include "model/rejection.h"

namespace kehu::mapping {

// What became of the rows of one file, or, added up, of many.
struct Report {
  uint64_t rows = 0;
  uint64_t events = 0;    // a row may make several
  uint64_t filtered = 0;  // rows
  uint64_t rejected = 0;  // rejections; a row of several events may make several
  std::array<uint64_t, kReasonCount> rejected_by_reason{};  // index: Reason
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

  const Report& report() const { return report_; }
  // Nothing stands in the file, not even a header: no rows, and no error.
  bool empty() const { return empty_; }
  // Where a row stands, for Rejection::origin: "orders.csv:17".
  std::string origin(const MappedRow& row) const;
  // For a progress bar: bytes of the file read so far, and its size.
  uint64_t position() const { return reader_->position(); }
  uint64_t size() const { return size_; }

 private:
  FileImport(const Mapping& mapping, std::string path, std::string key);
  void count(const MappedRow& row);

  std::string path_;
  uint64_t size_ = 0;
  bool empty_ = false;
  std::unique_ptr<RowReader> reader_;
  std::string key_;  // row_ has a view of it
  RowMapper mapper_;
  Row row_;
  Report report_;
  absl::flat_hash_set<uint64_t> seen_;
};

}  // namespace kehu::mapping
