#include <algorithm>
#include <optional>

#include "base/text.h"
#include "json/text.h"
#include "rows/json_cells.h"
#include "rows/row.h"
#include "rows/window.h"

namespace kehu::rows {
namespace {

// What begins each text of a JSON text sequence (RFC 7464).
constexpr char kSequenceMark = '\x1e';
constexpr std::string_view kBetween = " \t\r\n,\x1e";

// JSON that is not one object to a line: the elements of arrays, and objects behind one another however they
// are spread over lines. The position of a row is the number of its element.
//
// Where a broken element ends its braces do not say. It is taken to end before the next line that begins as
// it began, with the same blanks and a brace, which is how programs write lists.
//
// A file that was cut off is told from one with a broken element by its end: that of an array is a bracket,
// that of an object a brace.
class JsonDocuments : public RowReader {
 public:
  JsonDocuments(const RowSpec& spec, std::unique_ptr<ByteSource> source, std::string name)
      : spec_(spec), window_(std::move(source)), name_(std::move(name)) {}

  absl::Status open() {
    auto cells = JsonCells::make(spec_);
    if (!cells.ok()) return cells.status();
    cells_.emplace(*std::move(cells));
    return absl::OkStatus();
  }

  absl::StatusOr<bool> next(Row& row) override {
    window_.consume(taken_);
    taken_ = 0;
    if (auto status = drop(); !status.ok()) return status;
    const auto any = find_element();
    if (!any.ok() || !*any) return any;
    auto size = measure();
    if (!size.ok()) return size.status();
    const bool whole = size->has_value();
    if (!whole && ends_within()) return cut_off();
    taken_ = whole ? **size : std::min(window_.text().size(), Window::kLongestRow);
    row.line = ++number_;
    row.cells.assign(spec_.columns.size(), {});
    row.text = window_.text().substr(0, taken_);
    row.fault =
        whole ? read(row) : RowFault{Reason::kUnreadableRow, "the object has no end, or more than 1 MiB"};
    if (row.fault && row.fault->reason != Reason::kNotAnObject) {
      took_end_ = ends(row.text);
      cut_at_next_beginning(row, !whole);
    }
    return true;
  }

  uint64_t position() const override { return window_.position(); }
  std::string note() const override { return window_.note(); }

 private:
  absl::Status cut_off() const {
    return failure(absl::StatusCode::kDataLoss, name_,
                   ": the JSON ends too early; the file was cut off, fetch it again");
  }

  // The element that the window begins with goes on at the end of the file, and what is behind it is no end.
  bool ends_within() const {
    const std::string_view rest = window_.text();
    if (!window_.at_end() || rest.size() > Window::kLongestRow) return false;
    return !ends(rest) && rest.find(next_mark()) == rest.npos;
  }

  // As a file does: an array with the brace of its last object and a bracket.
  bool ends(std::string_view text) const {
    const auto drop = [&](char c) {
      text = text.substr(0, text.find_last_not_of(kBetween) + 1);
      if (!text.ends_with(c)) return false;
      text.remove_suffix(1);
      return true;
    };
    return (!in_array_ || drop(']')) && drop('}');
  }

  std::string next_mark() const { return cat(indent_.empty() ? "\n" : indent_, "{"); }

  std::optional<RowFault> read(Row& row) {
    if (!json::is_valid_utf8(row.text))
      return RowFault{Reason::kInvalidUtf8, cat("the object has bytes that are not ", spec_.file.encoding)};
    return cells_->read(row);
  }

  // Drops what stands between elements, brackets of the outermost arrays included, and remembers the blanks
  // before the element. False at the end.
  absl::StatusOr<bool> find_element() {
    while (true) {
      const std::string_view text = window_.text();
      if (text.empty()) {
        const auto grown = window_.more();
        if (!grown.ok()) return grown.status();
        if (*grown) continue;
        if (in_array_ && !took_end_) return cut_off();
        return false;
      }
      const char c = text.front();
      const bool bracket = (c == '[' && !in_array_) || (c == ']' && in_array_);
      if (bracket) in_array_ = c == '[';
      if (!bracket && kBetween.find(c) == kBetween.npos) return true;
      // Only blanks are indentation; behind a bracket in the same line nothing is.
      if (c == '\n' || c == kSequenceMark) {
        indent_ = c;
      } else if ((c == ' ' || c == '\t') && !indent_.empty() && indent_.size() < kLongestIndent) {
        indent_.push_back(c);
      } else if (c != '\r') {
        indent_.clear();
      }
      window_.consume(1);
    }
  }

  // Braces are counted outside of texts, and nothing is parsed: that comes when the element is whole. Each
  // byte is looked at once, however often the window grows, since growing keeps offsets.
  //
  // Bytes of the element that the window begins with; nullopt when it does not end within kLongestRow.
  absl::StatusOr<std::optional<size_t>> measure() {
    size_t at = 0;
    int depth = 0;
    bool in_text = false;
    while (true) {
      const std::string_view text = window_.text();
      for (; at < text.size() && at <= Window::kLongestRow; ++at) {
        const char c = text[at];
        if (in_text) {
          if (c == '\\') ++at;
          in_text = c != '"';
        } else if (c == '{' || c == '[') {
          ++depth;
        } else if (depth > 0 && (c == '}' || c == ']')) {
          if (--depth == 0) return at + 1;
        } else if (depth == 0 && at > 0 && (kBetween.find(c) != kBetween.npos || c == ']')) {
          return at;
        } else {
          in_text = c == '"';
        }
      }
      if (at > Window::kLongestRow) return std::nullopt;
      const auto grown = window_.more();
      if (!grown.ok()) return grown.status();
      if (*grown) continue;
      if (depth == 0 && !in_text) return window_.text().size();
      return std::nullopt;
    }
  }

  // A broken row ends where the next element seems to begin. One that is also endless takes with it what
  // stands before that.
  void cut_at_next_beginning(Row& row, bool endless) {
    mark_ = next_mark();
    const std::string_view text =
        window_.text().substr(0, std::min(window_.text().size(), Window::kLongestRow));
    const size_t next = text.find(mark_);
    dropping_ = endless && next == text.npos;
    if (next == text.npos) return;
    taken_ = next;
    row.text = text.substr(0, next);
    while (!row.text.empty() && kBetween.find(row.text.back()) != kBetween.npos) row.text.remove_suffix(1);
  }

  absl::Status drop() {
    while (dropping_) {
      const size_t next = window_.text().find(mark_);
      dropping_ = next == std::string_view::npos;
      const size_t rest = std::min(window_.text().size(), mark_.size() - 1);  // may be the mark's first half
      window_.consume(dropping_ ? window_.text().size() - rest : next);
      if (!dropping_) break;
      const auto grown = window_.more();
      if (!grown.ok()) return grown.status();
      if (*grown) continue;
      window_.consume(window_.text().size());
      dropping_ = false;
    }
    return absl::OkStatus();
  }

  static constexpr size_t kLongestIndent = 256;

  const RowSpec& spec_;
  std::optional<JsonCells> cells_;
  Window window_;
  const std::string name_;
  size_t taken_ = 0;  // of the window, by the row that was given out
  bool in_array_ = false;
  bool dropping_ = false;
  bool took_end_ = false;      // the bracket of the array was taken for a part of a broken element
  std::string mark_;           // of where the next element begins
  std::string indent_ = "\n";  // line feed and blanks before the element
  uint64_t number_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RowReader>> read_json_documents(const RowSpec& spec,
                                                               std::unique_ptr<ByteSource> source,
                                                               const std::string& name) {
  auto reader = std::make_unique<JsonDocuments>(spec, std::move(source), name);
  if (const absl::Status status = reader->open(); !status.ok()) return status;
  return reader;
}

}  // namespace kehu::rows
