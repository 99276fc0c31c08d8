#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kehu {

// What the name of a field says about its values.
enum class NameKind : uint8_t {
  kOther,
  kPersonal,     // a phone number, an e-mail address, a number of an ID card or passport, a way to reach
                 // somebody
  kPlainNumber,  // an order number, an amount, a time: eleven digits under it are no phone number
};

// A name as names are compared: compatibility forms (full width, letters of mathematics, circles), case,
// spaces, _ and - and every other mark folded away, and digits at the end; traditional characters as
// simplified ones. "ＰＨＯＮＥ_1", "phone-" and "Phone" are one name; so are "手機" and "手机 2".
std::string folded_name(std::string_view name);

// By the words in it, in English, Chinese, pinyin and some others. The last word that means something
// decides, so buyer_mobile_phone and 会员手机号码 are personal, phone_model and 手机型号 are not. A word that
// means something else too (mail, cert_no) counts alone or behind people (user_mail). Some µs: remember the
// answer.
NameKind name_kind(std::string_view name);

}  // namespace kehu
