#pragma once

#include <string>
#include <string_view>

namespace kehu {

// A text as it is compared: full width is half width (１ａ，￥ → 1a,¥), every kind of blank is ' ' and gone
// at both ends, invisible characters (zero width, byte order mark, soft hyphen, direction marks) are gone,
// minus signs are '-', ASCII letters are small. For texts of some dozen bytes; what is not UTF-8 stays as it
// is.
std::string fold_text(std::string_view text);

}  // namespace kehu
