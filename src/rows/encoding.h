#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kehu::rows {

// What a label of an encoding means, read as browsers read it (https://encoding.spec.whatwg.org): files say
// GB2312 and mean GB18030, say ISO-8859-1 and mean windows-1252.
struct Encoding {
  std::string icu_name;
  bool is_utf8 = false;
  bool is_utf16 = false;  // in the order that a mark says; low byte first without one
  bool is_gb = false;     // the byte 80 alone is the euro sign
  // Letters for private use are what ICU makes of bytes that the encoding leaves free.
  bool has_private_letters = true;

  static Encoding of(std::string_view label);
};

// Tells rows that can be read from those with bytes that their encoding does not have (see as_utf8).
class TextCheck {
 public:
  explicit TextCheck(std::string_view label) : encoding_(Encoding::of(label)) {}

  // True for UTF-8 that, where it was decoded from another encoding, has no U+FFFD and none of the controls
  // U+0080 to U+009F, which nobody wrote.
  bool is_readable(std::string_view text) const;

 private:
  Encoding encoding_;
};

}  // namespace kehu::rows
