#include "base/limits.h"
#include "base/text.h"
#include "mapping/json_cells.h"
#include "mapping/row.h"
#include "mapping/window.h"

namespace kehu::mapping {
namespace {

// Files of one row per line.
class LineReader : public RowReader {
 public:
  LineReader(const Mapping& mapping, std::unique_ptr<ByteSource> source)
      : mapping_(mapping), window_(std::move(source)) {}

  absl::Status skip(uint64_t lines) {
    Window::Line line;
    for (; line_ < lines; ++line_) {
      if (const auto any = window_.next_line(line); !any.ok()) return any.status();
    }
    return absl::OkStatus();
  }

  absl::StatusOr<bool> next(Row& row) override {
    Window::Line line;
    do {
      const auto any = window_.next_line(line);
      if (!any.ok() || !*any) return any;
      ++line_;
    } while (line.text.find_first_not_of(" \t") == std::string_view::npos);
    row.line = line_;
    row.text = line.text;
    row.cells.assign(mapping_.columns.size(), {});
    row.fault.reset();
    if (line.too_long) {
      row.fault = RowFault{Reason::kUnreadableRow, "the line is longer than 1 MiB"};
    } else if (!json::is_valid_utf8(line.text)) {
      row.fault =
          RowFault{Reason::kInvalidUtf8, cat("the line has bytes that are not ", mapping_.file.encoding)};
    } else {
      row.fault = read(row);
    }
    return true;
  }

  uint64_t position() const override { return window_.position(); }

 protected:
  virtual std::optional<RowFault> read(Row& row) = 0;
  const Mapping& mapping_;

 private:
  Window window_;
  uint64_t line_ = 0;
};

class JsonReader : public LineReader {
 public:
  using LineReader::LineReader;

  absl::Status open() {
    auto cells = JsonCells::make(mapping_);
    if (!cells.ok()) return cells.status();
    cells_.emplace(*std::move(cells));
    return skip(mapping_.file.skip_lines);
  }

 private:
  std::optional<RowFault> read(Row& row) override { return cells_->read(row); }

  std::optional<JsonCells> cells_;
};

class LogReader : public LineReader {
 public:
  using LineReader::LineReader;

  absl::Status open() {
    const auto& groups = mapping_.file.pattern->group_names();
    groups_.resize(groups.size());
    for (const std::string& column : mapping_.columns) {
      size_t at = 0;
      while (groups[at] != column) ++at;
      wanted_.push_back(at);
    }
    return skip(mapping_.file.skip_lines);
  }

 private:
  std::optional<RowFault> read(Row& row) override {
    if (!mapping_.file.pattern->capture(row.text, absl::MakeSpan(groups_))) {
      return RowFault{Reason::kUnreadableRow, "the line does not match the mapping's pattern"};
    }
    for (size_t i = 0; i < wanted_.size(); ++i) row.cells[i] = text_cell(mapping_.file, groups_[wanted_[i]]);
    return std::nullopt;
  }

  std::vector<std::string_view> groups_;
  std::vector<size_t> wanted_;
};

template <class Reader>
absl::StatusOr<std::unique_ptr<RowReader>> open_reader(const Mapping& mapping,
                                                       std::unique_ptr<ByteSource> source) {
  auto reader = std::make_unique<Reader>(mapping, std::move(source));
  if (const absl::Status status = reader->open(); !status.ok()) return status;
  return reader;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_ndjson(const Mapping& mapping,
                                                       std::unique_ptr<ByteSource> source) {
  return open_reader<JsonReader>(mapping, std::move(source));
}

absl::StatusOr<std::unique_ptr<RowReader>> read_log(const Mapping& mapping,
                                                    std::unique_ptr<ByteSource> source) {
  return open_reader<LogReader>(mapping, std::move(source));
}

}  // namespace kehu::mapping
