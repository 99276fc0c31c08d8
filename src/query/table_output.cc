#include "query/table_output.h"

#include <algorithm>

#include "base/text.h"

namespace kehu::query {
namespace {

constexpr size_t kSampleRows = 500;
constexpr size_t kCellWidth = 64;
constexpr std::string_view kEllipsis = "…";

struct Character {
  size_t bytes;
  size_t width;
};

Character character_at(std::string_view text, size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  const size_t bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (bytes < 3 || at + bytes > text.size()) return {std::min(bytes, text.size() - at), 1};
  uint32_t code = bytes == 3 ? first & 0x0f : first & 0x07;
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3f);
  // East Asian wide: Hangul Jamo, CJK and its punctuation, Hangul, compatibility and full-width forms, emoji.
  const bool wide = (code >= 0x1100 && code <= 0x115f) || (code >= 0x2e80 && code <= 0xa4cf) ||
                    (code >= 0xac00 && code <= 0xd7a3) || (code >= 0xf900 && code <= 0xfaff) ||
                    (code >= 0xfe30 && code <= 0xfe6f) || (code >= 0xff00 && code <= 0xff60) ||
                    (code >= 0xffe0 && code <= 0xffe6) || (code >= 0x1f300 && code <= 0x3fffd);
  return {bytes, wide ? 2u : 1u};
}

// Control characters would move the cursor or worse.
std::string visible(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

std::string cut(std::string_view text, size_t width) {
  if (display_width(text) <= width) return std::string(text);
  size_t at = 0;
  size_t used = 0;
  while (at < text.size()) {
    const Character next = character_at(text, at);
    if (used + next.width + 1 > width) break;
    used += next.width;
    at += next.bytes;
  }
  return cat(text.substr(0, at), kEllipsis);
}

bool is_number(duck::ValueKind kind) {
  return kind == duck::ValueKind::kLong || kind == duck::ValueKind::kUnsignedLong ||
         kind == duck::ValueKind::kDouble || kind == duck::ValueKind::kExact;
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) {
    const Character next = character_at(text, at);
    width += next.width;
    at += next.bytes;
  }
  return width;
}

TableOutput::TableOutput(std::vector<duck::ResultColumn> columns) : columns_(std::move(columns)) {
  for (const duck::ResultColumn& column : columns_) {
    widths_.push_back(std::min(kCellWidth, display_width(visible(column.name))));
  }
}

void TableOutput::write_row(const std::vector<std::string>& cells, std::string& out) {
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = cut(cells[i], widths_[i]);
    const std::string padding(widths_[i] - std::min(widths_[i], display_width(cell)), ' ');
    const bool right = is_number(columns_[i].kind);
    out += cat(i > 0 ? "  " : "", right ? padding : "", cell, right || i + 1 == cells.size() ? "" : padding);
  }
  out.push_back('\n');
}

void TableOutput::write_head(std::string& out) {
  if (head_written_) return;
  head_written_ = true;
  std::vector<std::string> names;
  std::vector<std::string> lines;
  for (size_t i = 0; i < columns_.size(); ++i) {
    names.push_back(visible(columns_[i].name));
    lines.emplace_back(widths_[i], '-');
  }
  write_row(names, out);
  write_row(lines, out);
  for (const auto& cells : waiting_) write_row(cells, out);
  waiting_.clear();
}

// The first rows wait until the widths of the columns are known from them. Later ones are cut to these
// widths, so a table of any length is written with the memory of kSampleRows.
void TableOutput::row(const duck::Batch& batch, size_t row, std::string& out) {
  std::vector<std::string> cells;
  for (size_t i = 0; i < columns_.size(); ++i) {
    std::string value;
    if (!batch.is_null(i, row)) append_value(batch, columns_[i].kind, i, row, value);
    cells.push_back(visible(value));
  }
  ++rows_;
  if (head_written_) return write_row(cells, out);
  for (size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], std::min(kCellWidth, display_width(cells[i])));
  }
  waiting_.push_back(std::move(cells));
  if (waiting_.size() == kSampleRows) write_head(out);
}

void TableOutput::end(std::string& out) {
  write_head(out);
  out += cat("(", rows_, rows_ == 1 ? " row)\n" : " rows)\n");
}

}  // namespace kehu::query
