#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace kehu {

// Bytes that grow without being filled first, as those of std::string would be. Never shrinks.
class ByteBuffer {
 public:
  // Room for `bytes` in all; keeps what is in it.
  char* reserve(size_t bytes) {
    if (capacity_ < bytes) grow(std::max(bytes, 2 * capacity_));
    return bytes_.get();
  }
  void append(std::string_view bytes) {
    std::memcpy(reserve(size_ + bytes.size()) + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // The caller has written, or will write, every byte behind the old size.
  void set_size(size_t bytes) {
    reserve(bytes);
    size_ = bytes;
  }

  char* data() { return bytes_.get(); }
  size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  void grow(size_t capacity) {
    auto larger = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace kehu
