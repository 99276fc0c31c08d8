#include <algorithm>

#include "base/text.h"
#include "json/text.h"
#include "rows/encoding.h"
#include "rows/row.h"
#include "rows/window.h"
#include "text/near_word.h"

namespace kehu::rows {
namespace {

// Reads CSV as RFC 4180 has it, and what files do beyond it: any delimiter, lines that end in LF, quotes
// inside unquoted values. Values are views into the window. A record that the window cuts off is scanned
// again from its beginning when there is more, which is simpler than a scanner that can stop anywhere;
// kLongestRow bounds what is scanned twice.
class CsvReader : public RowReader {
 public:
  CsvReader(const RowSpec& spec, std::unique_ptr<ByteSource> source, std::string name)
      : spec_(spec),
        file_(spec.file),
        check_(file_.encoding),
        window_(std::move(source)),
        name_(std::move(name)) {}

  absl::Status open() {
    if (auto status = take_declaration(); !status.ok()) return status;
    for (uint64_t i = 0; i < file_.skip_lines; ++i, ++line_) {
      Window::Line line;
      if (const auto any = window_.next_line(line); !any.ok()) return any.status();
    }
    std::vector<std::string> names = file_.names;
    if (file_.header) {
      Row header;
      const auto any = next_record(header);
      if (!any.ok()) return any.status();
      if (!*any || header.fault) {
        return failure(absl::StatusCode::kInvalidArgument, name_, ": there is no header line");
      }
      names.assign(values_.begin(), values_.end());
      header_ = header.text;
      if (file_.trim_header) {
        for (std::string& column : names) column = std::string(trimmed(column));
      }
    }
    return bind(names);
  }

  absl::StatusOr<bool> next(Row& row) override {
    const auto any = next_record(row);
    if (!any.ok() || !*any) return any;
    row.cells.resize(spec_.columns.size());
    if (!row.fault && values_.size() != width_) {
      row.fault =
          RowFault{Reason::kUnreadableRow, cat(width_, " columns expected, ", values_.size(), " found")};
    }
    if (!row.fault && !check_.is_readable(row.text)) {
      row.fault = RowFault{Reason::kInvalidUtf8, cat("the row has bytes that are not ", file_.encoding)};
    }
    if (row.fault) return true;
    for (size_t i = 0; i < wanted_.size(); ++i) row.cells[i] = text_cell(file_, values_[wanted_[i]]);
    return true;
  }

  std::vector<std::string> columns() const override { return names_; }
  uint64_t position() const override { return window_.position(); }
  std::string note() const override { return window_.note(); }

 private:
  // The first line that programs write for Excel, "sep=;": what stands between the columns, whatever the
  // mapping says. Who skips lines has counted it.
  absl::Status take_declaration() {
    constexpr size_t kLongest = sizeof("\"sep=;\"\r\n") - 1;
    if (file_.skip_lines > 0) return absl::OkStatus();
    while (window_.text().size() < kLongest) {
      const auto grown = window_.more();
      if (!grown.ok()) return grown.status();
      if (!*grown) break;
    }
    const std::string_view text = window_.text();
    const size_t end = text.substr(0, kLongest).find('\n');
    const auto delimiter = declared_delimiter(text.substr(0, std::min(end, text.size())));
    if (end == text.npos || !delimiter) return absl::OkStatus();
    delimiter_ = *delimiter;
    window_.consume(end + 1);
    ++line_;
    return absl::OkStatus();
  }

  enum class Scan : uint8_t { kWhole, kCutOff, kTextBehindQuote, kEmptyLine };

  absl::Status bind(const std::vector<std::string>& names) {
    names_ = names;
    width_ = names.size();
    for (const std::string& column : spec_.columns) {
      const auto at = std::find(names.begin(), names.end(), column);
      if (at == names.end()) return missing(column, names);
      if (std::find(at + 1, names.end(), column) != names.end()) return twice(column);
      wanted_.push_back(static_cast<size_t>(at - names.begin()));
    }
    return absl::OkStatus();
  }

  absl::Status missing(const std::string& column, const std::vector<std::string>& names) const {
    std::string hint = text::did_you_mean(column, names);
    const auto blank = [&](const std::string& name) { return trimmed(name) == column; };
    if (std::any_of(names.begin(), names.end(), blank))
      hint = "; its header has blanks, set trim_header = true";
    if (const auto other = other_delimiter(column)) {
      hint = cat("; its columns are separated by ",
                 *other == '\t' ? std::string("tabs") : cat("\"", std::string(1, *other), "\""),
                 ": write delimiter = \"", *other == '\t' ? "\\t" : std::string(1, *other),
                 "\" into [file] of ", spec_.name);
    }
    return failure(absl::StatusCode::kNotFound, name_, " has no column \"", column, "\"; it has ",
                   text::list_of(names), hint);
  }

  // The character that would give the header this column.
  std::optional<char> other_delimiter(std::string_view column) const {
    for (const char other : {',', ';', '\t', '|'}) {
      if (other == delimiter_) continue;
      std::string_view rest = header_;
      while (rest.size() < header_.size() || rest.find(other) != rest.npos) {
        const size_t end = std::min(rest.find(other), rest.size());
        std::string_view name = trimmed(rest.substr(0, end));
        if (name.size() > 1 && name.front() == '"' && name.back() == '"')
          name = name.substr(1, name.size() - 2);
        if (name == column) return other;
        if (end == rest.size()) break;
        rest.remove_prefix(end + 1);
      }
    }
    return std::nullopt;
  }

  absl::Status twice(const std::string& column) const {
    return failure(
        absl::StatusCode::kInvalidArgument, name_, " has two columns \"", column,
        "\", and the mapping does not say which: rename one, or write header = false, skip_lines = ",
        file_.skip_lines + 1, " and columns = […] with names of your own into [file]");
  }

  absl::StatusOr<bool> next_record(Row& row) {
    row.fault.reset();
    while (true) {
      while (window_.text().size() <= file_.until.size()) {
        const auto grown = window_.more();
        if (!grown.ok()) return grown.status();
        if (!*grown) break;
      }
      const bool ended = !file_.until.empty() && window_.text().starts_with(file_.until);
      if (window_.text().empty() || ended) return false;
      const Scan scan = scan_record();
      if (scan == Scan::kCutOff && !window_.at_end() && window_.text().size() <= Window::kLongestRow) {
        if (const auto grown = window_.more(); !grown.ok()) return grown.status();
        continue;
      }
      if (scan == Scan::kEmptyLine) {
        consume_record();
        continue;
      }
      if (scan == Scan::kCutOff)
        return broken_line(row, "a quote is never closed, or the row is longer than 1 MiB");
      if (scan == Scan::kTextBehindQuote) return broken_line(row, "a closing quote is followed by text");
      return finish(row);
    }
  }

  bool finish(Row& row) {
    row.line = line_;
    row.text = window_.text().substr(0, text_size_);
    row.open = text_size_ == record_size_;
    row.values = values_;
    consume_record();
    return true;
  }

  void consume_record() {
    line_ += lines_;
    window_.consume(record_size_);
  }

  // Only the first line is lost: where a row really ended nobody can say, so reading goes on at the next
  // line.
  absl::StatusOr<bool> broken_line(Row& row, const char* what) {
    Window::Line line;
    if (const auto any = window_.next_line(line); !any.ok()) return any.status();
    row.line = line_++;
    row.text = line.text;
    row.open = line.open;
    row.fault = RowFault{Reason::kUnreadableRow, what};
    return true;
  }

  // Splits the record at the front of the window into values_, and measures it.
  Scan scan_record() {
    const std::string_view text = window_.text();
    values_.clear();
    unescaped_.clear();
    lines_ = 1;
    if (text.front() == '\n' || text.starts_with("\r\n")) {
      record_size_ = text.front() == '\n' ? 1 : 2;
      return Scan::kEmptyLine;
    }
    size_t at = 0;
    while (true) {
      const Scan scan =
          at < text.size() && text[at] == file_.quote ? scan_quoted(text, at) : scan_plain(text, at);
      if (scan != Scan::kWhole) return scan;
      if (at == text.size()) return end_of_record(at, at);
      if (text[at] == delimiter_) {
        ++at;
        if (at == text.size() && !window_.at_end()) return Scan::kCutOff;
        continue;
      }
      const size_t end = at;
      if (text[at] == '\r') ++at;
      return end_of_record(end, at + 1);
    }
  }

  Scan end_of_record(size_t text_size, size_t record_size) {
    text_size_ = text_size;
    record_size_ = record_size;
    return Scan::kWhole;
  }

  // Up to the delimiter or the line's end; `at` ends on it.
  Scan scan_plain(std::string_view text, size_t& at) {
    const size_t begin = at;
    while (at < text.size() && text[at] != delimiter_ && text[at] != '\n') ++at;
    if (at == text.size() && !window_.at_end()) return Scan::kCutOff;
    if (at > begin && text[at - 1] == '\r' && (at == text.size() || text[at] == '\n')) --at;
    values_.push_back(text.substr(begin, at - begin));
    if (at < text.size() && text[at] == '\r' && at + 1 == text.size()) at = text.size();
    return Scan::kWhole;
  }

  Scan scan_quoted(std::string_view text, size_t& at) {
    const size_t begin = ++at;
    bool doubled = false;
    while (true) {
      const size_t quote = text.find(*file_.quote, at);
      if (quote == std::string_view::npos) return Scan::kCutOff;
      if (quote + 1 == text.size() && !window_.at_end()) return Scan::kCutOff;
      at = quote + 1;
      if (at == text.size() || text[at] != file_.quote) break;
      doubled = true;
      ++at;
    }
    const std::string_view inner = text.substr(begin, at - 1 - begin);
    lines_ += static_cast<uint64_t>(std::count(inner.begin(), inner.end(), '\n'));
    values_.push_back(doubled ? undoubled(inner, text.size()) : inner);
    if (at == text.size() || text[at] == delimiter_ || text[at] == '\n') return Scan::kWhole;
    if (text[at] != '\r') return Scan::kTextBehindQuote;
    if (at + 1 == text.size()) return window_.at_end() ? Scan::kTextBehindQuote : Scan::kCutOff;
    return text[at + 1] == '\n' ? Scan::kWhole : Scan::kTextBehindQuote;
  }

  // Views into unescaped_ must not move: it gets room for the whole window before the first one.
  std::string_view undoubled(std::string_view inner, size_t room) {
    if (unescaped_.empty()) unescaped_.reserve(room);
    const size_t begin = unescaped_.size();
    for (size_t i = 0; i < inner.size(); ++i) {
      unescaped_.push_back(inner[i]);
      if (inner[i] == *file_.quote) ++i;
    }
    return std::string_view(unescaped_).substr(begin);
  }

  const RowSpec& spec_;
  const FileSpec& file_;
  TextCheck check_;
  Window window_;
  std::string name_;
  char delimiter_ = file_.delimiter;
  std::string header_;              // its line
  std::vector<std::string> names_;  // of its columns
  uint64_t line_ = 1;
  size_t width_ = 0;
  std::vector<size_t> wanted_;
  std::vector<std::string_view> values_;
  std::string unescaped_;
  size_t text_size_ = 0;    // of the record in the window
  size_t record_size_ = 0;  // with its line's end
  uint64_t lines_ = 1;
};

}  // namespace

std::optional<char> declared_delimiter(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with('"') && line.ends_with('"') && line.size() > 1) line = line.substr(1, line.size() - 2);
  return line.size() == 5 && line.starts_with("sep=") ? std::optional(line.back()) : std::nullopt;
}

absl::StatusOr<std::unique_ptr<RowReader>> read_csv(const RowSpec& spec, std::unique_ptr<ByteSource> source,
                                                    const std::string& name) {
  auto reader = std::make_unique<CsvReader>(spec, std::move(source), name);
  if (const absl::Status status = reader->open(); !status.ok()) return status;
  return reader;
}

}  // namespace kehu::rows
