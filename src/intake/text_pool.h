#pragma once

#include <cstddef>
#include <deque>
#include <string>

namespace kehu::intake {

// Strings for the length of one event. A string stays where it is until reset(), after which its memory is
// used again: no allocation once the largest event has passed.
class TextPool {
 public:
  std::string& next() {
    if (used_ == texts_.size()) texts_.emplace_back();
    std::string& text = texts_[used_++];
    text.clear();
    return text;
  }
  void reset() { used_ = 0; }

 private:
  std::deque<std::string> texts_;
  size_t used_ = 0;
};

}  // namespace kehu::intake
