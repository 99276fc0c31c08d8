#include "seal/masks.h"

#include <gtest/gtest.h>

#include "json/document.h"
#include "json/text.h"
#include "seal/door.h"
#include "seal/seal_test.h"

namespace kehu::seal {
namespace {

struct MaskCase {
  const char* name;
  const char* given;
  const char* want;
};

TEST(Mask, Table) {
  const MaskCase cases[] = {
      {"phone", "13812348000", "138****8000"},
      {"phone with country", "+86 138-1234-8000", "138****8000"},
      {"phone of Hong Kong", "+85291234567", "+85****67"},
      {"landline", "010-62345678", "0***"},
      {"e-mail", "Anna@Example.com", "a***@example.com"},
      {"e-mail of one letter", "a@example.com", "a***@example.com"},
      {"e-mail in Chinese", "张三@例子.中国", "张***@例子.中国"},
      {"ID card", "11010519491231002x", "110105********002X"},
      {"name", "Anna", "A***"},
      {"Chinese name", "张三", "张***"},
      {"emoji", "😀ok", "😀***"},
      {"one character", "x", "x***"},
      {"empty", "", ""},
  };
  for (const auto& c : cases) EXPECT_EQ(mask(c.given), c.want) << c.name;
}

// Whatever comes in: no more than the shown characters of it come out, and UTF-8 stays UTF-8.
TEST(Mask, NeverCutsACharacterAndNeverShowsAll) {
  std::mt19937_64 random(3);
  static constexpr std::string_view kPieces[] = {"1", "3", "9", "@",  ".", "a", "中",
                                                 "😀", "é", "+", "86", "X", " "};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (auto n = 2 + random() % 18; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    const std::string masked = mask(text);
    EXPECT_TRUE(json::is_valid_utf8(masked)) << text;
    EXPECT_EQ(masked.find(text), masked.npos) << text;
  }
}

class MaskJsonTest : public testing::Test {
 protected:
  std::string seal(std::string_view key, std::string_view value) {
    return std::string(door_.seal_field(owner_, key, value));
  }

  const ProjectKey project_key_ = test_project_key();
  const Settings settings_ = Settings::defaults();
  KeyRing ring_{project_key_, settings_.cipher, seeded_bytes(1)};
  Door door_{ProjectId(1), project_key_, settings_, ring_};
  Opener opener_{project_key_, ring_};
  const Token owner_{Hash128{1, 2}};
};

TEST_F(MaskJsonTest, ReplacesSealedValuesOnly) {
  const std::string phone = seal("phone", "\"13812348000\"");
  const std::string text =
      "{\"phone\" : " + phone +
      ", \"plan\":\"gold \\\"1\\\"\", \"nested\":{\"email\":" + seal("email", "\"anna@example.com\"") +
      "},\"mobile\":" + seal("mobile", "13812348000") + ",\"tel\":" + seal("tel", "[\"1\",\"2\"]") +
      ",\"n\":1.50}";
  EXPECT_EQ(mask_json(text, opener_),
            "{\"phone\" : \"138****8000\", \"plan\":\"gold \\\"1\\\"\", "
            "\"nested\":{\"email\":\"a***@example.com\"},"
            "\"mobile\":\"138****8000\",\"tel\":\"***\",\"n\":1.50}");
}

// An element of a list is under the list's key, also behind an object that has keys of its own.
TEST_F(MaskJsonTest, ElementsStandUnderTheKeyOfTheirList) {
  const std::string phone = seal("people", "\"13812348000\"");
  EXPECT_EQ(mask_json("{\"people\":[{\"a\":[1]}," + phone + ",[" + phone + "]],\"b\":2}", opener_),
            "{\"people\":[{\"a\":[1]},\"138****8000\",[\"138****8000\"]],\"b\":2}");
  EXPECT_EQ(mask_json("[{\"a\":1}," + phone + "]", opener_, {"people", owner_}),
            "[{\"a\":1},\"138****8000\"]");
}

TEST_F(MaskJsonTest, TextsWithoutSealedValuesAreKept) {
  for (const char* text : {"{}", "[1,2]", "\"x\"", "{\"a\":\"unsealed:v1\"}", "{\"sealed:v1:x\":1}"}) {
    EXPECT_EQ(mask_json(text, opener_), text);
  }
}

TEST_F(MaskJsonTest, ASingleValueNeedsItsKey) {
  const std::string phone = seal("phone", "\"13812348000\"");
  EXPECT_EQ(mask_json(phone, opener_, {"phone", owner_}), "\"138****8000\"");
  EXPECT_EQ(mask_json(phone, opener_, {"email", owner_}), "\"(damaged)\"");
  EXPECT_EQ(mask_json(phone, opener_), "\"(damaged)\"");
}

TEST_F(MaskJsonTest, KeysWithEscapesAreTheKeysTheyMean) {
  const std::string text = "{\"\\u0070hone\":" + seal("phone", "\"13812348000\"") + "}";
  EXPECT_EQ(mask_json(text, opener_), "{\"\\u0070hone\":\"138****8000\"}");
}

TEST_F(MaskJsonTest, IdentifiersShowUnderAnyKey) {
  const std::string phone = door_.seal_identifier(owner_, "13812348000");
  const std::string text = "{\"identifiers\":[{\"type\":\"phone\",\"value\":\"" + phone + "\"}]}";
  EXPECT_EQ(mask_json(text, opener_), "{\"identifiers\":[{\"type\":\"phone\",\"value\":\"138****8000\"}]}");
  EXPECT_EQ(mask_identifier(phone, opener_), "138****8000");
  EXPECT_EQ(mask_identifier("u-1", opener_), "u-1");
}

TEST_F(MaskJsonTest, ErasedAndSpoofedValuesShowNothing) {
  const std::string phone = seal("phone", "\"13812348000\"");
  const std::string copied = "{\"note\":" + phone + "}";
  EXPECT_EQ(mask_json(copied, opener_), "{\"note\":\"(damaged)\"}");
  EXPECT_EQ(mask_json("{\"phone\":\"sealed:v1:\\\"\"}", opener_), "{\"phone\":\"(damaged)\"}");
  ring_.drop(owner_);
  EXPECT_EQ(mask_json("{\"phone\":" + phone + "}", opener_), "{\"phone\":\"(erased)\"}");
}

TEST_F(MaskJsonTest, TheResultIsJson) {
  const std::string name = seal("name", "\"\\\"quoted\\\"\"");
  const std::string masked = mask_json("{\"name\":" + name + "}", opener_);
  const auto document = json::Document::parse(masked);
  ASSERT_TRUE(document.ok()) << masked;
  EXPECT_EQ(document->root().find("name").as_string(), "\"***");
}

}  // namespace
}  // namespace kehu::seal
