#include <filesystem>

#include "base/text.h"
#include "rows/row.h"
#include "workbook/sheet.h"

namespace kehu::rows {
namespace {

class SheetSource final : public ByteSource {
 public:
  SheetSource(std::unique_ptr<workbook::Sheet> sheet, std::string path)
      : sheet_(std::move(sheet)), path_(std::move(path)) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_, error);
    size_ = error ? 0 : size;
  }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    auto count = sheet_->read(to, size);
    if (count.ok()) return count;
    return failure(count.status().code(), path_, ": ", message_of(count.status()));
  }
  uint64_t position() const override {
    return static_cast<uint64_t>(sheet_->progress() * static_cast<double>(size_));
  }
  std::string note() const override {
    if (sheet_->error_cells() == 0) return {};
    return cat(sheet_->error_cells(), " cells hold an error (#N/A, #VALUE! …) and were read as empty");
  }

 private:
  std::unique_ptr<workbook::Sheet> sheet_;
  std::string path_;
  uint64_t size_ = 0;
};

// A workbook needs none of what the mapping says about the text of its other files.
class WorkbookReader final : public RowReader {
 public:
  explicit WorkbookReader(const RowSpec& spec) : spec_(spec) {
    spec_.file.encoding = "UTF-8";
    spec_.file.delimiter = ',';
    spec_.file.quote = '"';
  }

  absl::Status open(const std::string& path) {
    const FileSpec& file = spec_.file;
    auto sheet = workbook::Sheet::open(path, {.name = file.sheet,
                                              .header_row = file.header ? file.skip_lines + 1 : 0,
                                              .width = file.names.size()});
    if (!sheet.ok()) return failure(sheet.status().code(), path, ": ", message_of(sheet.status()));
    auto rows = read_csv(spec_, std::make_unique<SheetSource>(*std::move(sheet), path), path);
    if (!rows.ok()) return rows.status();
    rows_ = *std::move(rows);
    return absl::OkStatus();
  }

  absl::StatusOr<bool> next(Row& row) override { return rows_->next(row); }
  uint64_t position() const override { return rows_->position(); }
  std::string note() const override { return rows_->note(); }

 private:
  RowSpec spec_;
  std::unique_ptr<RowReader> rows_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_workbook(const RowSpec& spec, const std::string& path) {
  auto reader = std::make_unique<WorkbookReader>(spec);
  if (auto status = reader->open(path); !status.ok()) return status;
  return reader;
}

}  // namespace kehu::rows
