#include "rows/window.h"

#include <algorithm>
#include <cstring>

namespace kehu::rows {
namespace {

// Blocks grow from the first to the second size: small files stay small.
constexpr size_t kFirstBlock = 8 * 1024;
constexpr size_t kBlock = 256 * 1024;

}  // namespace

// What is left moves to the front, and the next block is read behind it: as large as the window is, from 8
// KiB up to 256. Rows are views into the window, and void afterwards.
absl::StatusOr<bool> Window::more() {
  if (at_end_) return false;
  std::memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
  end_ -= at_;
  at_ = 0;
  const size_t block = std::clamp(buffer_.size(), kFirstBlock, kBlock);
  if (buffer_.size() < end_ + block) buffer_.resize(end_ + block);
  const auto count = source_->read(buffer_.data() + end_, block);
  if (!count.ok()) return count.status();
  end_ += *count;
  at_end_ = *count == 0;
  return !at_end_;
}

absl::StatusOr<bool> Window::next_line(Line& line) {
  if (dropping_) {
    if (const absl::Status status = drop_line(); !status.ok()) return status;
  }
  size_t searched = 0;
  while (true) {
    const size_t end = std::min(text().find('\n', searched), text().size());
    const bool whole = end < text().size() || at_end_;
    if (whole && text().empty()) return false;
    if (whole || end > kLongestRow) {
      line.too_long = end > kLongestRow;
      line.open = whole && end == text().size();
      line.text = text().substr(0, std::min(end, kLongestRow));
      if (line.text.ends_with('\r')) line.text.remove_suffix(1);
      dropping_ = !whole;
      consume(std::min(text().size(), whole ? end + 1 : end));
      return true;
    }
    searched = end;
    if (const auto grown = more(); !grown.ok()) return grown.status();
  }
}

absl::Status Window::drop_line() {
  while (dropping_) {
    const size_t end = text().find('\n');
    dropping_ = end == std::string_view::npos && !at_end_;
    consume(std::min(text().size(), end == std::string_view::npos ? end : end + 1));
    if (!dropping_) break;
    if (const auto grown = more(); !grown.ok()) return grown.status();
  }
  return absl::OkStatus();
}

}  // namespace kehu::rows
