#include "model/personal_names.h"

#include <gtest/gtest.h>

namespace kehu {
namespace {

TEST(PersonalNames, PhonesAddressesAndPapersAreKnownByTheirNames) {
  for (const char* name :
       {"phone", "mobile", "tel", "email", "mail", "id_card", "身份证", "手机", "电话", "邮箱", "邮件",
        "证件号",
        // Measured in exports of shops and other platforms.
        "用户手机号", "会员手机号码", "注册手机号", "绑定手机", "下单手机", "客户电话", "收件电话", "手机号1",
        "手機", "電話", "身份證", "身份证件号", "注册邮箱", "用户邮箱", "consignee_mobile",
        "buyer_mobile_phone", "login_phone", "member_phone", "phone1", "mobilenum", "receiver_tel", "email2",
        "login_email", "idcard_no", "cert_no", "手机号 ", "ＰＨＯＮＥ",
        // Relatives.
        "手機號碼", "行動電話", "連絡電話", "電子郵件", "電子信箱", "身分證字號", "聯絡方式", "携帯電話",
        "電話番号", "メールアドレス", "이메일", "전화번호", "紧急联系人电话", "收货人手机(必填)",
        "手机号（备用）", "联系人/电话", "手机或邮箱", "家长手机号2", "手机 号", "手机号码一", "护照号码",
        "港澳通行证号", "  手机号", "手机号\u00a0", "手\u200b机号", "⼿机号", "会员身份证号码", "开票邮箱",
        "电子邮箱地址", "联系人电话号码", "PhoneNumber", "PHONENUMBER", "phone-number", "phone number",
        "Phone_No.", "userPhone", "userphone", "user.phone", "contact_tel_1", "tel_no", "telNo", "homePhone",
        "phone_home", "phone_of_buyer", "guardianphone", "wxphone", "wechat_mobile", "emergencyContactPhone",
        "customerEMail", "e-mail", "E_MAIL_ADDRESS", "useremail", "mail_address", "billingEmailAddress",
        "email_md5", "phone_sha256", "mobile_encrypted", "phones", "emails", "IDCard", "IDCardNo",
        "id_number", "user_id_no", "identity_card_number", "passportNo", "national_id", "𝐩𝐡𝐨𝐧𝐞", "ⓟⓗⓞⓝⓔ",
        "ｅｍａｉｌ＿２", "℡", "phone\u00b2", "shouji", "shoujihao", "lianxidianhua", "shenfenzheng",
        "youxiang", "msisdn", "telefono", "contact_number", "用户Email", "收货人tel", "phone手机", "$phone",
        "billingphone", "receivermobile", "ContactPhone2"}) {
    EXPECT_EQ(name_kind(name), NameKind::kPersonal) << name;
  }
}

TEST(PersonalNames, FalseFriendsAreNot) {
  for (const char* name : {"phone_model",
                           "手机型号",
                           "mobile_os",
                           "email_opened",
                           "tel_aviv",
                           "is_email_verified",
                           "phoneModel",
                           "phonemodel",
                           "手机品牌",
                           "手机系统版本",
                           "手機型號",
                           "是否绑定手机",
                           "手机号归属地",
                           "手机号是否验证",
                           "邮箱验证状态",
                           "智能手机",
                           "手机壳",
                           "手机数码",
                           "电话时长",
                           "拨打电话",
                           "邮件标题",
                           "营销邮件",
                           "打开邮件",
                           "证件类型",
                           "身份",
                           "联系",
                           "hotel",
                           "hostel",
                           "intel",
                           "telemetry",
                           "telco",
                           "iphone",
                           "iPhone",
                           "headphone",
                           "smartphone",
                           "microphone",
                           "automobile",
                           "is_mobile",
                           "isMobile",
                           "has_phone",
                           "t-mobile",
                           "phone_brand",
                           "phone_type",
                           "phone_verified_at",
                           "mobile_app",
                           "mobileApp",
                           "mobile_web",
                           "mobile_carrier",
                           "mobilephone_brand",
                           "email_id",
                           "email_subject",
                           "email_campaign",
                           "email_clicked",
                           "emails_sent",
                           "email_status",
                           "email_template_id",
                           "login_by_phone",
                           "via_email",
                           "phone_country",
                           "direct_mail",
                           "voice_mail",
                           "mailing_list",
                           "prison_cell",
                           "product_id_no",
                           "order_id_number",
                           "ssl_cert_no",
                           "card_no",
                           "id_card_type",
                           "id",
                           "name",
                           "city",
                           "",
                           "1",
                           "___",
                           "user_id",
                           "contact",
                           "identity",
                           "card",
                           "phone_orders",
                           "phonebook",
                           "passport_country",
                           "tell",
                           "gmail",
                           "cellular",
                           "mobility"}) {
    EXPECT_NE(name_kind(name), NameKind::kPersonal) << name;
  }
}

TEST(PersonalNames, NumbersOfThingsAreKnown) {
  for (const char* name : {"order_id",     "orderId",
                           "product_id",   "sku",
                           "goods_no",     "trade_no",
                           "out_trade_no", "amount",
                           "total",        "timestamp",
                           "created_at",   "updateTime",
                           "duration",     "订单号",
                           "订单编号",     "商品编号",
                           "条码",         "金额",
                           "运单号",       "下单时间",
                           "快递单号",     "tracking_number",
                           "invoice_no",   "session_id",
                           "messageId",    "barcode",
                           "price",        "訂單號",
                           "orderid",      "product_code"}) {
    EXPECT_EQ(name_kind(name), NameKind::kPlainNumber) << name;
  }
  for (const char* name : {"user_id", "customer_no", "login_id", "会员编号", "account_no", "contact", "note",
                           "number", "id", "value", "备注", "uid", "member_code"}) {
    EXPECT_EQ(name_kind(name), NameKind::kOther) << name;
  }
}

TEST(PersonalNames, SpellingsFoldToOne) {
  for (const char* name :
       {"cardholder", "CardHolder", "card_holder", "card-holder", "ＣＡＲＤ holder", "card holder 2"}) {
    EXPECT_EQ(folded_name(name), "cardholder") << name;
  }
  EXPECT_EQ(folded_name("聯絡 人1"), folded_name("联络人"));
  EXPECT_EQ(folded_name("_1-"), "");
}

// Whatever bytes come, and however long: an answer, and soon.
TEST(PersonalNames, AnyBytesAreAnswered) {
  EXPECT_EQ(name_kind(std::string(100'000, 'p')), NameKind::kOther);
  EXPECT_EQ(name_kind("\xff\xfe\xf0\x9f"), NameKind::kOther);
  std::string row;
  for (int i = 0; i < 40; ++i) row += i % 2 == 0 ? "no" : "nos";
  EXPECT_EQ(name_kind(row + "x"), NameKind::kOther);
}

}  // namespace
}  // namespace kehu
