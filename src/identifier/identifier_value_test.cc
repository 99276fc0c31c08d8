#include "identifier/identifier_value.h"

#include <gtest/gtest.h>

#include "identifier/normal_value.h"
#include "model/spreadsheet.h"

namespace kehu {
namespace {

using enum LeftOut;
using enum Normaliser;

struct Case {
  const char* name;
  Normaliser normaliser;
  Written written;
  std::string_view given;
  std::string_view want;  // the text, or what was given when it is left out
  LeftOut left_out = kNo;
};

constexpr Written kText = Written::kAsText, kNumber = Written::kAsNumber;

void check(const Case& c) {
  IdentifierRule rule;
  rule.normaliser = c.normaliser;
  std::string scratch;
  const IdentifierValue got = read_identifier(Settings(), rule, c.given, c.written, scratch);
  EXPECT_EQ(to_string(got.left_out), to_string(c.left_out)) << c.name;
  EXPECT_EQ(got.text, c.left_out == kNo ? c.want : c.given) << c.name;
}

TEST(IdentifierValue, NumbersInAllSpellings) {
  const Case cases[] = {
      {"whole", kTrim, kNumber, "2001", "2001"},
      {"with a fraction of zero", kTrim, kNumber, "2001.0", "2001"},
      {"with two zeros, as of DECIMAL(n,2)", kTrim, kNumber, "2001.00", "2001"},
      {"with an exponent", kTrim, kNumber, "2.001e3", "2001"},
      {"with a signed exponent", kTrim, kNumber, "2.001E+3", "2001"},
      {"with a negative exponent", kTrim, kNumber, "20010e-1", "2001"},
      {"with an exponent that makes zeros", kTrim, kNumber, "2e3", "2000"},
      {"Java's ten million", kTrim, kNumber, "1.0E7", "10000000"},
      {"a fraction", kTrim, kNumber, "12.50", "12.5"},
      {"a small fraction", kTrim, kNumber, "1.2e-3", "0.0012"},
      {"negative", kTrim, kNumber, "-12.0", "-12"},
      {"a phone as a double", kChinesePhone, kNumber, "13911112222.0", "13911112222"},
      {"a phone in scientific notation", kChinesePhone, kNumber, "1.3911112222e10", "13911112222"},
      {"a phone whose last zero Java left off", kPhone, kNumber, "1.391111222E10", "13911112220"},
      {"the largest that a double holds", kTrim, kNumber, "9007199254740991.0", "9007199254740991"},
      {"one more", kTrim, kNumber, "9007199254740992.0", "", kDigitsLost},
      {"as JavaScript writes a long number", kTrim, kNumber, "1.2345678901234568e17", "", kDigitsLost},
      {"with six digits left", kTrim, kNumber, "1.23457e17", "", kDigitsLost},
      {"with six digits left of eleven", kTrim, kNumber, "1.39111e+10", "", kDigitsLost},
      {"beyond all", kTrim, kNumber, "1e999", "", kDigitsLost},
      {"a decimal is exact", kTrim, kNumber, "123456789012345678.00", "123456789012345678"},
      {"a long whole number", kTrim, kNumber, "123456789012345678901", "123456789012345678901"},
      {"zero", kTrim, kNumber, "0.0", "", kBlocked},
      {"minus zero", kTrim, kNumber, "-0.0", "", kBlocked},
      {"zero with an exponent", kTrim, kNumber, "0e5", "", kBlocked},
      {"minus one", kTrim, kNumber, "-1", "", kBlocked},

      {"pandas' text", kTrim, kText, "2001.0", "2001"},
      {"a decimal's text", kTrim, kText, "2001.00", "2001"},
      {"in lower case too", kLowercase, kText, "2001.0", "2001"},
      {"a phone of pandas", kPhone, kText, "13911112222.0", "13911112222"},
      {"a phone with +86 of nobody's frame", kPhone, kText, "8613911112222.0", "13911112222"},
      {"a fraction is somebody's number", kTrim, kText, "12.5", "12.5"},
      {"a version", kTrim, kText, "1.0.0", "1.0.0"},
      {"a leading zero is no number's", kTrim, kText, "007.0", "007.0"},
      {"zero as a text", kTrim, kText, "0.0", "", kBlocked},
      {"Excel's rest", kTrim, kText, "1.23457E+17", "", kDigitsLost},
      {"without a sign", kTrim, kText, "1.23457e17", "", kDigitsLost},
      {"rounded to two digits", kTrim, kText, "1.2E+11", "", kDigitsLost},
      {"rounded to one", kLowercase, kText, "1E+17", "", kDigitsLost},
      {"a phone's rest", kPhone, kText, "1.39111E+10", "", kDigitsLost},
      {"an ID card's rest", kIdCard, kText, "3.30102E+17", "", kDigitsLost},
      {"guarded", kTrim, kText, "=\"1.23457E+17\"", "", kDigitsLost},
      {"all digits are there", kTrim, kText, "1.3911112222E+10", "13911112222"},
      {"Spark's", kTrim, kText, "1.391111222E10", "13911112220"},
      {"all digits of a small one", kTrim, kText, "2.001E+03", "2001"},
      {"no point and no sign is an id", kTrim, kText, "12e45", "12e45"},
      {"the beginning of a UUID", kTrim, kText, "1e5", "1e5"},
      {"a UUID", kTrim, kText, "123e4567-e89b-12d3-a456-426614174000",
       "123e4567-e89b-12d3-a456-426614174000"},
      {"a negative exponent", kTrim, kText, "1.5E-3", "1.5E-3"},
  };
  for (const Case& c : cases) check(c);
}

TEST(IdentifierValue, WhatASpreadsheetDidIsUndone) {
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"plain", kTrim, kText, "guard-1", "guard-1"},
      {"formula", kTrim, kText, "=\"guard-1\"", "guard-1"},
      {"formula with a leading zero", kTrim, kText, "=\"0123\"", "0123"},
      {"apostrophe", kTrim, kText, "'guard-1", "guard-1"},
      {"apostrophe before a zero", kTrim, kText, "'0123", "0123"},
      {"double quotes", kTrim, kText, "\"guard-1\"", "guard-1"},
      {"single quotes", kTrim, kText, "'guard-1'", "guard-1"},
      {"typographic quotes", kTrim, kText, "“guard-1”", "guard-1"},
      {"corner brackets", kTrim, kText, "「guard-1」", "guard-1"},
      {"full-width quotes", kTrim, kText, "＂guard-1＂", "guard-1"},
      {"two coats", kTrim, kText, "\"'guard-1'\"", "guard-1"},
      {"coats with blanks between", kTrim, kText, " \" guard-1 \" ", "guard-1"},
      {"a quote inside stays", kTrim, kText, "O'Neil", "O'Neil"},
      {"one quote alone stays", kTrim, kText, "6\"", "6\""},
      {"zero-width space at the end", kTrim, kText, "zw-1\u200b", "zw-1"},
      {"zero-width space inside", kTrim, kText, "zw\u200b-1", "zw-1"},
      {"byte order mark", kTrim, kText, "\ufeffzw-1", "zw-1"},
      {"marks of direction", kTrim, kText, "\u200e\u202azw-1\u202c\u200f", "zw-1"},
      {"soft hyphen", kTrim, kText, "zw\u00ad-1", "zw-1"},
      {"word joiner", kTrim, kText, "zw-\u20601", "zw-1"},
      {"no-break space", kTrim, kText, "\u00a0zw-1\u202f", "zw-1"},
      {"ideographic space", kLowercase, kText, "\u3000ZW-1\u3000", "zw-1"},
      {"NUL", kTrim, kText, "zw-1\0"sv, "zw-1"},
      {"NUL inside", kTrim, kText, "zw\0-1"sv, "zw-1"},
      {"control characters at the ends", kTrim, kText, "\x01zw-1\x7f", "zw-1"},
      {"a joiner inside is meant", kTrim, kText, "👩\u200d💻", "👩\u200d💻"},
      {"a joiner at the end is not", kTrim, kText, "zw-1\u200d", "zw-1"},
      {"a blank inside is meant", kTrim, kText, "a b", "a b"},
      {"nothing left", kTrim, kText, "\u200b\u3000", "", kBlocked},
      {"a guarded nobody", kTrim, kText, "=\"null\"", "", kBlocked},
      {"a guarded zero", kTrim, kText, "'0", "", kBlocked},
      {"a guarded phone", kPhone, kText, "=\"13912345678\"", "13912345678"},
      {"a phone behind an apostrophe", kChinesePhone, kText, "'13912345678", "13912345678"},
      {"a guarded address", kEmail, kText, "=\"A@Example.com\"", "a@example.com"},
      {"a guarded card", kIdCard, kText, "'11010519491231002x", "11010519491231002X"},
  };
  for (const Case& c : cases) check(c);
}

TEST(IdentifierValue, Phones) {
  const Case cases[] = {
      {"trunk zero", kChinesePhone, kText, "013912345605", "13912345605"},
      {"trunk zero behind the country", kPhone, kText, "+86 (0)139 1234 5605", "13912345605"},
      {"tel:", kChinesePhone, kText, "tel:+86-139-1234-5605", "13912345605"},
      {"TEL: in full width", kPhone, kText, "ＴＥＬ：１３９１２３４５６０５", "13912345605"},
      {"a label in Chinese", kPhone, kText, "手机：13912345605", "13912345605"},
      {"quotes", kPhone, kText, "\"13912345605\"", "13912345605"},
      {"country in brackets", kChinesePhone, kText, "(+86)13912345605", "13912345605"},
      {"full-width brackets", kChinesePhone, kText, "（+86）13912345605", "13912345605"},
      {"0086 and dots", kPhone, kText, "0086-139.1234.5605", "13912345605"},
      {"+0086", kPhone, kText, "+008613912345605", "13912345605"},
      {"a carrier's prefix", kPhone, kText, "1795113912345605", "13912345605"},
      {"invisible characters inside", kPhone, kText, "\u202d139\u200b12345605\u202c", "13912345605"},
      {"middle dots", kPhone, kText, "139·1234·5605", "13912345605"},
      {"the same number twice", kPhone, kText, "13912345605 / +86 13912345605", "13912345605"},
      {"two numbers with a slash", kChinesePhone, kText, "13912345605/13912345606", "", kSeveral},
      {"two numbers with a comma", kPhone, kText, "13912345605,13912345606", "", kSeveral},
      {"two numbers with an ideographic comma", kPhone, kText, "13912345605、13912345606", "", kSeveral},
      {"two numbers with a blank", kPhone, kText, "13912345605 13912345606", "", kSeveral},
      {"two numbers on two lines", kPhone, kText, "13912345605\n13912345606", "", kSeveral},
      {"two numbers with a word", kPhone, kText, "13912345605或13912345606", "", kSeveral},
      {"two with their country", kPhone, kText, "+8613912345605+8613912345606", "", kSeveral},
      {"three, two of them equal", kPhone, kText, "13912345605,13912345605,13912345606", "", kSeveral},
      {"a landline beside it", kPhone, kText, "010-62345678;13912345605", "", kSeveral},
      {"an extension", kPhone, kText, "13912345605转801", "", kInvalid},
      {"an extension in English", kPhone, kText, "13912345605 ext. 5", "", kInvalid},
      {"an extension of a tel:", kPhone, kText, "tel:13912345605;ext=5", "", kInvalid},
      {"a name beside it", kPhone, kText, "13912345605 李娜", "", kInvalid},
      {"landline", kPhone, kText, "010-62345678", "", kInvalid},
      {"landline with its country", kPhone, kText, "+86 10 62345678", "", kInvalid},
      {"short", kPhone, kText, "12306", "", kInvalid},
      {"London by its plan", kPhone, kText, "+44 (0)20 7946 0958", "+442079460958"},
      {"London by its shape, as it always was", kChinesePhone, kText, "+44 (0)20 7946 0958",
       "+4402079460958"},
      {"Hong Kong", kPhone, kText, "00852 9123 4567", "+85291234567"},
      {"no such number", kPhone, kText, "+852 9123", "", kInvalid},
      {"nobody", kPhone, kText, "无", "", kBlocked},
      {"zeros", kPhone, kText, "00000000000", "", kBlocked},
      {"an object", kPhone, kText, "[object Object]", "", kBlocked},
  };
  for (const Case& c : cases) check(c);
}

TEST(IdentifierValue, EmailsAndCards) {
  const Case cases[] = {
      {"mailto:", kEmail, kText, "mailto:li@example.com", "li@example.com"},
      {"mailto: with a subject", kEmail, kText, "MAILTO:li@example.com?subject=Hello", "li@example.com"},
      {"angle brackets", kEmail, kText, "<li@example.com>", "li@example.com"},
      {"with a name", kEmail, kText, "Li Na <Li@Example.com>", "li@example.com"},
      {"with a name in quotes", kEmail, kText, "\"Li, Na\" <li@example.com>", "li@example.com"},
      {"with its address as name", kEmail, kText, "li@example.com <li@example.com>", "li@example.com"},
      {"comma behind", kEmail, kText, "li@example.com,", "li@example.com"},
      {"semicolon behind", kEmail, kText, "li@example.com;", "li@example.com"},
      {"full stop behind", kEmail, kText, "li@example.com.", "li@example.com"},
      {"full-width comma behind", kEmail, kText, "li@example.com，", "li@example.com"},
      {"quotes", kEmail, kText, "'li@example.com'", "li@example.com"},
      {"full-width at and dot", kEmail, kText, "ｌｉ＠example。com", "li@example.com"},
      {"invisible character", kEmail, kText, "li\u200b@example.com\u200e", "li@example.com"},
      {"xn-- is its own script", kEmail, kText, "li@xn--fsqu00a.xn--fiqs8s", "li@例子.中国"},
      {"xn-- in capitals", kEmail, kText, "li@XN--BCHER-KVA.example", "li@bücher.example"},
      {"its own script", kEmail, kText, "li@例子.中国", "li@例子.中国"},
      {"xn-- that is none", kEmail, kText, "li@xn--.com", "li@xn--.com"},
      {"the same twice", kEmail, kText, "li@example.com; LI@example.com", "li@example.com"},
      {"two with a comma", kEmail, kText, "li@example.com,na@example.com", "", kSeveral},
      {"two with a semicolon and a blank", kEmail, kText, "li@example.com; na@example.com", "", kSeveral},
      {"two with a blank", kEmail, kText, "li@example.com na@example.com", "", kSeveral},
      {"two with names", kEmail, kText, "Li <li@example.com>, Na <na@example.com>", "", kSeveral},
      {"two with an ideographic comma", kEmail, kText, "li@example.com、na@example.com", "", kSeveral},
      {"no domain", kEmail, kText, "Li <li@localhost>", "", kInvalid},
      {"comma for a dot", kEmail, kText, "li@example.com,cn", "", kInvalid},
      {"a word", kEmail, kText, "none", "", kBlocked},
      {"no at", kEmail, kText, "li.example.com", "", kInvalid},

      {"card with blanks and a small x", kIdCard, kText, "110105 19491231 002x", "11010519491231002X"},
      {"card with a Roman ten", kIdCard, kText, "11010519491231002Ⅹ", "11010519491231002X"},
      {"card in full width", kIdCard, kText, "１１０１０５１９４９１２３１００２ｘ", "11010519491231002X"},
      {"card of fifteen digits", kIdCard, kText, "110105491231002", "", kInvalid},
      {"card that Excel cut", kIdCard, kText, "440524188001010000", "", kInvalid},
      {"a permit of Hong Kong is a plain id", kTrim, kText, "H12345678", "H12345678"},
  };
  for (const Case& c : cases) check(c);
}

TEST(IdentifierValue, TheProjectsOwnList) {
  Settings settings;
  settings.nobody = {folded_nobody("\"Walk-In\""), "kasse*"};
  IdentifierRule rule;
  rule.blocked = {"test*"};
  std::string scratch;
  const auto left_out = [&](std::string_view value) {
    return to_string(read_identifier(settings, rule, value, kText, scratch).left_out);
  };
  for (const char* nobody :
       {"walk-in", "WALK-IN", " 'walk-in' ", "ＷＡＬＫ－ＩＮ", "Kasse 7", "test1", "'test2"}) {
    EXPECT_EQ(left_out(nobody), "blocked") << nobody;
    EXPECT_TRUE(is_blocked(settings, rule, nobody) || nobody[0] == '\'') << nobody;
  }
  for (const char* somebody : {"walk-in-7", "Test1", "xkasse"})
    EXPECT_EQ(left_out(somebody), "no") << somebody;
}

TEST(IdentifierValue, OldSpellingsAreFound) {
  EXPECT_EQ(old_spelling(kTrim, " =\"guard-1\" "), "=\"guard-1\"");
  EXPECT_EQ(old_spelling(kLowercase, "'Guard-1"), "'guard-1");
  EXPECT_EQ(old_spelling(kEmail, "MAILTO:a＠b.c"), "mailto:a@b.c");
  EXPECT_EQ(old_spelling(kPhone, "013912345605"), std::nullopt);
}

}  // namespace
}  // namespace kehu
