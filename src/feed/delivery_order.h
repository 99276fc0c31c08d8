#pragma once

#include <cstdint>
#include <deque>

#include "model/ids.h"

namespace kehu::feed {

// How far messages have arrived that were sent in order and are reported in any order. ~20 bytes a message
// under way.
class DeliveryOrder {
 public:
  // The number of the message that is sent next.
  uint64_t next() const { return next_; }
  void add() {
    arrived_.push_back(false);
    ++next_;
  }
  // Everything of the log up to `position` was sent. Ascending.
  void mark(Sequence position) {
    marks_.push_back({next_, position});
    advance();
  }
  // Once for each message, of which none may be reported lost before it.
  void arrived(uint64_t number) {
    arrived_[number - first_] = true;
    advance();
  }

  // The last mark before which every message has arrived; zero before the first.
  Sequence reached() const { return reached_; }

 private:
  struct Mark {
    uint64_t before;
    Sequence position;
  };

  void advance() {
    while (!arrived_.empty() && arrived_.front()) {
      arrived_.pop_front();
      ++first_;
    }
    while (!marks_.empty() && marks_.front().before <= first_) {
      reached_ = marks_.front().position;
      marks_.pop_front();
    }
  }

  uint64_t first_ = 0;  // that has not arrived
  uint64_t next_ = 0;
  std::deque<bool> arrived_;  // from first_ on
  std::deque<Mark> marks_;
  Sequence reached_;
};

}  // namespace kehu::feed
