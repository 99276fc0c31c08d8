#pragma once

#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace kehu::net {

// Bytes received and not used yet. Grows without zeroing; views are valid until the next space() or append().
class Buffer {
 public:
  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  std::span<char> content() { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }

  // Room for `count` more bytes behind the content; tell by grew() how many were written.
  char* space(size_t count) {
    if (capacity_ - end_ < count) make_room(count);
    return bytes_.get() + end_;
  }
  size_t room() const { return capacity_ - end_; }
  size_t capacity() const { return capacity_; }
  void grew(size_t count) { end_ += count; }

  void append(std::string_view bytes) {
    if (bytes.empty()) return;
    std::memcpy(space(bytes.size()), bytes.data(), bytes.size());
    grew(bytes.size());
  }

  // Takes bytes away at the front. A large block that became empty is given back at once, a small one by
  // release().
  void drop(size_t count) {
    begin_ += count;
    if (begin_ != end_) return;
    begin_ = end_ = 0;
    if (capacity_ > kKeptBytes) release();
  }

  void release() {
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  static constexpr size_t kKeptBytes = 64 * 1024;

  void make_room(size_t count) {
    const size_t kept = size();
    if (capacity_ >= kept + count) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, kept);
    } else {
      const size_t capacity = kept + count;
      auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
      if (kept > 0) std::memcpy(bytes.get(), bytes_.get() + begin_, kept);
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = kept;
  }

  std::unique_ptr<char[]> bytes_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace kehu::net
