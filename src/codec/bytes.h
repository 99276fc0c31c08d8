#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kehu::codec {

static_assert(std::endian::native == std::endian::little, "formats are little-endian and written by memcpy");

// Appends fixed-width little-endian numbers and length-prefixed texts.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  template <class T>
  void fixed(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void text(std::string_view bytes) {
    fixed(static_cast<uint32_t>(bytes.size()));
    out_.append(bytes);
  }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote. Never reads past the end: a short read gives zeros and sets failed().
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T fixed() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const std::string_view raw = take(sizeof(T));
    if (!raw.empty()) std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }
  std::string_view text() { return take(fixed<uint32_t>()); }
  std::string_view take(size_t size) {
    if (size > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

}  // namespace kehu::codec
