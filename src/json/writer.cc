#include "json/writer.h"

#include <charconv>
#include <cmath>

#include "json/text.h"

namespace kehu::json {
namespace {

template <class Number>
void append_number(Number number, std::string& out) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof text, number);
  out.append(text, result.ptr);
}

}  // namespace

void Writer::separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

Writer& Writer::open(char bracket) {
  separate();
  out_.push_back(bracket);
  comma_ = false;
  return *this;
}

Writer& Writer::close(char bracket) {
  out_.push_back(bracket);
  comma_ = true;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  separate();
  append_literal(name, out_);
  out_.push_back(':');
  comma_ = false;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_literal(text, out_);
  return *this;
}

// JSON has no spelling for infinity and NaN, so they become null.
Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(number, out_);
  return *this;
}

Writer& Writer::integer(int64_t number) {
  separate();
  append_number(number, out_);
  return *this;
}

Writer& Writer::unsigned_integer(uint64_t number) {
  separate();
  append_number(number, out_);
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_.append(json);
  return *this;
}

}  // namespace kehu::json
