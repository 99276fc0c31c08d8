#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace kehu::rows {

// Bytes in order. One thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills up to `size` bytes and returns how many; 0 only at the end.
  virtual absl::StatusOr<size_t> read(char* to, size_t size) = 0;
  // How far the file behind it has been read, in its own (perhaps compressed) bytes: for progress.
  virtual uint64_t position() const = 0;
  // What a person should know although everything could be read, at the end of the bytes; nothing as a rule.
  virtual std::string note() const { return {}; }
};

// A file as it is, or unpacked when it is gzip (by its first bytes, whatever its name). Errors name the file.
absl::StatusOr<std::unique_ptr<ByteSource>> open_file(const std::string& path);

// A text in memory, given out at most `step` bytes at a time.
std::unique_ptr<ByteSource> bytes_of(std::string text, size_t step = SIZE_MAX);

// The same text as UTF-8 without a byte order mark. UTF-8 passes unchecked. `encoding` is a label as browsers
// read it (https://encoding.spec.whatwg.org: "GB2312" and "GBK" are GB18030, "ISO-8859-1" is windows-1252,
// "Shift_JIS" windows-31j, "EUC-KR" windows-949) or another name of ICU; a byte order mark says more than the
// label. Bytes that the encoding does not have become U+FFFD. kInvalidArgument for an unknown encoding.
absl::StatusOr<std::unique_ptr<ByteSource>> as_utf8(std::unique_ptr<ByteSource> source,
                                                    const std::string& encoding);

}  // namespace kehu::rows
