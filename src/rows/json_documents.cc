#include <algorithm>
#include <optional>

#include "absl/strings/str_join.h"
#include "base/text.h"
#include "json/document.h"
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
// With FileSpec::list the array is looked for within an object, and behind it in the next one: exports of
// APIs are pages, {"data": […], "next": …}. What stands around the array is passed over as it is read,
// whatever its size.
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
      if (!spec_.file.list.empty() && !in_array_) {
        const auto entered = enter_list();
        if (!entered.ok() || !*entered) return entered;
      }
      const std::string_view text = window_.text();
      if (text.empty()) {
        const auto grown = window_.more();
        if (!grown.ok()) return grown.status();
        if (*grown) continue;
        if (in_array_ && !took_end_) return cut_off();
        return false;
      }
      const char c = text.front();
      if (c == ']' && in_array_ && !spec_.file.list.empty()) {
        if (auto status = leave_list(); !status.ok()) return status;
        continue;
      }
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

  // The next character that is no blank; 0 at the end.
  absl::StatusOr<char> next_solid() {
    while (true) {
      const std::string_view text = window_.text();
      const size_t at = text.find_first_not_of(kBetween);
      window_.consume(std::min(at, text.size()));
      if (at != text.npos) return text[at];
      const auto grown = window_.more();
      if (!grown.ok()) return grown.status();
      if (!*grown) return '\0';
    }
  }

  // Passes over what the window begins with: a text, or everything up to the bracket that ends `depth`
  // levels; of other values all before the comma or bracket behind them. `taken` gets what it was.
  absl::Status pass_over(int depth, std::string* taken = nullptr) {
    bool in_text = false, escaped = false, begun = depth > 0;
    while (true) {
      const std::string_view text = window_.text();
      for (size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool closes = !in_text && (c == '}' || c == ']');
        const bool before = depth == 0 && begun && !in_text && (closes || c == ',' || c == ':');
        if (in_text) {
          in_text = escaped || c != '"';
          escaped = !escaped && c == '\\';
        } else {
          in_text = c == '"';
          depth += (c == '{' || c == '[') - (closes && !before);
        }
        const bool behind = depth == 0 && !in_text && (closes || (c == '"' && begun));
        begun = true;
        if (!before && !behind) continue;
        if (taken != nullptr) taken->append(text.substr(0, at + (before ? 0 : 1)));
        window_.consume(at + (before ? 0 : 1));
        return absl::OkStatus();
      }
      if (taken != nullptr) taken->append(text);
      if (taken != nullptr && taken->size() > Window::kLongestRow) return no_list();
      window_.consume(text.size());
      const auto grown = window_.more();
      if (!grown.ok()) return grown.status();
      if (!*grown) return cut_off();
    }
  }

  absl::Status no_list() const {
    return failure(absl::StatusCode::kInvalidArgument, name_, ": there is no list \"",
                   absl::StrJoin(spec_.file.list, "."), "\" in object ", lists_ + 1, ", as [file] of ",
                   spec_.name, " says");
  }

  // Goes to the first element of the list in the object that comes next. False when none comes.
  absl::StatusOr<bool> enter_list() {
    for (size_t level = 0; level < spec_.file.list.size(); ++level) {
      const auto brace = next_solid();
      if (!brace.ok()) return brace.status();
      if (*brace == '\0' && level == 0 && lists_ > 0) return false;
      if (*brace != '{') return no_list();
      window_.consume(1);
      if (auto status = find_member(spec_.file.list[level]); !status.ok()) return status;
    }
    const auto bracket = next_solid();
    if (!bracket.ok()) return bracket.status();
    if (*bracket != '[') return no_list();
    window_.consume(1);
    in_array_ = true;
    ++lists_;
    return true;
  }

  // Goes to the value of a member of the object that the window is in.
  absl::Status find_member(const std::string& name) {
    while (true) {
      const auto quote = next_solid();
      if (!quote.ok()) return quote.status();
      if (*quote != '"') return no_list();
      std::string key;
      if (auto status = pass_over(0, &key); !status.ok()) return status;
      if (const auto colon = next_solid(); !colon.ok() || *colon != ':') return no_list();
      window_.consume(1);
      if (const auto value = next_solid(); !value.ok()) return value.status();
      const auto text = json::Document::parse(key);
      if (text.ok() && text->root().as_string() == name) return absl::OkStatus();
      if (auto status = pass_over(0); !status.ok()) return status;
    }
  }

  // From the bracket behind the last element to the end of the objects around the list.
  absl::Status leave_list() {
    window_.consume(1);
    in_array_ = false;
    return pass_over(static_cast<int>(spec_.file.list.size()));
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
  uint64_t lists_ = 0;  // entered so far
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
