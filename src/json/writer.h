#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/money.h"

namespace kehu::json {

// Appends compact JSON to a string it does not own. Puts commas by itself; the caller pairs begin and end and
// writes a key before each value of an object.
//
//   Writer(out).begin_object().field("id", 7).key("tags").begin_array().value("a").end_array().end_object();
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }

  Writer& key(std::string_view name);

  Writer& value(std::string_view text);
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(const std::string& text) { return value(std::string_view(text)); }
  Writer& value(bool flag) { return raw(flag ? "true" : "false"); }
  template <std::integral T>
  Writer& value(T number) {
    if constexpr (std::unsigned_integral<T>) return unsigned_integer(number);
    return integer(static_cast<int64_t>(number));
  }
  // The shortest text that reads back as the same double; null for infinities and NaN, which JSON cannot say.
  Writer& value(double number);
  Writer& value(Decimal amount) { return raw(amount.to_string()); }
  Writer& null() { return raw("null"); }
  // Text that is valid JSON already.
  Writer& raw(std::string_view json);

  template <class T>
  Writer& field(std::string_view name, const T& what) {
    key(name);
    return value(what);
  }
  Writer& raw_field(std::string_view name, std::string_view json) { return key(name).raw(json); }

 private:
  Writer& open(char bracket);
  Writer& close(char bracket);
  Writer& integer(int64_t number);
  Writer& unsigned_integer(uint64_t number);
  void separate();

  std::string& out_;
  bool comma_ = false;
};

}  // namespace kehu::json
