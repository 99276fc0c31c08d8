#include "seal/ciphers.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "json/document.h"
#include "seal/seal_test.h"

namespace kehu::seal {
namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

std::string_view view(const Mac& mac) { return {reinterpret_cast<const char*>(mac.data()), mac.size()}; }

// nullopt, and a loud line, when the shared vectors are not beside the checkout.
std::optional<json::Document> wycheproof(const std::string& file) {
  const std::string path = std::string(KEHU_SOURCE_DIR) + "/../shared/vectors/wycheproof/" + file;
  std::ifstream in(path);
  if (!in) {
    std::cerr << "SKIPPED: " << path << " is missing; the cipher was NOT checked against Wycheproof\n";
    return std::nullopt;
  }
  std::ostringstream text;
  text << in.rdbuf();
  auto document = json::Document::parse(text.str());
  EXPECT_TRUE(document.ok()) << path;
  if (!document.ok()) return std::nullopt;
  return *std::move(document);
}

std::string field(const json::Value& value, std::string_view key) {
  return from_hex(value.find(key).as_string().value_or(""));
}

struct AeadCase {
  std::string key, nonce, associated, text, sealed;
  bool valid = false;
};

AeadCase aead_case(const json::Value& test) {
  return {.key = field(test, "key"),
          .nonce = field(test, "iv"),
          .associated = field(test, "aad"),
          .text = field(test, "msg"),
          .sealed = field(test, "ct") + field(test, "tag"),
          .valid = test.find("result").as_string() == "valid"};
}

void check(Cipher cipher, const AeadCase& c, int64_t id) {
  Nonce nonce;
  std::memcpy(nonce.data(), c.nonce.data(), nonce.size());
  Aead aead(cipher);
  std::string clear;
  EXPECT_EQ(aead.open({c.key, nonce, c.associated}, c.sealed, clear), c.valid) << "test " << id;
  EXPECT_EQ(clear, c.valid ? c.text : "") << "test " << id;
  if (!c.valid) return;
  std::string sealed;
  aead.seal({c.key, nonce, c.associated}, c.text, sealed);
  EXPECT_EQ(sealed, c.sealed) << "test " << id;
}

// Vectors of other key, nonce and tag sizes are left out: the interface cannot say them.
struct AeadSuite {
  const char* file;
  Cipher cipher;
  int64_t key_bits;
  int tests;
};

// RFC 8998, A.1. GCM runs SM4 over whole blocks only, so this is also its block cipher's value.
TEST(Aead, Sm4GcmOfTheRfc) {
  const AeadCase given{.key = from_hex("0123456789abcdeffedcba9876543210"),
                       .nonce = from_hex("00001234567800000000abcd"),
                       .associated = from_hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
                       .text = from_hex("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
                                        "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"),
                       .sealed = from_hex("17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
                                          "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
                                          "83de3541e4c2b58177e065a9bf7b62ec"),
                       .valid = true};
  check(Cipher::kSm4Gcm, given, 8998);
  AeadCase spoilt = given;
  spoilt.sealed.back() ^= 1;
  spoilt.valid = false;
  check(Cipher::kSm4Gcm, spoilt, -8998);
}

TEST(Aead, Wycheproof) {
  const AeadSuite suites[] = {
      {"wycheproof_aes_gcm.json", Cipher::kAes256Gcm, 256, 66},
      {"wycheproof_sm4_gcm.json", Cipher::kSm4Gcm, 128, 65},
  };
  for (const auto& suite : suites) {
    const auto document = wycheproof(suite.file);
    if (!document) GTEST_SKIP() << "no Wycheproof vectors";
    int tests = 0;
    for (const auto& group : document->root().find("testGroups")) {
      const bool ours = group.value.find("keySize").as_int() == suite.key_bits &&
                        group.value.find("ivSize").as_int() == 96 &&
                        group.value.find("tagSize").as_int() == 128;
      if (!ours) continue;
      for (const auto& test : group.value.find("tests")) {
        check(suite.cipher, aead_case(test.value), test.value.find("tcId").as_int().value_or(-1));
        ++tests;
      }
    }
    EXPECT_EQ(tests, suite.tests) << suite.file;
  }
}

TEST(Hmac, Wycheproof) {
  const std::pair<const char*, Cipher> suites[] = {{"wycheproof_hmac_sha256.json", Cipher::kAes256Gcm},
                                                   {"wycheproof_hmac_sm3.json", Cipher::kSm4Gcm}};
  for (const auto& [file, family] : suites) {
    const auto document = wycheproof(file);
    if (!document) GTEST_SKIP() << "no Wycheproof vectors";
    int tests = 0;
    for (const auto& group : document->root().find("testGroups")) {
      const auto tag_bytes = static_cast<size_t>(group.value.find("tagSize").as_int().value_or(0)) / 8;
      for (const auto& test : group.value.find("tests")) {
        Hmac hmac(family, field(test.value, "key"));
        const Mac mac = hmac(field(test.value, "msg"));
        const bool same = view(mac).substr(0, tag_bytes) == field(test.value, "tag");
        EXPECT_EQ(same, test.value.find("result").as_string() == "valid") << file << test.value.raw();
        ++tests;
      }
    }
    EXPECT_EQ(tests, document->root().find("numberOfTests").as_int()) << file;
  }
}

// RFC 4231, test case 2; then the same object again: its state must not stay in the middle of a message.
TEST(Hmac, IsReusable) {
  Hmac hmac(Cipher::kAes256Gcm, "Jefe");
  const std::string want = from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(view(hmac("what do ya want for nothing?")), want);
    EXPECT_NE(view(hmac("something else")), want);
  }
}

// RFC 5869, test case 3: SHA-256 without salt and info.
TEST(DeriveKey, KnownValue) {
  EXPECT_EQ(derive_key(Cipher::kAes256Gcm, std::string(22, '\x0b'), "", 42),
            from_hex("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"));
}

TEST(DeriveKey, LabelsAndFamiliesGiveDifferentKeys) {
  const std::string secret(32, 's');
  const std::string one = derive_key(Cipher::kAes256Gcm, secret, "one", 32);
  EXPECT_EQ(one, derive_key(Cipher::kAes256Gcm, secret, "one", 32));
  EXPECT_NE(one, derive_key(Cipher::kAes256Gcm, secret, "two", 32));
  EXPECT_NE(one, derive_key(Cipher::kSm4Gcm, secret, "one", 32));
}

TEST(Aead, AnyChangedBitIsFound) {
  for (const auto cipher : {Cipher::kAes256Gcm, Cipher::kSm4Gcm}) {
    Aead aead(cipher);
    std::string key(key_bytes(cipher), 'k');
    Nonce nonce{1, 2, 3};
    std::string associated = "place", sealed, clear;
    aead.seal({key, nonce, associated}, "13912345678", sealed);
    const auto opens = [&] { return aead.open({key, nonce, associated}, sealed, clear); };
    const auto expect_each_bit_matters = [&](auto& bytes, size_t size) {
      for (size_t bit = 0; bit < size * 8; ++bit) {
        const auto flip = [&] { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ 1 << bit % 8); };
        flip();
        EXPECT_FALSE(opens()) << bit;
        EXPECT_EQ(clear, "");
        flip();
      }
    };
    ASSERT_TRUE(opens());
    expect_each_bit_matters(sealed, sealed.size());
    expect_each_bit_matters(key, key.size());
    expect_each_bit_matters(associated, associated.size());
    auto* nonce_bytes = reinterpret_cast<char*>(nonce.data());
    expect_each_bit_matters(nonce_bytes, nonce.size());
    EXPECT_FALSE(aead.open({key, nonce, associated}, std::string_view(sealed).substr(1), clear));
    EXPECT_FALSE(aead.open({key, nonce, associated}, "short", clear));
    ASSERT_TRUE(opens());
    EXPECT_EQ(clear, "13912345678");
  }
}

TEST(ProjectKey, LengthIsChecked) {
  EXPECT_EQ(ProjectKey::from_bytes("short").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(test_project_key('a').fingerprint().size(), 16u);
  EXPECT_NE(test_project_key('a').fingerprint(), test_project_key('b').fingerprint());
}

}  // namespace
}  // namespace kehu::seal
