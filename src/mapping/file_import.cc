#include "mapping/file_import.h"

#include <sys/stat.h>

#include <filesystem>

#include "base/hash.h"
#include "base/text.h"
#include "mapping/file_kind.h"
#include "mapping/row_content.h"
#include "rows/byte_source.h"
#include "rows/file_head.h"
#include "workbook/sheet.h"

namespace kehu::mapping {
namespace {

// In whole seconds, which every file system and archive keeps.
Instant modified_at(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return {};
  return Instant::from_seconds(about.st_mtim.tv_sec);
}

// Reads an empty file, which has no header to miss.
class NoRows final : public rows::RowReader {
 public:
  absl::StatusOr<bool> next(rows::Row&) override { return false; }
  uint64_t position() const override { return 0; }
};

}  // namespace

absl::StatusOr<std::unique_ptr<rows::RowReader>> open_rows(const Mapping& mapping, const std::string& path,
                                                           std::string_view first_bytes) {
  if (rows::is_empty(first_bytes)) return std::make_unique<NoRows>();
  if (mapping.file.format == rows::FileFormat::kParquet) {
    if (auto status = check_parquet(mapping, path); !status.ok()) return status;
    return rows::read_parquet(mapping, path);
  }
  const bool table =
      mapping.file.format == rows::FileFormat::kCsv || mapping.file.format == rows::FileFormat::kXlsx;
  if (table && is_zip(first_bytes) && workbook::is_workbook(path)) return rows::read_workbook(mapping, path);
  if (auto status = check_kind(mapping, path, first_bytes); !status.ok()) return status;
  if (auto status = rows::check_text(mapping, path, first_bytes); !status.ok()) return status;
  auto source = rows::open_file(path);
  if (!source.ok()) return source.status();
  auto text = rows::as_utf8(*std::move(source), mapping.file.encoding);
  if (!text.ok()) return text.status();
  if (mapping.file.format == rows::FileFormat::kNdjson) {
    const bool document = mapping.file.skip_lines == 0 && is_json_document(first_bytes);
    if (document || !mapping.file.list.empty())
      return rows::read_json_documents(mapping, *std::move(text), path);
    return rows::read_ndjson(mapping, *std::move(text));
  }
  if (mapping.file.format == rows::FileFormat::kLog) return rows::read_log(mapping, *std::move(text));
  return rows::read_csv(mapping, *std::move(text), path);
}

void Report::add(const Report& other) {
  rows += other.rows;
  events += other.events;
  filtered += other.filtered;
  rejected += other.rejected;
  for (size_t i = 0; i < rejected_by_reason.size(); ++i) rejected_by_reason[i] += other.rejected_by_reason[i];
  for (const auto& [column, rows_of] : other.digits_lost_by_column) digits_lost_by_column[column] += rows_of;
  for (const auto& [column, counts] : other.rejected_by_column) {
    auto& sums = rejected_by_column[column];
    for (size_t i = 0; i < counts.size(); ++i) sums[i] += counts[i];
  }
  exact_duplicates += other.exact_duplicates;
  duplicates_at_least = duplicates_at_least || other.duplicates_at_least;
}

FileImport::FileImport(const Mapping& mapping, std::string path, std::string first_bytes)
    : mapping_(mapping), path_(std::move(path)), first_bytes_(std::move(first_bytes)), mapper_(mapping) {
  const std::string stored = stored_name(path_);
  known_as(file_key(stored, first_bytes_), stored);
  former_key_ = file_key(path_, first_bytes_);
  if (former_key_ == key_) former_key_.clear();
  row_.former_key = former_key_;
}

void FileImport::known_as(std::string key, std::string_view name) {
  key_ = std::move(key);
  row_.former_key = {};
  name_ = name;
  row_.key = key_;
}

FileBeginning FileImport::beginning() const {
  const auto reader = open_rows(mapping_, path_, first_bytes_);
  if (!reader.ok()) return {};
  return beginning_of(**reader);
}

absl::StatusOr<std::unique_ptr<FileImport>> FileImport::open(const Mapping& mapping,
                                                             const std::string& path) {
  const auto head = rows::read_first_bytes(path);
  if (!head.ok()) return head.status();
  auto reader = open_rows(mapping, path, *head);
  if (!reader.ok()) return reader.status();
  std::unique_ptr<FileImport> import(new FileImport(mapping, path, *head));
  import->reader_ = *std::move(reader);
  import->empty_ = rows::is_empty(*head);
  if (auto status = import->mapper_.set_file(path, modified_at(path)); !status.ok()) return status;
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  import->size_ = error ? 0 : size;
  return import;
}

absl::StatusOr<bool> FileImport::next(MappedRow& row) {
  const auto any = reader_->next(row_);
  if (!any.ok()) {
    return failure(any.status().code(), message_of(any.status()), " (after ", report_.rows, " rows)");
  }
  if (!*any) return false;
  row_.number = report_.rows + 1;
  mapper_.map(row_, row);
  count(row);
  look_for_open_row(row);
  return true;
}

// What is read of a line while it is being written is a row of its own, which says less than the line.
void FileImport::look_for_open_row(const MappedRow& row) {
  const bool expected = expected_ && expected_->line == row_.line;
  if (!row_.open && !expected) return;
  const Hash128 content = hash128(content_of(row_).text);
  if (expected && content != expected_->content) grew_ = true;
  if (row_.open && row.event_count > 0) open_row_ = OpenRow{row_.line, content};
}

// Rows are remembered by hashes of 64 bits, and only kRememberedRows of them: what a large file repeats
// behind these is still found when it repeats one of the first, so the number is then a lower bound and is
// said to be one.
void FileImport::count(const MappedRow& row) {
  ++report_.rows;
  report_.events += row.event_count;
  report_.filtered += row.filtered();
  report_.rejected += row.rejections.size();
  for (const RowRejection& rejection : row.rejections) {
    ++report_.rejected_by_reason[static_cast<size_t>(rejection.reason)];
    if (!rejection.column.empty())
      ++report_.rejected_by_column[rejection.column][static_cast<size_t>(rejection.reason)];
  }
  for (const std::string_view column : row.digits_lost) ++report_.digits_lost_by_column[std::string(column)];
  const uint64_t hash = hash64(row.text);
  if (seen_.size() < kRememberedRows) {
    report_.exact_duplicates += !seen_.insert(hash).second;
  } else {
    report_.duplicates_at_least = true;
    report_.exact_duplicates += seen_.contains(hash);
  }
}

std::string FileImport::origin(const MappedRow& row) const { return cat(name_, ":", row.line); }

}  // namespace kehu::mapping
