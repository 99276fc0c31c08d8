#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"
#include "identifier/normal_value.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/rejection.h"
#include "model/settings.h"

namespace kehu {
namespace {

TEST(Settings, DefaultsHoldTogether) {
  const Settings settings = Settings::defaults();
  EXPECT_EQ(settings.zone.name(), "Asia/Shanghai");
  std::set<std::string> names;
  int priority = 0;
  for (const auto& rule : settings.identifier_types) {
    EXPECT_TRUE(names.insert(rule.name).second) << rule.name;
    EXPECT_EQ(rule.priority, ++priority) << rule.name;
  }
  for (const auto& [trait, type] : settings.trait_identifiers) EXPECT_TRUE(settings.find_type(type)) << trait;
  std::set<std::string> fields;
  for (const auto& field : settings.personal_fields) {
    EXPECT_TRUE(fields.insert(field).second) << field << " is listed twice";
    EXPECT_EQ(normalise(Normaliser::kLowercase, field), field) << "keys are compared in lower case";
  }
}

struct TypeCase {
  const char* name;
  bool unique, weak, personal;
};

TEST(Settings, DefaultIdentifierTypes) {
  const TypeCase cases[] = {
      {"user_id", true, false, false},       {"union_id", true, false, false},
      {"member_id", true, false, false},     {"phone", false, false, true},
      {"email", false, false, true},         {"id_card", true, false, true},
      {"open_id", false, false, false},      {"device_id", false, false, false},
      {"anonymous_id", false, false, false}, {"fingerprint", false, true, false},
  };
  const Settings settings = Settings::defaults();
  ASSERT_EQ(settings.identifier_types.size(), std::size(cases));
  for (const auto& c : cases) {
    const auto type = settings.find_type(c.name);
    ASSERT_TRUE(type) << c.name;
    const IdentifierRule& rule = settings.rule(*type);
    EXPECT_EQ(rule.unique, c.unique) << c.name;
    EXPECT_EQ(rule.weak, c.weak) << c.name;
    EXPECT_EQ(rule.personal, c.personal) << c.name;
  }
  EXPECT_FALSE(settings.find_type("shoe_size"));
}

// A personal identifier sent as a trait would otherwise be sealed as the identifier and stored in clear
// beside it.
TEST(Settings, TraitsOfPersonalTypesAreSealedFields) {
  const Settings settings = Settings::defaults();
  const std::set<std::string> fields(settings.personal_fields.begin(), settings.personal_fields.end());
  for (const auto& [trait, type] : settings.trait_identifiers) {
    if (!settings.rule(*settings.find_type(type)).personal) continue;
    EXPECT_TRUE(fields.contains(*normalise(Normaliser::kLowercase, trait))) << trait;
  }
}

TEST(Names, ReadBackAsThemselves) {
  for (const auto normaliser : {Normaliser::kTrim, Normaliser::kLowercase, Normaliser::kEmail,
                                Normaliser::kChinesePhone, Normaliser::kIdCard, Normaliser::kPhone}) {
    EXPECT_EQ(parse_normaliser(to_string(normaliser)), normaliser);
  }
  EXPECT_FALSE(parse_normaliser("soundex"));
}

TEST(Names, EveryReasonHasItsOwn) {
  std::set<std::string_view> names;
  for (int i = 1; i < kReasonCount; ++i) names.insert(to_string(static_cast<Reason>(i)));
  EXPECT_EQ(names.size(), static_cast<size_t>(kReasonCount - 1));
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(Ids, CustomersSpreadOverAllShards) {
  std::vector<int> load(limits::kShards);
  for (uint64_t i = 0; i < 256 * 100; ++i) {
    const CustomerId customer = CustomerId::named_after(Token{hash128(std::to_string(i))});
    ++load[shard_of(customer).value()];
  }
  for (const int customers : load) {
    EXPECT_GT(customers, 50);
    EXPECT_LT(customers, 160);
  }
}

TEST(Ids, NamesAre48Bits) {
  EXPECT_EQ(name_id("Order Completed"), name_id("Order Completed"));
  EXPECT_NE(name_id("Order Completed"), name_id("Order completed"));
  EXPECT_EQ(name_id("Order Completed").value() >> 48, 0u);
}

}  // namespace
}  // namespace kehu
