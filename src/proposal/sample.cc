#include "proposal/sample.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.h"
#include "json/document.h"
#include "json/text.h"
#include "mapping/file_import.h"
#include "mapping/file_kind.h"
#include "proposal/facts.h"
#include "rows/byte_source.h"
#include "rows/file_head.h"
#include "rows/row.h"
#include "text/pattern.h"
#include "workbook/sheet.h"

namespace kehu::proposal {
namespace {

constexpr size_t kHeadBytes = 64 * 1024;
constexpr size_t kJsonRows = 1000;
constexpr size_t kColumnsMax = 400;
constexpr int kDepthMax = 3;
constexpr size_t kMarkBytes = 24;

// Of Apache and nginx: "common" and "combined".
constexpr std::string_view kCombined =
    R"re((?P<ip>\S+) \S+ (?P<account>\S+) \[(?P<time>[^\]]+)\] "(?P<method>\S+) (?P<path>\S+)[^"]*" (?P<status>\d+) (?P<bytes>\S+)(?: "(?P<referrer>[^"]*)" "(?P<user_agent>[^"]*)")?.*)re";

std::string_view without_mark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

// Without the first line that says `sep=;`.
std::string_view without_declaration(std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  if (rows::declared_delimiter(text.substr(0, end))) text.remove_prefix(std::min(end + 1, text.size()));
  return text;
}

std::string_view without_blanks(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n\x1e"), text.size()));
  return text;
}

absl::StatusOr<std::string> decoded(std::string head, const std::string& encoding) {
  auto source = rows::as_utf8(rows::bytes_of(std::move(head)), encoding);
  if (!source.ok()) return source.status();
  std::string out;
  char block[8192];
  while (true) {
    const auto count = (*source)->read(block, sizeof block);
    if (!count.ok()) return count.status();
    if (*count == 0) return out;
    out.append(block, *count);
  }
}

absl::StatusOr<std::string> sheet_text(const std::string& path) {
  auto sheet = workbook::Sheet::open(path, {});
  if (!sheet.ok()) return failure(sheet.status().code(), path, ": ", message_of(sheet.status()));
  std::string out(kHeadBytes, '\0');
  size_t filled = 0;
  while (filled < out.size()) {
    const auto count = (*sheet)->read(out.data() + filled, out.size() - filled);
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    filled += *count;
  }
  out.resize(filled);
  return out;
}

void use(const TableShape& shape, Sample& sample) {
  sample.file.delimiter = shape.delimiter;
  sample.file.quote = shape.quote;
  sample.file.header = !shape.names_given;
  sample.file.skip_lines = shape.title_lines + (shape.header && shape.names_given ? 1 : 0);
  sample.file.trim = sample.file.trim_header = shape.trim;
  if (shape.names_given) sample.file.names = shape.names;
  for (const std::string& name : shape.names) {
    // A column without a name cannot be asked for; spreadsheets and data frames write them.
    if (!name.empty() && sample.columns.size() < kColumnsMax)
      sample.columns.push_back({.name = name, .values = {}});
  }
}

// Lines that no delimiter divides: those of a web server, words between blanks, or each line as a whole.
void use_lines(std::string_view text, Sample& sample) {
  sample.file.format = rows::FileFormat::kLog;
  const std::string_view first = text.substr(0, std::min(text.find('\n'), text.size()));
  const auto matches = [&](const std::string& expression) {
    const auto pattern = text::Pattern::compile(expression);
    std::vector<std::string_view> groups(pattern->group_names().size());
    std::string_view line = first;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return pattern->capture(line, absl::MakeSpan(groups));
  };
  size_t words = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    const bool blank = first[i] == ' ' || first[i] == '\r';
    words += !blank && (i == 0 || first[i - 1] == ' ');
  }
  if (matches(std::string(kCombined))) {
    sample.pattern = kCombined;
  } else if (words > 1 && words <= 50) {
    sample.pattern = R"(\s*)";
    for (size_t i = 1; i <= words; ++i)
      sample.pattern += cat(i > 1 ? R"(\s+)" : "", "(?P<column", i, R"(>\S+))");
    sample.pattern += R"(\s*)";
  } else {
    sample.pattern = "(?P<line>.*)";
  }
  auto pattern = text::Pattern::compile(sample.pattern);
  for (const std::string& name : pattern->group_names()) {
    if (!name.empty()) sample.columns.push_back({.name = name, .values = {}});
  }
  sample.file.pattern = *std::move(pattern);
}

// True when a share of the lines that does not matter is all that the pattern leaves.
bool most_lines_match(std::string_view text, const text::Pattern& pattern) {
  size_t lines = 0, matched = 0;
  std::vector<std::string_view> groups(pattern.group_names().size());
  while (text.find('\n') != text.npos && lines < 200) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++lines;
    matched += pattern.capture(line, absl::MakeSpan(groups));
  }
  return matched == lines;
}

class JsonPaths {
 public:
  void add(const json::Value& object, const std::string& before, int depth) {
    for (const auto& member : object) {
      // A path names a member with dots in its name where it stands in the row itself.
      const bool plain = !member.key.empty() &&
                         member.key.find_first_of(depth == 1 ? "[]" : ".[]") == member.key.npos &&
                         !member.key.starts_with('.') && !member.key.ends_with('.') &&
                         member.key.find("..") == member.key.npos;
      if (!plain) continue;
      const std::string path = before + member.key;
      if (member.value.is_object() && depth < kDepthMax) {
        add(member.value, path + ".", depth + 1);
      } else if (!member.value.is_null()) {
        put(path, member.value.is_object() || member.value.is_array());
      }
    }
  }
  std::vector<Column> take() { return std::move(columns_); }

 private:
  void put(const std::string& path, bool nested) {
    const auto [at, is_new] = places_.emplace(path, columns_.size());
    if (!is_new) {
      columns_[at->second].nested |= nested;
    } else if (columns_.size() < kColumnsMax) {
      columns_.push_back({.name = path, .values = {}, .nested = nested});
    }
  }
  std::map<std::string, size_t> places_;
  std::vector<Column> columns_;
};

absl::StatusOr<std::unique_ptr<rows::RowReader>> open(const mapping::Mapping& mapping,
                                                      const std::string& path) {
  const auto bytes = rows::read_first_bytes(path);
  if (!bytes.ok()) return bytes.status();
  return mapping::open_rows(mapping, path, *bytes);
}

// The list that the rows of one object stand in, {"data": [{…}, …], "next": …}: the longest one whose
// elements are objects, not below kDepthMax levels. Looks at the beginning of the object and bears that it is
// cut off.
class ListFinder {
 public:
  explicit ListFinder(std::string_view text) : text_(text) { walk({}); }

  // Empty when there is none; and where what stands around says whose it is, because it is then a row that
  // has a list, an order with its items.
  std::vector<std::string> path() const { return is_row_ ? std::vector<std::string>() : path_; }

 private:
  void walk(const std::vector<std::string>& above) {
    ++at_;  // the brace
    while (true) {
      const size_t quote = text_.find_first_not_of(" \t\r\n,", at_);
      if (quote == text_.npos || text_[quote] != '"') {
        at_ = quote == text_.npos ? text_.size() : quote + 1;
        return;
      }
      at_ = quote;
      pass_over();
      const auto key = json::Document::parse(text_.substr(quote, at_ - quote));
      at_ = std::min(text_.find_first_not_of(" \t\r\n:", at_), text_.size());
      if (!key.ok() || at_ == text_.size()) return;
      std::vector<std::string> place = above;
      place.push_back(key->root().as_string().value_or(""));
      take_value(place);
    }
  }

  void take_value(const std::vector<std::string>& place) {
    const size_t begin = at_;
    const char first = text_[begin];
    if (first == '{' && place.size() < static_cast<size_t>(kDepthMax)) return walk(place);
    pass_over();
    if (first == '[' && without_blanks(text_.substr(begin + 1)).starts_with('{') && at_ - begin > longest_ &&
        place.back().find('.') == std::string::npos) {
      longest_ = at_ - begin;
      path_ = place;
    }
    const Role role = first == '[' || first == '{' ? Role::kNone : role_of_name(place.back());
    is_row_ = is_row_ || (role != Role::kNone && role <= Role::kEmail) || role == Role::kOrder;
  }

  // A value of any kind, to its end or that of the text.
  void pass_over() {
    int depth = 0;
    bool in_text = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (in_text) {
        at_ += c == '\\';
        in_text = c != '"';
        if (!in_text && depth == 0) break;
        continue;
      }
      in_text = c == '"';
      const bool closes = c == '}' || c == ']';
      if (depth == 0 && (closes || c == ',')) return;
      depth += (c == '{' || c == '[') - closes;
      if (closes && depth == 0) break;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t longest_ = 0;
  std::vector<std::string> path_;
  bool is_row_ = false;
};

absl::Status find_json_columns(const std::string& path, Sample& sample) {
  mapping::Mapping mapping;
  mapping.file = sample.file;
  auto rows = open(mapping, path);
  if (!rows.ok()) return rows.status();
  JsonPaths paths;
  rows::Row row;
  for (size_t i = 0; i < kJsonRows; ++i) {
    const auto any = (*rows)->next(row);
    if (!any.ok() || !*any) break;
    if (row.fault) continue;
    const auto document = json::Document::parse(row.text);
    if (document.ok()) paths.add(document->root(), "", 1);
  }
  sample.columns = paths.take();
  return absl::OkStatus();
}

// From what is certain to what is a guess: magic bytes, then kinds that are refused with advice, then JSON
// by its first brace, then a table, and lines of a log last. Lines of a web server are looked for before a
// table is believed; and a table that was doubted is taken after all when its lines do not follow the
// pattern that was made of the first.
absl::Status find_columns(const std::string& path, const std::string& head, Sample& sample) {
  mapping::Mapping as_csv;
  as_csv.name = "the mapping";
  if (head.starts_with("PAR1")) {
    sample.file.format = rows::FileFormat::kParquet;
    if (auto status = mapping::check_parquet(as_csv, path); !status.ok()) return status;
    const auto names = rows::parquet_columns(path);
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) sample.columns.push_back({.name = name, .values = {}});
    return absl::OkStatus();
  }
  if (mapping::is_zip(head) && workbook::is_workbook(path)) {
    sample.file.format = rows::FileFormat::kXlsx;
    const auto text = sheet_text(path);
    if (!text.ok()) return text.status();
    TableShape shape = shape_of(*text);
    shape.delimiter = ',';
    shape.trim = false;
    shape.quote = '"';
    use(shape, sample);
    return absl::OkStatus();
  }
  as_csv.file.format = rows::FileFormat::kLog;  // text of any kind
  if (auto status = mapping::check_kind(as_csv, path, head); !status.ok()) return status;
  sample.file.encoding = rows::encoding_of(head);
  const auto whole = decoded(head, sample.file.encoding);
  if (!whole.ok()) return whole.status();
  const std::string_view text = without_declaration(without_mark(*whole));
  const std::string_view begin = without_blanks(text);
  const bool json =
      begin.starts_with('{') || (begin.starts_with('[') && without_blanks(begin.substr(1)).starts_with('{'));
  if (json) {
    sample.file.format = rows::FileFormat::kNdjson;
    if (begin.starts_with('{')) sample.file.list = ListFinder(begin).path();
    return find_json_columns(path, sample);
  }
  as_csv.file.format = rows::FileFormat::kCsv;
  if (auto status = mapping::check_kind(as_csv, path, head); !status.ok()) return status;
  const TableShape shape = shape_of(text);
  const auto combined = text::Pattern::compile(kCombined);
  if (shape.fits && (shape.names.size() > 1 || text.find(' ') == text.npos) &&
      !most_lines_match(text, *combined)) {
    use(shape, sample);
    return absl::OkStatus();
  }
  use_lines(text, sample);
  if (most_lines_match(text, *sample.file.pattern)) return absl::OkStatus();
  sample.columns.clear();
  if (shape.fits) {
    use(shape, sample);
    sample.file.format = rows::FileFormat::kCsv;
    sample.pattern.clear();
    return absl::OkStatus();
  }
  sample.pattern = "(?P<line>.*)";
  sample.file.pattern = *text::Pattern::compile(sample.pattern);
  sample.columns.push_back({.name = "line", .values = {}});
  return absl::OkStatus();
}

// What stands below a table, as bills end: a rule, or sums, in lines that are no rows. A text that they begin
// with and no row; empty where nothing can tell them apart.
std::string end_of_table(const mapping::Mapping& mapping, const std::string& path, uint64_t after,
                         const std::string& first) {
  constexpr size_t kRule = 5;  // "-----" and longer
  const size_t alike = std::min(first.find_first_not_of(first.substr(0, 1)), first.size());
  const auto delimiters = std::count(first.begin(), first.end(), mapping.file.delimiter);
  const bool row_that_broke = delimiters > 1 || mapping.columns.size() < 4 ||
                              (mapping.file.quote && first.find(*mapping.file.quote) != first.npos);
  if (row_that_broke && alike < kRule) return {};
  std::string mark = first.substr(0, alike >= kRule ? kRule : first.find_first_of("0123456789:,"));
  mark.resize(std::min(mark.size(), kMarkBytes));
  mark.resize(json::valid_utf8_prefix(mark));
  if (mark.size() < 2) return {};
  auto rows = open(mapping, path);
  rows::Row row;
  while (rows.ok()) {
    const auto any = (*rows)->next(row);
    if (!any.ok() || !*any || row.line > after) break;
    if (row.text.starts_with(mark)) return {};
  }
  return mark;
}

// Words that programs write for nothing are no values.
void take_nulls(Sample& sample) {
  static constexpr std::string_view kNulls[] = {"NULL", "null", "\\N", "NaN", "nan", "None", "N/A", "#N/A"};
  std::set<std::string> found;
  for (Column& column : sample.columns) {
    for (std::string& value : column.values) {
      if (std::find(std::begin(kNulls), std::end(kNulls), value) == std::end(kNulls)) continue;
      found.insert(value);
      value.clear();
    }
  }
  sample.file.nulls.assign(found.begin(), found.end());
}

}  // namespace

absl::StatusOr<Sample> take_sample(const std::string& path) {
  const auto head = rows::read_first_bytes(path, kHeadBytes);
  if (!head.ok()) return head.status();
  if (rows::is_empty(*head))
    return failure(absl::StatusCode::kInvalidArgument, path, " is empty: nothing can be said of its columns");
  Sample sample;
  if (auto status = find_columns(path, *head, sample); !status.ok()) return status;
  mapping::Mapping mapping;
  mapping.name = "the proposal";
  mapping.file = sample.file;
  for (const Column& column : sample.columns) mapping.columns.push_back(column.name);
  auto rows = open(mapping, path);
  if (!rows.ok()) return rows.status();
  rows::Row row;
  uint64_t last_row = 0;
  std::string below;  // the first line behind the last row
  bool at_end = false;
  while (sample.rows < Sample::kRowsMax) {
    const auto any = (*rows)->next(row);
    at_end = any.ok() && !*any;
    if (!any.ok() || !*any) break;
    if (row.fault) {
      if (below.empty()) below = row.text;
      continue;
    }
    below.clear();
    last_row = row.line;
    ++sample.rows;
    for (size_t i = 0; i < sample.columns.size(); ++i) {
      sample.columns[i].values.emplace_back(row.cells[i].text);
      sample.columns[i].nested |= row.cells[i].kind == rows::CellKind::kJson;
      if (!mapping::has_lost_digits(sample.file, row.cells[i])) continue;
      if (sample.columns[i].digits_lost++ == 0) sample.columns[i].lost = row.cells[i].text;
    }
  }
  if (at_end && !below.empty() && sample.file.format == rows::FileFormat::kCsv)
    sample.file.until = end_of_table(mapping, path, last_row, below);
  take_nulls(sample);
  if (sample.rows == 0)
    return failure(absl::StatusCode::kInvalidArgument, path,
                   " has no rows: nothing can be said of its columns");
  return sample;
}

}  // namespace kehu::proposal
