#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "base/check.h"
#include "base/text.h"

// Bodies as clients pack them: for tests and load generators.
namespace kehu::coding {

// As deflateInit2 takes the bits: negative is raw deflate, 16 more is gzip.
inline std::string deflated(std::string_view text, int window_bits) {
  z_stream z{};
  KEHU_CHECK(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  KEHU_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

inline std::string gzipped(std::string_view text) { return deflated(text, MAX_WBITS + 16); }

inline std::string base64(std::string_view text) { return absl::Base64Escape(to_absl(text)); }

// As the value of a form's field.
inline std::string escaped(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (plain) {
      out.push_back(c);
    } else {
      out.append({'%', kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return out;
}

}  // namespace kehu::coding
