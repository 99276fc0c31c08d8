#include <gtest/gtest.h>

#include <random>
#include <set>

#include "base/limits.h"
#include "identifier/identifier_value.h"
#include "identifier/normal_value.h"
#include "model/settings.h"

namespace kehu {
namespace {

struct NormaliseCase {
  const char* name;
  Normaliser normaliser;
  const char* given;
  const char* want;  // nullptr: unreadable
};

TEST(Normalise, Table) {
  using enum Normaliser;
  const NormaliseCase cases[] = {
      {"trim keeps case", kTrim, " Anna \t", "Anna"},
      {"trim keeps inner space", kTrim, "a b", "a b"},
      {"trim of ideographic space", kTrim, "\u3000张三\u3000", "张三"},
      {"trim of no-break space and byte order mark", kTrim, "\ufeff\u00a0x\u00a0", "x"},
      {"trim of nothing", kTrim, "", ""},
      {"trim of spaces only", kTrim, " \u3000 ", ""},
      {"lower case is ASCII's", kLowercase, " AbC-É ", "abc-É"},

      {"mobile", kChinesePhone, "13912345678", "13912345678"},
      {"mobile with +86", kChinesePhone, "+8613912345678", "13912345678"},
      {"mobile with +86 and spaces", kChinesePhone, "+86 139 1234 5678", "13912345678"},
      {"mobile with 0086", kChinesePhone, "0086-139-1234-5678", "13912345678"},
      {"mobile with bare 86", kChinesePhone, "8613912345678", "13912345678"},
      {"mobile with brackets", kChinesePhone, "(+86)139.1234.5678", "13912345678"},
      {"full-width digits", kChinesePhone, "１３９１２３４５６７８", "13912345678"},
      {"full-width plus", kChinesePhone, "＋８６　１３９１２３４５６７８", "13912345678"},
      {"full-width brackets and dashes", kChinesePhone, "（８６）１３９－１２３４—５６７８", "13912345678"},
      {"lowest range", kChinesePhone, "13000000001", "13000000001"},
      {"highest range", kChinesePhone, "19999999999", "19999999999"},
      {"range 12 is no mobile", kChinesePhone, "12912345678", nullptr},
      {"too short", kChinesePhone, "1391234567", nullptr},
      {"too long", kChinesePhone, "139123456789", nullptr},
      {"landline", kChinesePhone, "010-62345678", nullptr},
      {"landline with +86", kChinesePhone, "+86 10 62345678", nullptr},
      {"Hong Kong", kChinesePhone, "+852 9123 4567", "+85291234567"},
      {"United States by 00", kChinesePhone, "001 (415) 555-2671", "+14155552671"},
      {"country code zero", kChinesePhone, "+0415555267", nullptr},
      {"over E.164", kChinesePhone, "+1234567890123456", nullptr},
      {"masked", kChinesePhone, "139****5678", nullptr},
      {"letters", kChinesePhone, "139abcd5678", nullptr},
      {"plus inside", kChinesePhone, "139+12345678", nullptr},
      {"empty", kChinesePhone, "", nullptr},
      {"plus only", kChinesePhone, "+", nullptr},

      {"address", kEmail, " Anna.Li@Example.COM ", "anna.li@example.com"},
      {"address with full-width at", kEmail, "anna＠example．com", "anna@example.com"},
      {"address in Chinese", kEmail, "张三@例子.中国", "张三@例子.中国"},
      {"plus tag is kept", kEmail, "a+b@example.com", "a+b@example.com"},
      {"no at", kEmail, "anna.example.com", nullptr},
      {"two ats", kEmail, "a@b@example.com", nullptr},
      {"no local part", kEmail, "@example.com", nullptr},
      {"no dot", kEmail, "anna@localhost", nullptr},
      {"dot at the end", kEmail, "anna@example.", nullptr},
      {"dot at the start", kEmail, "anna@.com", nullptr},
      {"empty label", kEmail, "anna@example..com", nullptr},
      {"inner space", kEmail, "anna li@example.com", nullptr},
      {"masked address has no at", kEmail, "a***", nullptr},

      {"identity card", kIdCard, "11010519491231002X", "11010519491231002X"},
      {"small x", kIdCard, "11010519491231002x", "11010519491231002X"},
      {"full width", kIdCard, "１１０１０５１９４９１２３１００２Ｘ", "11010519491231002X"},
      {"digit at the end", kIdCard, "440524188001010014", "440524188001010014"},
      {"with spaces", kIdCard, "440524 18800101 0014", "440524188001010014"},
      {"wrong check digit", kIdCard, "110105194912310021", nullptr},
      {"fifteen characters", kIdCard, "110105491231002", nullptr},
      {"letter inside", kIdCard, "1101051949123100AX", nullptr},
      {"empty card", kIdCard, "", nullptr},
  };
  for (const auto& c : cases) {
    const auto got = normalise(c.normaliser, c.given);
    ASSERT_EQ(got.has_value(), c.want != nullptr) << c.name << ": " << got.value_or("");
    if (got) {
      EXPECT_EQ(*got, c.want) << c.name;
    }
  }
}

TEST(Normalise, EverySingleDigitErrorInAnIdCardIsFound) {
  const std::string card = "11010519491231002X";
  for (size_t at = 0; at + 1 < card.size(); ++at) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string wrong = card;
      wrong[at] = digit;
      EXPECT_EQ(normalise(Normaliser::kIdCard, wrong).has_value(), wrong == card) << wrong;
    }
  }
}

// What a normaliser gives, it reads as itself: otherwise a value read back from a profile would not be found.
TEST(Normalise, IsIdempotent) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  static constexpr std::string_view kPieces[] = {
      "'",       "\"",     "=",  "“",  "”",  "1.0", "e+", "<",  ">", ",",      "\u200b", "\u200d", "xn--",
      "mailto:", "tel:",   "1",  "3",  "9",  "86",  "00", "+",  "-", " ",      "@",      ".",      "a",
      "B",       "\u3000", "１", "＠", "中", "X",   "\t", "12", "5", "\ufeff", "\u00a0", "139123", "45678"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = random() % 14; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    for (const auto normaliser : {Normaliser::kTrim, Normaliser::kLowercase, Normaliser::kEmail,
                                  Normaliser::kChinesePhone, Normaliser::kIdCard, Normaliser::kPhone}) {
      const auto once = normalise(normaliser, text);
      if (!once) continue;
      EXPECT_EQ(normalise(normaliser, *once), once) << to_string(normaliser) << " of [" << text << "]";
    }
  }
}

struct BlockedCase {
  const char* name;
  std::vector<std::string> patterns;
  const char* value;
  bool want;
};

TEST(Blocked, Table) {
  const BlockedCase cases[] = {
      {"empty", {}, "", true},
      {"zeros", {}, "0000", true},
      {"one zero", {}, "0", true},
      {"dashes", {}, "--", true},
      {"stars", {}, "***", true},
      {"crosses of both cases", {}, "xXx", true},
      {"null", {}, "NULL", true},
      {"undefined", {}, "undefined", true},
      {"not a number", {}, "NaN", true},
      {"none", {}, "None", true},
      {"unknown", {}, "Unknown", true},
      {"anonymous", {}, "anonymous", true},
      {"not available", {}, "N/A", true},
      {"a value", {}, "42", false},
      {"null inside a longer one", {}, "nullable", false},
      {"zeros and a one", {}, "0001", false},
      {"exact", {"13800138000"}, "13800138000", true},
      {"exact is the whole", {"138"}, "13800138000", false},
      {"star at the end", {"138*"}, "13800138000", true},
      {"star at the start", {"*8000"}, "13800138000", true},
      {"star matches nothing too", {"a*b"}, "ab", true},
      {"two stars", {"*@test.*"}, "a@test.com", true},
      {"the star must go further", {"*ab"}, "aab", true},
      {"the star may have to go back", {"a*bc"}, "abbbc", true},
      {"question marks", {"1??00000000"}, "13900000000", true},
      {"question mark needs a character", {"ab?"}, "ab", false},
      {"question mark is one Chinese character", {"?三"}, "张三", true},
      {"two question marks are two", {"??"}, "张", false},
      {"no pattern fits", {"a*", "*b"}, "cc", false},
      {"second pattern", {"a*", "*b"}, "cb", true},
      {"empty pattern", {""}, "a", false},
      {"patterns are case sensitive", {"ABC"}, "abc", false},
  };
  for (const auto& c : cases) {
    IdentifierRule rule;
    rule.blocked = c.patterns;
    EXPECT_EQ(is_blocked(Settings(), rule, c.value), c.want) << c.name;
  }
}

// A pattern of many stars against a long text that does not match: exponential in a backtracking matcher.
TEST(Blocked, CostIsBounded) {
  IdentifierRule rule;
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "*a";
  rule.blocked = {pattern + "b"};
  EXPECT_FALSE(is_blocked(Settings(), rule, std::string(limits::kIdentifierBytes, 'a')));
}

bool matches_plainly(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return matches_plainly(pattern.substr(1), text) ||
           (!text.empty() && matches_plainly(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         matches_plainly(pattern.substr(1), text.substr(1));
}

TEST(Blocked, AgreesWithThePlainMatcher) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  int matched = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern, text;
    for (auto n = random() % 7; n > 0; --n) pattern += "ab*?"[random() % 4];
    for (auto n = 1 + random() % 8; n > 0; --n) text += "ab"[random() % 2];
    IdentifierRule rule;
    rule.blocked = {pattern};
    const bool want = matches_plainly(pattern, text);
    ASSERT_EQ(is_blocked(Settings(), rule, text), want) << pattern << " against " << text;
    matched += want;
  }
  EXPECT_GT(matched, 1000);
}

}  // namespace
}  // namespace kehu
