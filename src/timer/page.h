#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "timer/place.h"
#include "timer/timer.h"

namespace kehu::timer {

// A page is the timers of one slot in the order of their places: two bytes of head, then records of 43 bytes
// and the payload. They are read and changed in place, for a set would otherwise spend its time on decoding
// neighbours. Bytes that are not a page end the program, as in wheel.h.
inline constexpr size_t kPageBytes = 4096;  // a larger one is opened into a wheel

class PageReader {
 public:
  explicit PageReader(std::string_view page);

  bool at_end() const { return offset_ == page_.size(); }
  size_t offset() const { return offset_; }
  // Of the record here; not at the end. The payload points into the page.
  Place place() const;
  Timer timer() const;
  std::string_view record() const;
  void next() { offset_ += record().size(); }
  // To the first record that is not before `place`: ~1 ns for each passed.
  void skip_to(const Place& place);

 private:
  std::string_view page_;
  size_t offset_;
};

void start_page(std::string& out);

// False: there was one of the same due and id, which it replaced.
bool insert(const Timer& timer, std::string& page);
// False: there was none.
bool erase(const Place& place, std::string& page);
// Drops the records before `offset`.
void erase_front(size_t offset, std::string& page);

bool has_records(std::string_view page);
std::vector<std::string_view> records_of(std::string_view page);
Place place_of_record(std::string_view record);

}  // namespace kehu::timer
