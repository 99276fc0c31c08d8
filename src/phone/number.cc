#include "phone/number.h"

#include <phonenumbers/logger.h>
#include <phonenumbers/phonenumberutil.h>

namespace kehu::phone {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

bool names_one_subscriber(PhoneNumberUtil::PhoneNumberType type) {
  switch (type) {
    case PhoneNumberUtil::TOLL_FREE:
    case PhoneNumberUtil::PREMIUM_RATE:
    case PhoneNumberUtil::SHARED_COST:
    case PhoneNumberUtil::UAN:
    case PhoneNumberUtil::VOICEMAIL:
      return false;
    default:
      return true;
  }
}

}  // namespace

std::optional<std::string> e164(std::string_view text) {
  // Its lines on standard error would name numbers.
  static PhoneNumberUtil* const kUtil = [] {
    auto* util = PhoneNumberUtil::GetInstance();
    util->SetLogger(new i18n::phonenumbers::NullLogger);
    return util;
  }();
  PhoneNumber number;
  // China's prefix for calls abroad is 00; a number without a country is nobody's here.
  const std::string written(text);
  if (kUtil->ParseAndKeepRawInput(written, "CN", &number) != PhoneNumberUtil::NO_PARSING_ERROR)
    return std::nullopt;
  if (number.country_code_source() == PhoneNumber::FROM_DEFAULT_COUNTRY || number.has_extension())
    return std::nullopt;
  if (!kUtil->IsValidNumber(number) || !names_one_subscriber(kUtil->GetNumberType(number)))
    return std::nullopt;
  std::string out;
  kUtil->Format(number, PhoneNumberUtil::E164, &out);
  return out;
}

}  // namespace kehu::phone
