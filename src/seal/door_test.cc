#include "seal/door.h"

#include <gtest/gtest.h>

#include <set>

#include "absl/strings/escaping.h"
#include "base/text.h"
#include "json/document.h"
#include "seal/masks.h"
#include "seal/opener.h"
#include "seal/seal_test.h"

namespace kehu::seal {
namespace {

Settings settings_with(Cipher cipher) {
  Settings settings = Settings::defaults();
  settings.cipher = cipher;
  return settings;
}

std::string_view without_quotes(std::string_view literal) { return literal.substr(1, literal.size() - 2); }

class DoorTest : public testing::TestWithParam<Cipher> {
 protected:
  IdentifierTypeId type(const char* name) const { return *settings_.find_type(name); }

  const ProjectKey project_key_ = test_project_key();
  const Settings settings_ = settings_with(GetParam());
  KeyRing ring_{project_key_, settings_.cipher, seeded_bytes(1)};
  Door door_{ProjectId(1), project_key_, settings_, ring_};
  Opener opener_{project_key_, ring_};
};

TEST_P(DoorTest, TokensDependOnProjectTypeValueAndKey) {
  Door other_project(ProjectId(2), project_key_, settings_, ring_);
  Door other_key(ProjectId(1), test_project_key('x'), settings_, ring_);
  Door same(ProjectId(1), project_key_, settings_, ring_);
  std::set<Token> tokens;
  size_t made = 0;
  for (const char* name : {"user_id", "anonymous_id", "phone", "email"}) {
    for (const char* value : {"13912345678", "13912345679", ""}) {
      for (Door* door : {&door_, &other_project, &other_key}) tokens.insert(door->token(type(name), value));
      made += 3;
      EXPECT_EQ(same.token(type(name), value), door_.token(type(name), value));
    }
  }
  EXPECT_EQ(tokens.size(), made);
}

TEST_P(DoorTest, FieldsOpenAsTheyWere) {
  std::mt19937_64 random(7);
  const Token owner = door_.token(type("user_id"), "u-1");
  std::vector<std::string> values = {"\"13912345678\"", "13912345678", "\"\"",
                                     "{\"a\":[1,2]}",   "true",        "\"张三\""};
  for (int i = 0; i < 200; ++i) values.push_back(random_text(random, 300));
  for (const auto& value : values) {
    const std::string literal(door_.seal_field(owner, "phone", value));
    ASSERT_TRUE(Door::looks_sealed(literal));
    ASSERT_TRUE(Opener::is_sealed(without_quotes(literal)));
    ASSERT_TRUE(json::Document::parse(literal).ok()) << literal;
    if (value.size() > 3) {
      EXPECT_EQ(literal.find(value), literal.npos);
    }
    for (const std::optional<Token> expected : {std::optional<Token>(), std::optional<Token>(owner)}) {
      const Opened opened = opener_.open_field({"phone", expected}, without_quotes(literal));
      ASSERT_TRUE(opened.ok()) << literal;
      EXPECT_EQ(opened.value, value);
    }
  }
}

TEST_P(DoorTest, NullIsNotSealed) {
  EXPECT_EQ(door_.seal_field(Token{}, "phone", "null"), "null");
  EXPECT_TRUE(door_.take_new_keys().empty());
}

TEST_P(DoorTest, SealingIsDeterministicPerOwnerAndField) {
  const Token one = door_.token(type("user_id"), "u-1");
  const Token two = door_.token(type("user_id"), "u-2");
  Door same(ProjectId(1), project_key_, settings_, ring_);
  const std::string sealed(door_.seal_field(one, "phone", "\"1\""));
  EXPECT_EQ(same.seal_field(one, "phone", "\"1\""), sealed);
  EXPECT_NE(same.seal_field(two, "phone", "\"1\""), sealed);
  EXPECT_NE(same.seal_field(one, "email", "\"1\""), sealed);
  EXPECT_NE(same.seal_field(one, "phone", "\"2\""), sealed);
}

// A nonce that came twice under one key with two texts would give both of them away.
TEST_P(DoorTest, NoncesOfDifferentTextsDiffer) {
  const Token owner = door_.token(type("user_id"), "u-1");
  std::set<std::string> nonces;
  constexpr size_t kBase64NonceDigits = kNonceBytes * 4 / 3;
  const size_t prefix = std::string_view("\"sealed:v1:0123456789abcdef:").size();
  for (int i = 0; i < 5000; ++i) {
    const char* key = i % 2 == 0 ? "phone" : "email";
    nonces.insert(
        std::string(door_.seal_field(owner, key, std::to_string(i)).substr(prefix, kBase64NonceDigits)));
  }
  EXPECT_EQ(nonces.size(), 5000u);
}

TEST_P(DoorTest, IdentifiersOpenUnderTheirOwnToken) {
  const Token phone = door_.token(type("phone"), "13912345678");
  const std::string sealed = door_.seal_identifier(phone, "+86 139-1234-5678");
  EXPECT_EQ(opener_.open_identifier(phone, sealed).value, "+86 139-1234-5678");
  EXPECT_EQ(opener_.open_identifier(std::nullopt, sealed).value, "+86 139-1234-5678");
  EXPECT_EQ(opener_.open_identifier(door_.token(type("phone"), "13912345679"), sealed).state,
            Opened::State::kDamaged);
}

TEST_P(DoorTest, PayloadsOpen) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 100; ++i) {
    const std::string text = random_text(random, 5000);
    std::string sealed = door_.seal_payload(text);
    EXPECT_EQ(door_.seal_payload(text), sealed);
    const Opened opened = opener_.open_payload(sealed);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value, text);
    char& victim = sealed[random() % sealed.size()];
    victim = static_cast<char>(victim ^ 1 << random() % 8);
    EXPECT_EQ(opener_.open_payload(sealed).state, Opened::State::kDamaged);
  }
  EXPECT_EQ(opener_.open_payload("").state, Opened::State::kDamaged);
}

// Every bit of the text counts: none is spare, and none may turn a damaged text into another value.
TEST_P(DoorTest, AnyChangedBitIsFound) {
  for (const char* value : {"\"13912345678\"", "\"1391234567\"", "\"139123456\""}) {
    std::string text(without_quotes(door_.seal_field(Token{}, "phone", value)));
    for (size_t bit = 0; bit < text.size() * 8; ++bit) {
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
      const Opened opened = opener_.open_field({"phone"}, text);
      EXPECT_FALSE(opened.ok()) << bit;
      EXPECT_EQ(opened.value, "");
      text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t size = 0; size < text.size(); ++size) {
      EXPECT_FALSE(opener_.open_field({"phone"}, std::string_view(text).substr(0, size)).ok()) << size;
    }
    EXPECT_FALSE(opener_.open_field({"phone"}, text + "A").ok());
    EXPECT_FALSE(opener_.open_field({"phone"}, text + "=").ok());
    EXPECT_TRUE(opener_.open_field({"phone"}, text).ok());
  }
}

TEST_P(DoorTest, ATextDoesNotOpenElsewhere) {
  const Token one = door_.token(type("user_id"), "u-1");
  const Token two = door_.token(type("user_id"), "u-2");
  const std::string field(without_quotes(door_.seal_field(one, "phone", "\"13912345678\"")));
  const std::string other(without_quotes(door_.seal_field(two, "phone", "\"13912345678\"")));
  const std::string identifier = door_.seal_identifier(one, "13912345678");
  // The key id of another owner in front of this owner's message.
  const std::string swapped = other.substr(0, other.rfind(':')) + field.substr(field.rfind(':'));
  struct Case {
    const char* name;
    Opened opened;
  };
  const Case cases[] = {
      {"under another key", opener_.open_field({"email"}, field)},
      {"under a longer key", opener_.open_field({"phone2"}, field)},
      {"at another owner", opener_.open_field({"phone", two}, field)},
      {"with another key id", opener_.open_field({"phone"}, swapped)},
      {"a field as an identifier", opener_.open_identifier(one, field)},
      {"an identifier as a field", opener_.open_field({"phone", one}, identifier)},
      {"an identifier as a field without key", opener_.open_field({""}, identifier)},
      {"as a payload", opener_.open_payload(field)},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.opened.state, Opened::State::kDamaged) << c.name;
    EXPECT_EQ(c.opened.value, "") << c.name;
  }
}

TEST_P(DoorTest, ErasedValuesSaySo) {
  const Token owner = door_.token(type("user_id"), "u-1");
  const std::string field(without_quotes(door_.seal_field(owner, "phone", "\"13912345678\"")));
  const std::string identifier = door_.seal_identifier(owner, "u-1");
  ring_.drop(owner);
  EXPECT_EQ(opener_.open_field({"phone"}, field).state, Opened::State::kErased);
  EXPECT_EQ(opener_.open_identifier(owner, identifier).state, Opened::State::kErased);
  // She comes back: the new value opens, the old one stays erased.
  const std::string again(without_quotes(door_.seal_field(owner, "phone", "\"13912345678\"")));
  EXPECT_NE(again, field);
  EXPECT_TRUE(opener_.open_field({"phone"}, again).ok());
  EXPECT_EQ(opener_.open_field({"phone"}, field).state, Opened::State::kErased);
}

TEST_P(DoorTest, NewKeysGoWithEveryBatchUntilOneIsDurable) {
  const Token owner = door_.token(type("user_id"), "u-1");
  Door second(ProjectId(1), project_key_, settings_, ring_);
  door_.seal_field(owner, "phone", "1");
  door_.seal_field(owner, "email", "2");
  second.seal_field(owner, "phone", "1");
  const auto first_batch = door_.take_new_keys();
  const auto second_batch = second.take_new_keys();
  ASSERT_EQ(first_batch.size(), 1u);
  ASSERT_EQ(second_batch.size(), 1u);
  EXPECT_EQ(first_batch[0].record().token, owner);
  EXPECT_EQ(first_batch[0].name.key_id, second_batch[0].name.key_id);
  EXPECT_EQ(first_batch[0].wrapped, second_batch[0].wrapped);

  EXPECT_TRUE(door_.take_new_keys().empty()) << "nothing was sealed since";
  door_.seal_field(owner, "phone", "3");
  EXPECT_EQ(door_.take_new_keys().size(), 1u) << "the first batch may have been thrown away";
  door_.seal_field(owner, "phone", "4");
  ring_.mark_durable({first_batch[0].name.key_id});
  EXPECT_TRUE(door_.take_new_keys().empty());
  door_.seal_field(owner, "phone", "5");
  EXPECT_TRUE(door_.take_new_keys().empty());
}

TEST_P(DoorTest, RecoveryReadsWhatWasSealed) {
  const Token owner = door_.token(type("user_id"), "u-1");
  const std::string field(without_quotes(door_.seal_field(owner, "phone", "\"13912345678\"")));
  KeyRing recovered(project_key_, settings_.cipher, seeded_bytes(2));
  for (const auto& key : door_.take_new_keys()) ASSERT_TRUE(recovered.load(key.record()).ok());
  Opener opener(project_key_, recovered);
  EXPECT_EQ(opener.open_field({"phone"}, field).value, "\"13912345678\"");
  Door door(ProjectId(1), project_key_, settings_, recovered);
  EXPECT_EQ(without_quotes(door.seal_field(owner, "phone", "\"13912345678\"")), field);
}

// A client that sends a sealed text of its own: made up, or copied from another customer's export. Where its
// key is sealed it is sealed once more and opens as the text it was; anywhere else Door::looks_sealed has it
// sealed too.
TEST_P(DoorTest, SpoofedTextsAreData) {
  const Token victim = door_.token(type("user_id"), "victim");
  const Token thief = door_.token(type("user_id"), "thief");
  const std::string stolen(door_.seal_field(victim, "phone", "\"13912345678\""));
  for (const auto& spoofed :
       {stolen, std::string("\"sealed:v1:0000000000000000:AAAA\""), std::string("\"sealed:v9\"")}) {
    ASSERT_TRUE(Door::looks_sealed(spoofed));
    const std::string stored(door_.seal_field(thief, "phone", spoofed));
    const Opened opened = opener_.open_field({"phone", thief}, without_quotes(stored));
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened.value, spoofed);
    EXPECT_FALSE(opener_.open_field({"note"}, without_quotes(spoofed)).ok());
    EXPECT_FALSE(opener_.open_field({"phone", thief}, without_quotes(spoofed)).ok());
  }
}

std::string hex(std::string_view bytes) { return absl::BytesToHexString(to_absl(bytes)); }

struct Golden {
  const char* phone_token;
  const char* field;
  const char* wrapped_key;
  const char* payload;
};

// Texts as version 1 writes them; docs/formats/sealed.md tells how to compute them by other means. When this
// fails, the data of every installation has become unreadable: the format needs a new version, not a new
// expectation.
TEST_P(DoorTest, GoldenTexts) {
  static constexpr Golden kAes = {
      "a92b1ff02fcc1e55db1cc1e0b6fbc009",
      "\"sealed:v1:47c6616464fb527e:PnKacMIFVw1B7LPZUC1C4gRVNSlOScATmjqooFGygtQMq1J3iYuUXBk\"",
      "010805ff83d5852ee5f763a1486c8c37252bcaa980492f3026b1e83262d7bdb6051c6ce37f5735b6a398859b4801f3c0"
      "d9b04877846657b16f8982a451349562ea",
      "01f9af0e0234f0963498de64e4a4e5cd8287bb7df31565cc7420bf01bf719ba1347966361ea7c4",
  };
  static constexpr Golden kSm4 = {
      "d81d35d99b3b18e5e22199855e0743e1",
      "\"sealed:v1:fc851312bcee1481:IAUCsaAfhcj1X8-A3zVw4VLI2MFb_EQceQKHT-k2aSW74LTX4D1stiQ\"",
      "0292447fa82e41dd13f7bfb5418603f714826e5335fb8b7f930af30046f4755c69f3bec046c52ad6261e5d22aef7c8d0"
      "73",
      "028e58292b9a609f56c7f13cd82c9de82ad9e0303ecd59a24d9d8e5b17bfed3ea7b47e4265b30f",
  };
  const Golden& want = GetParam() == Cipher::kAes256Gcm ? kAes : kSm4;
  const Token owner = door_.token(type("user_id"), "u-1");
  EXPECT_EQ(owner.hash.hex(), "b55e827b5e7b551a47fb655437401725");
  EXPECT_EQ(door_.token(type("phone"), "13912345678").hash.hex(), want.phone_token);
  EXPECT_EQ(door_.seal_field(owner, "phone", "\"13912345678\""), want.field);
  EXPECT_EQ(hex(door_.seal_payload("{\"broken\":")), want.payload);
  const auto keys = door_.take_new_keys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(hex(keys[0].wrapped), want.wrapped_key);
}

INSTANTIATE_TEST_SUITE_P(Ciphers, DoorTest, testing::Values(Cipher::kAes256Gcm, Cipher::kSm4Gcm));

// The cipher of a key is its own: after a change of the setting old texts still open.
TEST(Door, TwoCiphersLiveTogether) {
  const ProjectKey project_key = test_project_key();
  const Settings aes = settings_with(Cipher::kAes256Gcm), sm4 = settings_with(Cipher::kSm4Gcm);
  KeyRing aes_ring(project_key, aes.cipher, seeded_bytes(1));
  KeyRing sm4_ring(project_key, sm4.cipher, seeded_bytes(2));
  Door aes_door(ProjectId(1), project_key, aes, aes_ring);
  const Token owner = aes_door.token(IdentifierTypeId(0), "u-1");
  const std::string old(without_quotes(aes_door.seal_field(owner, "phone", "1")));
  const std::string old_payload = aes_door.seal_payload("body");
  for (const auto& key : aes_door.take_new_keys()) ASSERT_TRUE(sm4_ring.load(key.record()).ok());
  Opener opener(project_key, sm4_ring);
  EXPECT_EQ(opener.open_field({"phone", owner}, old).value, "1");
  EXPECT_EQ(opener.open_payload(old_payload).value, "body");
}

// A name that is a phone number is stored sealed and counted by its text. Behind a replay, and when the
// settings name another cipher by then, it is still known as sealed, shown as its mask, and is the same text.
TEST(Door, ANameSealedBeforeIsKnownBehindAReplay) {
  const ProjectKey project_key = test_project_key();
  const Settings aes = settings_with(Cipher::kAes256Gcm), sm4 = settings_with(Cipher::kSm4Gcm);
  KeyRing aes_ring(project_key, aes.cipher, seeded_bytes(1));
  Door aes_door(ProjectId(1), project_key, aes, aes_ring);
  const Token owner = aes_door.token(IdentifierTypeId(0), "u-1");
  const std::string before(aes_door.seal_field(owner, "name", "\"13912345678\""));
  KeyRing replayed(project_key, sm4.cipher, seeded_bytes(3));
  for (const auto& key : aes_door.take_new_keys()) ASSERT_TRUE(replayed.load(key.record()).ok());
  Opener opener(project_key, replayed);
  EXPECT_TRUE(Door::looks_sealed(before));
  EXPECT_EQ(mask_json(before, opener, {"name", owner}), "\"139****5678\"");
  EXPECT_EQ(mask_json(before, opener, {"title", owner}), "\"(damaged)\"") << "under its own key alone";
  Door sm4_door(ProjectId(1), project_key, sm4, replayed);
  EXPECT_EQ(sm4_door.seal_field(owner, "name", "\"13912345678\""), before);
  const Token other = sm4_door.token(IdentifierTypeId(0), "u-2");
  const std::string after(sm4_door.seal_field(other, "name", "\"13912345678\""));
  EXPECT_NE(after, before) << "another customer's, and of the young generation";
  for (const auto& key : sm4_door.take_new_keys()) ASSERT_TRUE(replayed.load(key.record()).ok());
  EXPECT_EQ(mask_json(after, opener, {"name", other}), "\"139****5678\"");
}

}  // namespace
}  // namespace kehu::seal
