#include "model/settings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_split.h"
#include "base/check.h"
#include "base/text.h"

namespace kehu {
namespace {

// One blank between names. Lower-case ASCII, as intake compares keys; squashed spellings stand for camel
// case: phoneNumber → phonenumber.
constexpr std::string_view kPersonalFields =
    "email e_mail e-mail mail email_address emailaddress mail_address user_email useremail "
    "customer_email customeremail contact_email contactemail buyer_email buyeremail "
    "billing_email billingemail shipping_email shippingemail phone mobile tel telephone "
    "cellphone cell_phone msisdn phone_no phoneno phone_number phonenumber phone_num phonenum "
    "mobile_no mobileno mobile_number mobilenumber mobile_phone mobilephone tel_no telno "
    "telephone_number telephonenumber user_phone userphone user_mobile usermobile "
    "contact_phone contactphone customer_phone customerphone buyer_phone buyerphone "
    "receiver_phone receiverphone receiver_mobile receivermobile consignee_phone "
    "consigneephone billing_phone billingphone shipping_phone shippingphone home_phone "
    "homephone work_phone workphone id_card idcard id_card_no idcardno id_card_number "
    "idcardnumber id_no idno id_number idnumber identity_card identitycard identity_no "
    "identityno identity_number identitynumber national_id nationalid passport passport_no "
    "passportno passport_number passportnumber 手机 手机号 手机号码 移动电话 电话 电话号码 "
    "联系电话 联系手机 固定电话 座机 收货电话 收货手机 收货手机号 收货人手机 收货人手机号 收货人电话 "
    "收件人手机 收件人手机号 联系人电话 联系人手机 联系人手机号 会员手机 会员手机号 会员电话 收件人电话 邮箱 "
    "邮箱地址 电子邮箱 电子邮件 邮件 "
    "邮件地址 身份证 身份证号 身份证号码 证件号 证件号码 护照号";

constexpr std::pair<std::string_view, std::string_view> kTraitIdentifiers[] = {
    {"email", "email"},        {"emailAddress", "email"}, {"email_address", "email"},
    {"邮箱", "email"},         {"phone", "phone"},        {"mobile", "phone"},
    {"phoneNumber", "phone"},  {"phone_number", "phone"}, {"mobilePhone", "phone"},
    {"mobile_phone", "phone"}, {"手机", "phone"},         {"手机号", "phone"},
    {"idCard", "id_card"},     {"id_card", "id_card"},    {"身份证", "id_card"},
    {"身份证号", "id_card"},   {"unionid", "union_id"},   {"unionId", "union_id"},
    {"union_id", "union_id"},  {"openid", "open_id"},     {"openId", "open_id"},
    {"open_id", "open_id"},    {"memberId", "member_id"}, {"member_id", "member_id"},
};

// In order of strength.
std::vector<IdentifierRule> default_identifier_types() {
  static constexpr std::string_view kNames[] = {"user_id",      "union_id",   "member_id", "phone",
                                                "email",        "id_card",    "open_id",   "device_id",
                                                "anonymous_id", "fingerprint"};
  std::vector<IdentifierRule> rules;
  for (const auto name : kNames) {
    IdentifierRule rule;
    rule.name = name;
    rule.priority = static_cast<int>(rules.size()) + 1;
    rule.unique = name == "user_id" || name == "union_id" || name == "member_id" || name == "id_card";
    rule.personal = name == "phone" || name == "email" || name == "id_card";
    rule.weak = name == "fingerprint";
    rules.push_back(std::move(rule));
  }
  const auto rule = [&](std::string_view name) -> IdentifierRule& {
    return *std::find_if(rules.begin(), rules.end(), [&](const IdentifierRule& r) { return r.name == name; });
  };
  rule("phone").normaliser = Normaliser::kPhone;
  rule("phone").limit = 10;
  // China Mobile's top-up line, which shop staff type when a customer gives no number.
  rule("phone").blocked = {"13800138000", "1??00000000"};
  rule("email").normaliser = Normaliser::kEmail;
  rule("email").limit = 10;
  rule("email").blocked = {"noreply@*", "no-reply@*"};
  rule("id_card").normaliser = Normaliser::kIdCard;
  rule("device_id").normaliser = Normaliser::kLowercase;
  return rules;
}

std::vector<Metric> default_metrics() {
  using enum Metric::Kind;
  return {
      {kSum, "Order Completed", "revenue"},
      {kSum, "Order Completed", "total"},
      {kSum, "Order Completed", "discount"},
      {kTop, "Order Completed", "products[].category"},
      {kTop, "Order Completed", "products[].product_id"},
      {kSum, "Order Refunded", "total"},
      {kTop, "Product Viewed", "category"},
      {kTop, "Product Viewed", "brand"},
      {kTop, "Product Viewed", "product_id"},
      {kDistinct, "Product Viewed", "product_id"},
      {kTop, "Product Added", "category"},
      {kTop, "Products Searched", "query"},
  };
}

}  // namespace

std::string_view to_string(Normaliser normaliser) {
  switch (normaliser) {
    case Normaliser::kTrim:
      return "trim";
    case Normaliser::kLowercase:
      return "lowercase";
    case Normaliser::kEmail:
      return "email";
    case Normaliser::kChinesePhone:
      return "chinese_phone";
    case Normaliser::kIdCard:
      return "id_card";
    case Normaliser::kPhone:
      return "phone";
  }
  return "unknown";
}

std::optional<Normaliser> parse_normaliser(std::string_view name) {
  for (const auto normaliser : {Normaliser::kTrim, Normaliser::kLowercase, Normaliser::kEmail,
                                Normaliser::kChinesePhone, Normaliser::kIdCard, Normaliser::kPhone}) {
    if (name == to_string(normaliser)) return normaliser;
  }
  return std::nullopt;
}

std::optional<IdentifierTypeId> Settings::find_type(std::string_view name) const {
  for (size_t i = 0; i < identifier_types.size(); ++i) {
    if (identifier_types[i].name == name) return IdentifierTypeId(static_cast<uint8_t>(i));
  }
  return std::nullopt;
}

Settings Settings::defaults() {
  Settings settings;
  const auto zone = BusinessZone::load(settings.time_zone);
  KEHU_CHECK(zone.has_value());
  settings.zone = *zone;
  settings.identifier_types = default_identifier_types();
  settings.personal_fields = absl::StrSplit(to_absl(kPersonalFields), ' ');
  for (const auto& [trait, type] : kTraitIdentifiers) {
    settings.trait_identifiers.push_back({std::string(trait), std::string(type)});
  }
  settings.metrics = default_metrics();
  return settings;
}

}  // namespace kehu
