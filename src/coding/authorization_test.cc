#include "coding/authorization.h"

#include "gtest/gtest.h"

namespace kehu::coding {
namespace {

TEST(Authorization, EveryForm) {
  struct Case {
    const char* given;
    const char* want;  // scheme letter and key; "" = refused
  };
  const Case cases[] = {
      {"Basic V0tfVEVTVDo=", "B WK_TEST"},      // WK_TEST:
      {"basic V0tfVEVTVA==", "B WK_TEST"},      // without the colon
      {"Basic V0tfVEVTVDpwdw==", "B WK_TEST"},  // with a password
      {"Bearer kehu_abc", "R kehu_abc"},
      {"  BEARER   t  ", "R t"},
      {"Basic", ""},
      {"Basic ", ""},
      {"Basic !!!", ""},
      {"Basic Og==", ""},  // an empty user
      {"Digest x", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    const auto got = parse_authorization(c.given);
    const std::string text = !got ? "" : (got->scheme == Credential::Scheme::kBasic ? "B " : "R ") + got->key;
    EXPECT_EQ(text, c.want) << c.given;
  }
}

}  // namespace
}  // namespace kehu::coding
