#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "demo/catalog.h"

// Pieces of JSON text, written without allocation but the growth of `out`.
namespace kehu::demo {

void append_number(uint64_t number, std::string& out);
// A price as a JSON number in yuan: 12990 → 129.9.
void append_yuan(Fen amount, std::string& out);
// 12 hexadecimal digits of `run`, a dash and the 16 of the number.
void append_message_id(uint64_t run, uint64_t number, std::string& out);

// RFC 3339 in UTC with milliseconds, 24 bytes. Keeps the text of the last day, so it is ~10 ns.
class TimeText {
 public:
  void append(Instant time, std::string& out);

 private:
  int64_t day_ = INT64_MIN;
  char date_[10];
};

}  // namespace kehu::demo
