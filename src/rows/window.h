#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "rows/byte_source.h"

namespace kehu::rows {

// The part of a stream that a reader looks at: grows behind, is consumed in front. Memory is the longest row
// plus one block.
class Window {
 public:
  // Longer rows are rejected, so that a quote that is never closed cannot pull a whole file into memory.
  static constexpr size_t kLongestRow = 1024 * 1024;

  explicit Window(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  std::string_view text() const { return {buffer_.data() + at_, end_ - at_}; }
  bool at_end() const { return at_end_; }  // text() is the rest
  // Reads on; text() starts where it did, but views into it die. False when there was nothing left.
  absl::StatusOr<bool> more();
  void consume(size_t bytes) { at_ += bytes; }

  // The next line without its end, consumed; valid until the next call. A longer one than kLongestRow is cut
  // there, and `too_long` says so. False at the end.
  struct Line {
    std::string_view text;
    bool too_long = false;
    bool open = false;  // it ended with the bytes, without a line feed
  };
  absl::StatusOr<bool> next_line(Line& line);

  uint64_t position() const { return source_->position(); }
  std::string note() const { return source_->note(); }

 private:
  absl::Status drop_line();

  std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  size_t at_ = 0;   // text() is buffer_ from here
  size_t end_ = 0;  // to here
  bool at_end_ = false;
  bool dropping_ = false;  // the rest of a line that was cut
};

}  // namespace kehu::rows
