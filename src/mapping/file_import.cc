#include "mapping/file_import.h"

#include <filesystem>

#include "base/hash.h"
#include "base/text.h"
#include "mapping/byte_source.h"
#include "mapping/file_head.h"

namespace kehu::mapping {
namespace {

constexpr size_t kKeyBytes = 4096;

absl::StatusOr<std::string> first_bytes(const std::string& path) {
  auto source = open_file(path);
  if (!source.ok()) return source.status();
  std::string bytes(kKeyBytes, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const auto count = (*source)->read(bytes.data() + filled, bytes.size() - filled);
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    filled += *count;
  }
  bytes.resize(filled);
  return bytes;
}

// Of an empty file, which has no header to miss.
class NoRows final : public RowReader {
 public:
  absl::StatusOr<bool> next(Row&) override { return false; }
  uint64_t position() const override { return 0; }
};

absl::StatusOr<std::unique_ptr<RowReader>> open_reader(const Mapping& mapping, const std::string& path,
                                                       std::string_view first_bytes) {
  if (is_empty(first_bytes)) return std::make_unique<NoRows>();
  if (mapping.file.format == FileFormat::kParquet) return read_parquet(mapping, path);
  if (auto status = check_text(mapping, path, first_bytes); !status.ok()) return status;
  auto source = open_file(path);
  if (!source.ok()) return source.status();
  auto text = as_utf8(*std::move(source), mapping.file.encoding);
  if (!text.ok()) return text.status();
  if (mapping.file.format == FileFormat::kNdjson) return read_ndjson(mapping, *std::move(text));
  if (mapping.file.format == FileFormat::kLog) return read_log(mapping, *std::move(text));
  return read_csv(mapping, *std::move(text), path);
}

}  // namespace

void Report::add(const Report& other) {
  rows += other.rows;
  events += other.events;
  filtered += other.filtered;
  rejected += other.rejected;
  for (size_t i = 0; i < rejected_by_reason.size(); ++i) rejected_by_reason[i] += other.rejected_by_reason[i];
  exact_duplicates += other.exact_duplicates;
  duplicates_at_least = duplicates_at_least || other.duplicates_at_least;
}

FileImport::FileImport(const Mapping& mapping, std::string path, std::string key)
    : path_(std::move(path)), key_(std::move(key)), mapper_(mapping) {
  row_.key = key_;
}

absl::StatusOr<std::unique_ptr<FileImport>> FileImport::open(const Mapping& mapping,
                                                             const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    return failure(absl::StatusCode::kNotFound, path, " is a directory: name the files in it");
  }
  const auto head = first_bytes(path);
  if (!head.ok()) return head.status();
  auto reader = open_reader(mapping, path, *head);
  if (!reader.ok()) return reader.status();
  std::unique_ptr<FileImport> import(new FileImport(mapping, path, file_key(path, *head)));
  import->reader_ = *std::move(reader);
  import->empty_ = is_empty(*head);
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
  mapper_.map(row_, row);
  count(row);
  return true;
}

void FileImport::count(const MappedRow& row) {
  ++report_.rows;
  report_.events += row.event_count;
  report_.filtered += row.filtered();
  report_.rejected += row.rejections.size();
  for (const RowRejection& rejection : row.rejections) {
    ++report_.rejected_by_reason[static_cast<size_t>(rejection.reason)];
  }
  const uint64_t hash = hash64(row.text);
  if (seen_.size() < kRememberedRows) {
    report_.exact_duplicates += !seen_.insert(hash).second;
  } else {
    report_.duplicates_at_least = true;
    report_.exact_duplicates += seen_.contains(hash);
  }
}

std::string FileImport::origin(const MappedRow& row) const {
  return cat(std::string_view(path_).substr(path_.find_last_of('/') + 1), ":", row.line);
}

}  // namespace kehu::mapping
