#include "seal/masked_text.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_rounds.h"

namespace kehu::seal {
namespace {

struct Case {
  const char* name;
  std::string given;
  std::string want;
};

const Settings& settings() {
  static const Settings kSettings = Settings::defaults();
  return kSettings;
}

TEST(MaskedText, CoversWhatIsPersonal) {
  const Case cases[] = {
      {"nothing to cover", R"({"event":"A", "n":12.50, "t":"2026-11-22T10:00:00Z", "x":null})",
       R"({"event":"A", "n":12.50, "t":"2026-11-22T10:00:00Z", "x":null})"},
      {"by field",
       R"({"email":"bob@example.com","phone":13912345678,"phone2":"x1","用户手机号":"x2","phone_model":"x3"})",
       R"({"email":"b***@example.com","phone":"139****5678","phone2":"x***","用户手机号":"x***","phone_model":"x3"})"},
      {"everything below a personal field", R"({"phone":{"a":["x1",7],"b":"y2"},"c":"z3"})",
       R"({"phone":{"a":["x***","7***"],"b":"y***"},"c":"z3"})"},
      {"by its look", R"({"userId":"13912345678","note":"ring 13912345678 or bob@example.com"})",
       R"({"userId":"139****5678","note":"ring 139******** or ***@example.com"})"},
      {"a number by its look", R"({"userId":13912345678,"at":1780000000000})",
       R"({"userId":"139****5678","at":1780000000000})"},
      {"a key", R"({"writeKey":"abc","Token":"def","x":["kwk_0123"],"monkey":"ghi"})",
       R"({"writeKey":"a***","Token":"d***","x":["k***"],"monkey":"ghi"})"},
      {"a longer number", R"({"at":13912345678.5})", R"({"at":"139********.5"})"},
      {"hidden by escapes", R"({"userId":"\u0031\u00339\u0031\u0032567890","e":"a\nb"})",
       R"({"userId":"139****7890","e":"a\nb"})"},
      {"a wrong escape", R"({"a":"\x13912345678"})", R"({"a":"***"})"},
      {"lines", "{\"email\":\"bob@example.com\"}\n{\"event\":\"A\"}\n",
       "{\"email\":\"b***@example.com\"}\n{\"event\":\"A\"}\n"},
      {"the end is missing", R"({"event":"A","email":"bo)", R"({"event":"A","email":***)"},
      {"a number's end is missing", R"({"event":"ring 1391234)", R"({"event":"ring 139****)"},
      {"no JSON", "phone=13912345678&name=x bob@example.com", "phone=139********&name=x ***@example.com"},
      {"a phone number with spaces", R"({"note":"ring 139 1234 5678 or 139-1234-5678 on 2026-11-22 10:00"})",
       R"({"note":"ring 139********** or 139********** on 2026-11-22 10:00"})"},
      {"a row", "bob,139 1234 5678,2026-11-22,110105194912", "bob,139 123* 567*,202*-11-22,110*********"},
      {"a row behind a document", "{\"n\":12345}\nbob 12345\n[12345]", "{\"n\":12345}\nbob 123**\n[12345]"},
      {"an address as a name", R"({"bob@example.com":1})", R"({"b***@example.com":1})"},
      {"not UTF-8", "\xff", "(not UTF-8)"},
      {"empty", "", ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(masked_text(c.given, settings(), 1000), c.want);
  }
}

// Wherever the text is cut, and whatever byte of it is broken, no value can be read.
TEST(MaskedText, NeverShowsACanary) {
  const std::string text =
      R"([{"email":"canary@example.com","user_id":"13912345678","traits":{"phone":"13987654321",)"
      R"("id_card":"11010519491231002X","客户":"name"},"note":"13912345678, canary@example.com"}])";
  const auto check = [](const std::string& shown, std::string_view how, size_t at) {
    for (const char* canary : {"canary@", "1391234", "1398765", "1101051949"}) {
      EXPECT_EQ(shown.find(canary), std::string::npos) << how << " " << at << ": " << shown;
    }
  };
  for (size_t at = 0; at <= text.size(); ++at) check(masked_text(text, settings(), at), "cut at", at);
  const uint32_t seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  constexpr std::string_view kBytes = "{}[]:,\" x";
  for (int round = 0, end = rounds(2000, 20000); round < end; ++round) {
    // Between values only: a byte in the middle of a value makes it another one.
    size_t at = random() % text.size();
    while (kBytes.find(text[at]) == kBytes.npos || text[at] == ' ' || text[at] == 'x')
      at = random() % text.size();
    std::string broken = text;
    broken[at] = kBytes[random() % kBytes.size()];
    check(masked_text(broken, settings(), 1000), "broken at", at);
  }
}

}  // namespace
}  // namespace kehu::seal
