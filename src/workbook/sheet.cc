#include "workbook/sheet.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "base/text.h"
#include "workbook/archive.h"
#include "workbook/parts.h"
#include "workbook/xml.h"

namespace kehu::workbook {
namespace {

// Small, because a few bytes may name long texts.
constexpr size_t kPieceBytes = 4096;
constexpr uint64_t kRowsMax = 1'048'576;
constexpr size_t kColumnsMax = 16'384;
// A row of more is a rejection for whoever reads the text; what is beyond need not be kept.
constexpr size_t kRowBytesMax = 2u << 20;

// "BC12" → 54, from 0; nullopt for what is no cell. Letters are digits from A = 1 to Z = 26 without a zero
// (bijective base 26): AA follows Z.
std::optional<size_t> column_of(std::string_view cell) {
  size_t column = 0, letters = 0;
  for (; letters < cell.size() && cell[letters] >= 'A' && cell[letters] <= 'Z' && letters < 4; ++letters)
    column = column * 26 + static_cast<size_t>(cell[letters] - 'A' + 1);
  if (letters == 0 || column > kColumnsMax) return std::nullopt;
  return column - 1;
}

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

void append_csv(std::string_view value, std::string& out) {
  if (value.find_first_of(",\"\r\n") == value.npos) {
    out.append(value);
    return;
  }
  out.push_back('"');
  for (const char c : value) out.append(c == '"' ? 2 : 1, c);
  out.push_back('"');
}

// <sheetData><row r="2"><c r="A2" s="1" t="s"><v>0</v></c>… (ECMA-376 part 1, 18.3.1). Rows and cells without
// content are left out, so their places are read and gaps filled; writers may leave the places out, too, and
// then they follow each other. `t` says what the value is: a text of the table that all sheets share by its
// number ("s"), a text that stands here, a truth, an error, or else a number, which only its style tells from
// a date. <rPh> holds how a Japanese text is pronounced, with <t> of its own that is none of the cell's.
class Rows final : public XmlVisitor {
 public:
  Rows(const Parts& parts, const SharedTexts& texts, const SheetChoice& choice)
      : parts_(parts), texts_(texts), header_row_(choice.header_row), width_(choice.width) {}

  void on_begin(std::string_view name, const Attributes& attributes) override {
    if (name == "row") {
      begin_row(attributes);
    } else if (name == "c") {
      begin_cell(attributes);
    } else if (name == "rPh") {
      in_sound_ = true;
    }
    in_value_ = name == "v" || (name == "t" && !in_sound_);
  }

  void on_end(std::string_view name) override {
    in_value_ = false;
    if (name == "rPh") in_sound_ = false;
    if (name == "c") end_cell();
    if (name == "row") end_row();
  }

  void on_text(std::string_view text) override {
    if (in_value_ && value_.size() < kRowBytesMax) value_.append(text);
  }

  std::string& out() { return out_; }
  uint64_t error_cells() const { return error_cells_; }
  const absl::Status& status() const override { return status_; }

 private:
  void begin_row(const Attributes& attributes) {
    const uint64_t row = number_of(attributes.find("r")).value_or(row_ + 1);
    cells_.clear();
    cell_bytes_ = 0;
    next_column_ = 0;
    if (row <= row_ || row > kRowsMax) {
      status_.Update(failure(absl::StatusCode::kDataLoss, "row ", row, " of the sheet stands behind row ",
                             row_, ": save the workbook again"));
      return;
    }
    out_.append(static_cast<size_t>(row - row_ - 1), '\n');
    row_ = row;
  }

  void begin_cell(const Attributes& attributes) {
    value_.clear();
    type_ = attributes.find("t");
    style_ = number_of(attributes.find("s")).value_or(0);
    const std::string_view place = attributes.find("r");
    column_ = place.empty() ? next_column_ : column_of(place).value_or(kColumnsMax);
    next_column_ = column_ + 1;
  }

  void end_cell() {
    if (column_ >= kColumnsMax || cell_bytes_ > kRowBytesMax) return;
    std::string text = text_of_cell();
    if (text.empty()) return;
    if (cells_.size() <= column_) cells_.resize(column_ + 1);
    cell_bytes_ += text.size();
    cells_[column_] = std::move(text);
  }

  std::string text_of_cell() {
    if (type_ == "s") return std::string(texts_.find(number_of(value_).value_or(SIZE_MAX)));
    if (type_ == "str" || type_ == "inlineStr") return without_escapes(value_);
    if (type_ == "b") return value_ == "1" || value_ == "true" ? "true" : value_.empty() ? "" : "false";
    if (type_ == "e") {
      ++error_cells_;
      return {};
    }
    if (type_ == "d") return value_;
    const NumberFormat format = style_ < parts_.styles.size() ? parts_.styles[style_] : NumberFormat::kPlain;
    return format == NumberFormat::kPlain ? number_text(value_) : date_text(value_, format, parts_.from_1904);
  }

  void end_row() {
    if (row_ == header_row_) width_ = std::max(width_, cells_.size());
    const bool blank = cells_.empty();
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (i > 0) out_.push_back(',');
      append_csv(cells_[i], out_);
    }
    if (!blank && width_ > cells_.size()) out_.append(width_ - cells_.size(), ',');
    out_.push_back('\n');
  }

  const Parts& parts_;
  const SharedTexts& texts_;
  const uint64_t header_row_;
  size_t width_;
  std::string out_;
  std::vector<std::string> cells_;
  size_t cell_bytes_ = 0;
  uint64_t row_ = 0;
  size_t column_ = 0;
  size_t next_column_ = 0;
  std::string type_;
  std::string value_;
  uint64_t style_ = 0;
  bool in_value_ = false;
  bool in_sound_ = false;
  uint64_t error_cells_ = 0;
  absl::Status status_;
};

class StreamedSheet final : public Sheet {
 public:
  StreamedSheet(std::unique_ptr<Archive> archive, Parts parts, const SheetEntry& entry,
                const SheetChoice& choice)
      : archive_(std::move(archive)),
        parts_(std::move(parts)),
        rows_(parts_, texts_, choice),
        parser_(rows_, cat("sheet \"", entry.name, "\" of the workbook")) {}

  absl::Status open(const SheetEntry& entry) {
    if (auto status = texts_.read(*archive_); !status.ok()) return status;
    auto part = archive_->open_part(entry.part);
    if (!part.ok()) return part.status();
    part_ = *std::move(part);
    size_ = archive_->size_of(entry.part);
    return absl::OkStatus();
  }

  absl::StatusOr<size_t> read(char* to, size_t size) override {
    while (given_ == rows_.out().size() && !done_) {
      if (auto status = read_piece(); !status.ok()) return status;
    }
    const size_t count = std::min(size, rows_.out().size() - given_);
    std::memcpy(to, rows_.out().data() + given_, count);
    given_ += count;
    return count;
  }

  double progress() const override {
    return size_ == 0 ? 0 : std::min(1.0, static_cast<double>(taken_) / static_cast<double>(size_));
  }
  uint64_t error_cells() const override { return rows_.error_cells(); }

 private:
  absl::Status read_piece() {
    rows_.out().clear();
    given_ = 0;
    char piece[kPieceBytes];
    const auto count = part_->read(piece, sizeof piece);
    if (!count.ok()) return count.status();
    done_ = *count == 0;
    taken_ += *count;
    return done_ ? parser_.finish() : parser_.feed({piece, *count});
  }

  std::unique_ptr<Archive> archive_;
  const Parts parts_;
  SharedTexts texts_;
  Rows rows_;
  XmlParser parser_;
  std::unique_ptr<Part> part_;
  size_t given_ = 0;  // of rows_.out()
  uint64_t size_ = 0;
  uint64_t taken_ = 0;
  bool done_ = false;
};

std::string names_of(const Parts& parts) {
  std::string out;
  for (const SheetEntry& sheet : parts.sheets) out += cat(out.empty() ? "\"" : ", \"", sheet.name, "\"");
  return out;
}

absl::StatusOr<SheetEntry> choose(const Parts& parts, const std::string& name) {
  for (const SheetEntry& sheet : parts.sheets) {
    if (name.empty() ? !sheet.hidden : sheet.name == name) return sheet;
  }
  if (parts.sheets.empty())
    return failure(absl::StatusCode::kInvalidArgument, "the workbook has no sheet with rows");
  if (name.empty())
    return failure(absl::StatusCode::kInvalidArgument, "every sheet of the workbook is hidden: name one of ",
                   names_of(parts));
  return failure(absl::StatusCode::kInvalidArgument, "the workbook has no sheet \"", name, "\"; it has ",
                 names_of(parts));
}

}  // namespace

bool is_workbook(const std::string& path) {
  const auto archive = Archive::open(path);
  return archive.ok() && (*archive)->has("xl/workbook.xml");
}

absl::StatusOr<std::unique_ptr<Sheet>> Sheet::open(const std::string& path, const SheetChoice& choice) {
  auto archive = Archive::open(path);
  if (!archive.ok()) return archive.status();
  auto parts = read_parts(**archive);
  if (!parts.ok()) return parts.status();
  const auto entry = choose(*parts, choice.name);
  if (!entry.ok()) return entry.status();
  auto sheet = std::make_unique<StreamedSheet>(*std::move(archive), *std::move(parts), *entry, choice);
  if (auto status = sheet->open(*entry); !status.ok()) return status;
  return sheet;
}

}  // namespace kehu::workbook
