#include "base/limits.h"
#include "base/text.h"
#include "json/fields.h"
#include "rows/encoding.h"
#include "rows/json_cells.h"
#include "rows/row.h"
#include "rows/window.h"

namespace kehu::rows {
namespace {

// Files of one row per line.
class LineReader : public RowReader {
 public:
  LineReader(const RowSpec& spec, std::unique_ptr<ByteSource> source)
      : spec_(spec), check_(spec.file.encoding), window_(std::move(source)) {}

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
    row.open = line.open;
    row.cells.assign(spec_.columns.size(), {});
    row.fault.reset();
    if (line.too_long) {
      row.fault = RowFault{Reason::kUnreadableRow, "the line is longer than 1 MiB"};
    } else if (!check_.is_readable(line.text)) {
      row.fault =
          RowFault{Reason::kInvalidUtf8, cat("the line has bytes that are not ", spec_.file.encoding)};
    } else {
      row.fault = read(row);
    }
    return true;
  }

  uint64_t position() const override { return window_.position(); }
  std::string note() const override { return window_.note(); }

 protected:
  virtual std::optional<RowFault> read(Row& row) = 0;
  const RowSpec& spec_;

 private:
  TextCheck check_;
  Window window_;
  uint64_t line_ = 0;
};

class JsonReader : public LineReader {
 public:
  using LineReader::LineReader;

  absl::Status open() {
    auto cells = JsonCells::make(spec_);
    if (!cells.ok()) return cells.status();
    cells_.emplace(*std::move(cells));
    return skip(spec_.file.skip_lines);
  }

  std::vector<std::string> columns() const override { return names_; }

 private:
  std::optional<RowFault> read(Row& row) override {
    auto fault = cells_->read(row);
    if (fault || !spec_.list_members || !names_.empty()) return fault;
    json::FieldReader members(row.text);
    for (json::Field member; members.next(member);) names_.emplace_back(member.key);
    return fault;
  }

  std::optional<JsonCells> cells_;
  std::vector<std::string> names_;  // members of the first row
};

class LogReader : public LineReader {
 public:
  using LineReader::LineReader;

  absl::Status open() {
    const auto& groups = spec_.file.pattern->group_names();
    groups_.resize(groups.size());
    for (const std::string& column : spec_.columns) {
      size_t at = 0;
      while (groups[at] != column) ++at;
      wanted_.push_back(at);
    }
    return skip(spec_.file.skip_lines);
  }

  std::vector<std::string> columns() const override { return spec_.file.pattern->group_names(); }

 private:
  std::optional<RowFault> read(Row& row) override {
    if (!spec_.file.pattern->capture(row.text, absl::MakeSpan(groups_))) {
      return RowFault{Reason::kUnreadableRow, "the line does not match the mapping's pattern"};
    }
    for (size_t i = 0; i < wanted_.size(); ++i) row.cells[i] = text_cell(spec_.file, groups_[wanted_[i]]);
    return std::nullopt;
  }

  std::vector<std::string_view> groups_;
  std::vector<size_t> wanted_;
};

template <class Reader>
absl::StatusOr<std::unique_ptr<RowReader>> open_reader(const RowSpec& spec,
                                                       std::unique_ptr<ByteSource> source) {
  auto reader = std::make_unique<Reader>(spec, std::move(source));
  if (const absl::Status status = reader->open(); !status.ok()) return status;
  return reader;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_ndjson(const RowSpec& spec,
                                                       std::unique_ptr<ByteSource> source) {
  return open_reader<JsonReader>(spec, std::move(source));
}

absl::StatusOr<std::unique_ptr<RowReader>> read_log(const RowSpec& spec, std::unique_ptr<ByteSource> source) {
  return open_reader<LogReader>(spec, std::move(source));
}

}  // namespace kehu::rows
