#include "phone/number.h"

#include <gtest/gtest.h>

namespace kehu::phone {
namespace {

TEST(Number, Table) {
  struct Case {
    const char* name;
    const char* given;
    const char* want;  // nullptr: no number
  };
  const Case cases[] = {
      {"London with the trunk zero in brackets", "+44 (0)20 7946 0958", "+442079460958"},
      {"London by 00", "0044 20 7946 0958", "+442079460958"},
      {"mobile of the United Kingdom", "+447911123456", "+447911123456"},
      {"Italy keeps its zero", "+39 06 698 12345", "+390669812345"},
      {"United States", "+1 (415) 555-2671", "+14155552671"},
      {"Hong Kong", "+852 9123 4567", "+85291234567"},
      {"Taiwan with a trunk zero", "+886 0912 345 678", "+886912345678"},
      {"Macau", "+853 6612 3456", "+85366123456"},
      {"Japan", "+81-90-1234-5678", "+819012345678"},
      {"Germany", "+49 1512 3456789", "+4915123456789"},
      {"an area that the United States do not have", "+1 391 234 5678", nullptr},
      {"too short for its country", "+44 20 7946", nullptr},
      {"too long for its country", "+852 9123 45678", nullptr},
      {"a country that is none", "+999 123 456 78", nullptr},
      {"free of charge", "+1 800 253 0000", nullptr},
      {"with an extension", "+1 415 555 2671 ext. 5", nullptr},
      {"without a country", "4155552671", nullptr},
      {"nothing", "", nullptr},
      {"a word", "hello", nullptr},
  };
  for (const auto& c : cases) {
    const auto got = e164(c.given);
    EXPECT_EQ(got.value_or("none"), c.want != nullptr ? c.want : "none") << c.name;
  }
}

}  // namespace
}  // namespace kehu::phone
