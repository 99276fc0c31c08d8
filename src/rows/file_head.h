#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "rows/row_spec.h"

namespace kehu::rows {

// Of a file, unpacked: what it is can be seen in them, and its key in message ids is made of them.
inline constexpr size_t kFirstBytes = 4096;
absl::StatusOr<std::string> read_first_bytes(const std::string& path, size_t count = kFirstBytes);

// The encoding that the bytes are in, as a mapping names it: UTF-8, UTF-16, UTF-16LE, UTF-16BE, GBK, Big5,
// Shift_JIS, EUC-KR, EUC-JP where kana are in it, or, when they are none of these, windows-1252.
std::string_view encoding_of(std::string_view first_bytes);

// True for the first bytes of a file in which nothing stands, or a byte order mark alone.
bool is_empty(std::string_view first_bytes);

// What the first bytes, unpacked, say against reading a text file by the mapping: lines that end in CR alone,
// or UTF-16 that the mapping does not tell of, which would read as one long first line; and text that is
// recognised as another encoding than the mapping's. kInvalidArgument, with what to do.
absl::Status check_text(const RowSpec& spec, std::string_view path, std::string_view first_bytes);

}  // namespace kehu::rows
