#include "model/personal_names.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace kehu {
namespace {

using Words = std::vector<std::string>;
using List = std::span<const std::string_view>;

// Nobody writes longer ones by hand, and the work grows with the square of a word.
constexpr size_t kNameBytes = 256;
constexpr size_t kWordBytes = 40;

// Means a personal value whatever stands before it.
constexpr std::string_view kCores[] = {
    "cellphone", "celular",  "dianhua",      "email",           "emails",     "handphone", "idcard",
    "landline",  "mobile",   "mobiles",      "msisdn",          "passport",   "passports", "phone",
    "phones",    "sfzh",     "shenfenzheng", "shenfenzhenghao", "shouji",     "shoujihao", "tel",
    "telefon",   "telefone", "telefono",     "telephone",       "telephones", "tels",      "youxiang"};
// The same in two words.
constexpr std::string_view kPairs[] = {"e mail", "id card", "identity card", "national id", "citizen id"};
// Means one alone or behind people: a mailing, a prison cell and a certificate have these names too.
constexpr std::string_view kWeakCores[] = {"cell", "mail", "mails", "mob", "sfz", "sjh", "ssn"};
constexpr std::string_view kWeakPairs[] = {
    "id no",           "id num",          "id number",          "identity no",  "identity num",
    "identity number", "cert no",         "cert num",           "cert number",  "cert id",
    "certificate no",  "certificate num", "certificate number", "contact no",   "contact num",
    "contact number",  "credential no",   "credential number",  "contact info", "contact way"};
// A word that ends so is one of the above, but for these.
constexpr std::string_view kEndings[] = {"phone", "mobile", "email", "msisdn", "idcard", "passport"};
constexpr std::string_view kOtherEndings[] = {"headphone",  "earphone",   "iphone",     "microphone",
                                              "megaphone",  "saxophone",  "xylophone",  "smartphone",
                                              "gramophone", "automobile", "snowmobile", "tmobile",
                                              "ismobile",   "homophone",  "isphone",    "isemail"};
// Before a personal word they make it a question, a device or a way.
constexpr std::string_view kOtherBefore[] = {
    "android", "by",  "can",    "ear",   "enable",  "has",      "have", "head", "i",   "is",
    "micro",   "non", "should", "smart", "support", "supports", "t",    "via",  "was", "windows"};
// Behind a personal word they say which one, or how it is written.
constexpr std::string_view kBehind[] = {
    "addr", "address", "addresses", "aes", "alt", "backup", "clear", "cn", "current", "default", "e", "enc",
    "encrypted", "for", "full", "hash", "hashed", "home", "intl", "list", "main", "md", "new", "no", "nos",
    "num", "number", "numbers", "of", "office", "old", "original", "personal", "plain", "primary", "private",
    "raw", "s", "secondary", "sha", "str", "string", "text", "val", "value", "work",
    // Whose it is.
    "buyer", "consignee", "customer", "member", "receiver", "recipient", "sender", "user"};
// Who has phones and papers.
constexpr std::string_view kPeople[] = {
    "account",      "acct",      "admin",    "agent",      "applicant", "author",    "bind",     "binding",
    "bound",        "buyer",     "client",   "consignee",  "consigner", "consignor", "contact",  "contacts",
    "courier",      "cust",      "customer", "driver",     "emergency", "emp",       "employee", "father",
    "guardian",     "guest",     "her",      "his",        "holder",    "lead",      "legal",    "lianxi",
    "linkman",      "login",     "logon",    "manager",    "member",    "mother",    "my",       "owner",
    "parent",       "passenger", "patient",  "payee",      "payer",     "people",    "person",   "profile",
    "real",         "receive",   "receiver", "recipient",  "recv",      "reg",       "register", "registered",
    "registration", "rider",     "sales",    "seller",     "sender",    "shipper",   "signin",   "signup",
    "spouse",       "staff",     "student",  "subscriber", "their",     "user",      "users",    "usr",
    "vip",          "visitor",   "wechat",   "wx",         "yonghu",    "your"};
// Heads of other names and parts of longer ones, so that phonemodel and billingphone are read as two words.
constexpr std::string_view kOtherHeads[] = {
    "alipay", "app",     "bill",    "billing",  "bounced",  "brand", "business", "card",
    "cert",   "clicked", "company", "deliver",  "delivery", "id",    "identity", "model",
    "name",   "opened",  "os",      "pickup",   "sent",     "ship",  "shipping", "status",
    "taobao", "tmall",   "type",    "verified", "web"};
// What is counted, measured or numbered, but no person.
constexpr std::string_view kNumberHeads[] = {
    "amount",    "amt",      "at",     "balance", "barcode", "build",     "bytes",   "count",  "cost",
    "date",      "duration", "ean",    "fee",     "gtin",    "height",    "imei",    "ip",     "isbn",
    "lat",       "latitude", "length", "lng",     "lon",     "longitude", "micros",  "millis", "ms",
    "offset",    "points",   "port",   "price",   "qty",     "quantity",  "revenue", "score",  "seconds",
    "seq",       "sequence", "size",   "sku",     "skus",    "spu",       "stock",   "sum",    "time",
    "timestamp", "total",    "ts",     "upc",     "version", "views",     "weight",  "width"};
constexpr std::string_view kNumberEndings[] = {"code", "id", "ids", "no", "num", "number", "serial", "sn"};
constexpr std::string_view kThings[] = {
    "activity", "ad",        "app",      "article",   "batch",    "brand",       "campaign", "cart",
    "category", "checkout",  "content",  "coupon",    "device",   "event",       "express",  "goods",
    "group",    "invoice",   "item",     "job",       "log",      "logistics",   "message",  "msg",
    "order",    "out",       "outer",    "page",      "parcel",   "parent",      "pay",      "payment",
    "photo",    "post",      "product",  "promotion", "purchase", "refund",      "request",  "sale",
    "serial",   "session",   "shipment", "shipping",  "shop",     "sku",         "spu",      "store",
    "task",     "ticket",    "trace",    "tracking",  "trade",    "transaction", "txn",      "variant",
    "video",    "warehouse", "waybill"};

// What a word may be, one bit each.
enum Role : uint16_t {
  kCore = 1,
  kWeakCore = 2,
  kIsBehind = 4,
  kIsPeople = 8,
  kKnown = 16,
  kNumberHead = 32,
  kNumberEnding = 64,
  kThing = 128,
  kOther = 256
};
constexpr std::pair<List, Role> kRoles[] = {{kCores, kCore},
                                            {kWeakCores, kWeakCore},
                                            {kBehind, kIsBehind},
                                            {kPeople, kIsPeople},
                                            {kOtherHeads, kKnown},
                                            {kNumberHeads, kNumberHead},
                                            {kNumberEndings, kNumberEnding},
                                            {kThings, kThing},
                                            {kOtherBefore, kOther}};

uint16_t roles_of(std::string_view word) {
  static const auto* const kTable = [] {
    auto* table = new absl::flat_hash_map<std::string_view, uint16_t>();
    for (const auto& [words, role] : kRoles) {
      for (const std::string_view known : words) (*table)[known] |= role;
    }
    return table;
  }();
  const auto found = kTable->find(word);
  return found == kTable->end() ? uint16_t{0} : found->second;
}

bool is(std::string_view word, Role role) { return (roles_of(word) & role) != 0; }

// Simplified. The same for what is written without spaces.
constexpr std::string_view kHanCores[] = {
    "手机",   "电话",     "座机",     "固话",     "邮箱",           "电邮",   "电子邮件", "电子信箱",
    "身份证", "身分证",   "身份证件", "身份证明", "护照",           "通行证", "台胞证",   "居留证",
    "居住证", "联系方式", "联络方式", "手机邮箱", "メールアドレス", "이메일", "전화",     "휴대폰"};
constexpr std::string_view kHanBehind[] = {"号码", "字号", "番号", "번호", "地址", "账号",
                                           "主",   "副",   "备用", "一",   "二",   "三",
                                           "必填", "选填", "加密", "明文", "原文", "号"};
constexpr std::string_view kHanOther[] = {"是否",   "有无",   "智能手机", "二手手机", "苹果手机", "安卓手机",
                                          "打电话", "接电话", "回电话",   "老人手机", "游戏手机"};
constexpr std::string_view kHanNumberHeads[] = {"单号",   "条码", "条形码", "流水号", "序列号", "货号",
                                                "金额",   "价格", "总价",   "单价",   "数量",   "时间",
                                                "时间戳", "积分", "次数",   "版本",   "批次号", "批号"};
constexpr std::string_view kHanNumberEndings[] = {"编号", "编码", "号", "代码", "号码"};
constexpr std::string_view kHanThings[] = {"订单", "商品", "产品",   "交易", "支付", "退款", "发票",
                                           "物流", "快递", "优惠券", "活动", "门店", "店铺", "仓库",
                                           "设备", "会话", "请求",   "消息", "货品"};

// Traditional, Kangxi and Japanese forms of the characters above, and the simplified ones.
struct Variant {
  char32_t from, to;
};
constexpr Variant kVariants[] = {
    {U'機', U'机'}, {U'電', U'电'}, {U'話', U'话'}, {U'號', U'号'}, {U'碼', U'码'}, {U'證', U'证'},
    {U'証', U'证'}, {U'郵', U'邮'}, {U'護', U'护'}, {U'聯', U'联'}, {U'連', U'联'}, {U'絡', U'络'},
    {U'繫', U'系'}, {U'係', U'系'}, {U'帳', U'账'}, {U'賬', U'账'}, {U'帐', U'账'}, {U'備', U'备'},
    {U'無', U'无'}, {U'單', U'单'}, {U'訂', U'订'}, {U'條', U'条'}, {U'編', U'编'}, {U'貨', U'货'},
    {U'產', U'产'}, {U'額', U'额'}, {U'價', U'价'}, {U'總', U'总'}, {U'數', U'数'}, {U'時', U'时'},
    {U'間', U'间'}, {U'積', U'积'}, {U'門', U'门'}, {U'鋪', U'铺'}, {U'設', U'设'}, {U'請', U'请'},
    {U'會', U'会'}, {U'發', U'发'}, {U'遞', U'递'}, {U'優', U'优'}, {U'動', U'动'}, {U'庫', U'库'},
    {U'倉', U'仓'}, {U'蘋', U'苹'}, {U'遊', U'游'}, {U'戲', U'戏'}, {U'⼿', U'手'}, {U'⾝', U'身'},
    {U'⼀', U'一'}, {U'⼆', U'二'}};

bool is_one_of(List list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_lower(char32_t c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char32_t c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }

bool is_within(char32_t c, char32_t first, char32_t last) { return c >= first && c <= last; }

// Of the compatibility forms those that letters and digits have.
char32_t plain(char32_t c) {
  if (is_within(c, 0xff01, 0xff5e)) return c - 0xfee0;  // full width
  if (is_within(c, 0x1d400, 0x1d6a3)) {                 // bold, italic, script… of mathematics
    const char32_t letter = (c - 0x1d400) % 52;
    return letter < 26 ? U'A' + letter : U'a' + letter - 26;
  }
  if (is_within(c, 0x1d7ce, 0x1d7ff)) return U'0' + (c - 0x1d7ce) % 10;
  if (is_within(c, 0x24b6, 0x24cf)) return U'A' + (c - 0x24b6);  // circled
  if (is_within(c, 0x24d0, 0x24e9)) return U'a' + (c - 0x24d0);
  const bool raised = is_within(c, 0x2070, 0x2089) || c == 0xb2 || c == 0xb3 || c == 0xb9;
  if (raised || is_within(c, 0x2460, 0x249b)) return U'0';
  for (const Variant& variant : kVariants) {
    if (variant.from == c) return variant.to;
  }
  return c;
}

bool is_invisible(char32_t c) {
  return is_within(c, 0x200b, 0x200f) || c == 0x2060 || c == 0xfeff || c == 0xad ||
         is_within(c, 0xfe00, 0xfe0f);
}

// Marks, spaces and brackets of any width.
bool is_mark(char32_t c) {
  if (c < 0x80) return !is_lower(c) && !is_upper(c) && !is_digit(c);
  return c == 0xa0 || c == 0xb7 || is_within(c, 0x2000, 0x206f) || is_within(c, 0x3000, 0x3020);
}

// The characters of a UTF-8 text; bytes that are none are left out.
std::u32string characters(std::string_view text) {
  std::u32string out;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t size = lead < 0x80   ? 1
                        : lead < 0xc2 ? 0
                        : lead < 0xe0 ? 2
                        : lead < 0xf0 ? 3
                        : lead < 0xf5 ? 4
                                      : 0;
    if (size == 0 || at + size > text.size()) {
      ++at;
      continue;
    }
    char32_t c = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; ++i) c = c << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fu);
    at += size;
    if (c == 0x2121) {  // ℡, one character for three letters
      out += U"TEL";
    } else if (!is_invisible(c)) {
      out.push_back(plain(c));
    }
  }
  return out;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | c >> 6));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | c >> 12));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | c >> 18));
    out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (c & 0x3f)));
  }
}

char32_t lower(char32_t c) { return is_upper(c) ? c + 32 : c; }

// Two words meet between `before` and `c`: phoneNumber, IDCard (by the letter behind), phone手机.
bool begins_word(char32_t before, char32_t c, char32_t behind) {
  if ((before < 0x80) != (c < 0x80)) return true;
  if (is_lower(before) && is_upper(c)) return true;
  return is_upper(before) && is_upper(c) && is_lower(behind);
}

Words words_of(std::u32string_view name) {
  Words words;
  bool open = false;
  for (size_t i = 0; i < name.size(); ++i) {
    const char32_t c = name[i];
    if (is_mark(c) || is_digit(c)) {
      open = false;
      continue;
    }
    if (!open || begins_word(name[i - 1], c, i + 1 < name.size() ? name[i + 1] : 0)) words.emplace_back();
    open = true;
    append_utf8(lower(c), words.back());
  }
  return words;
}

// buyermobilephone → buyer, mobile, phone; a word that is no row of known ones stays whole. The longest
// known word first; ends of one letter are no words.
bool split_word(std::string_view word, Words& out) {
  if (word.empty()) return true;
  for (size_t size = word.size(); size >= 2; --size) {
    if ((roles_of(word.substr(0, size)) & ~kOther) == 0) continue;
    const size_t kept = out.size();
    out.emplace_back(word.substr(0, size));
    if (split_word(word.substr(size), out)) return true;
    out.resize(kept);
  }
  return false;
}

void append_split(const std::string& word, Words& out) {
  const bool foreign = static_cast<unsigned char>(word.front()) >= 0x80;
  if (foreign || word.size() > kWordBytes || roles_of(word) != 0) {
    out.push_back(word);
    return;
  }
  const size_t kept = out.size();
  if (split_word(word, out)) return;
  out.resize(kept);
  const bool other = is_one_of(kOtherEndings, word);
  for (const std::string_view ending : kEndings) {
    if (other || word.size() <= ending.size() || !word.ends_with(ending)) continue;
    out.push_back(word.substr(0, word.size() - ending.size()));
    out.emplace_back(ending);
    return;
  }
  out.push_back(word);
}

bool ends_with_pair(std::span<const std::string> words, List pairs) {
  if (words.size() < 2) return false;
  const std::string pair = words[words.size() - 2] + " " + words.back();
  return is_one_of(pairs, pair);
}

bool all_people(std::span<const std::string> words) {
  return std::all_of(words.begin(), words.end(), [](const std::string& w) { return is(w, kIsPeople); });
}

bool makes_other(std::span<const std::string> before) {
  return std::any_of(before.begin(), before.end(), [](const std::string& w) { return is(w, kOther); });
}

bool is_foreign(std::string_view word) { return static_cast<unsigned char>(word.front()) >= 0x80; }

// Without what says which one it is: 手机号码二 → 手机.
bool is_personal_han(std::string_view word) {
  for (const std::string_view other : kHanOther) {
    if (word.find(other) != word.npos) return false;
  }
  bool numbered = false;
  while (true) {
    const bool core = std::any_of(std::begin(kHanCores), std::end(kHanCores),
                                  [word](std::string_view each) { return word.ends_with(each); });
    if (core || (word == "邮件") || (word == "信箱")) return true;
    if (numbered && (word.ends_with("证件") || word == "邮件地址" || word == "联系" || word == "联络"))
      return true;
    const auto* behind = std::find_if(
        std::begin(kHanBehind), std::end(kHanBehind),
        [word](std::string_view mark) { return word.size() > mark.size() && word.ends_with(mark); });
    if (behind == std::end(kHanBehind)) return false;
    numbered = true;
    word.remove_suffix(behind->size());
  }
}

// From the last word on, over those that only say which one.
bool is_personal(std::span<const std::string> words) {
  while (!words.empty()) {
    const std::string& last = words.back();
    const auto before = words.first(words.size() - 1);
    if (is_foreign(last) && !is_one_of(kHanBehind, last))
      return is_personal_han(last) && !makes_other(before);
    if (is(last, kCore)) return !makes_other(before);
    if (ends_with_pair(words, kPairs)) return !makes_other(words.first(words.size() - 2));
    if (is(last, kWeakCore) && all_people(before)) return true;
    if (ends_with_pair(words, kWeakPairs) && all_people(words.first(words.size() - 2))) return true;
    if (!is(last, kIsBehind) && !is_foreign(last)) return false;
    words = before;
  }
  return false;
}

bool is_plain_han(std::string_view word) {
  const auto ends = [word](std::string_view head) { return word.ends_with(head); };
  if (std::any_of(std::begin(kHanNumberHeads), std::end(kHanNumberHeads), ends)) return true;
  const bool numbered = std::any_of(std::begin(kHanNumberEndings), std::end(kHanNumberEndings), ends);
  return numbered && std::any_of(std::begin(kHanThings), std::end(kHanThings),
                                 [word](std::string_view thing) { return word.find(thing) != word.npos; });
}

bool is_plain_number(std::span<const std::string> words) {
  if (words.empty()) return false;
  const std::string& last = words.back();
  if (is_foreign(last)) return is_plain_han(last);
  if (is(last, kNumberHead)) return true;
  if (!is(last, kNumberEnding)) return false;
  return std::any_of(words.begin(), words.end() - 1, [](const std::string& word) {
    return is(word, kThing) || (is_foreign(word) && is_plain_han(word + "号"));
  });
}

NameKind kind_of(std::u32string_view name) {
  Words words;
  for (const std::string& word : words_of(name)) append_split(word, words);
  if (is_personal(words)) return NameKind::kPersonal;
  return is_plain_number(words) ? NameKind::kPlainNumber : NameKind::kOther;
}

// 手机/邮箱 names two things, and so does 联系人（电话）.
bool parts_names(char32_t c) {
  return std::u32string_view(U"/|,;&()[]{}+、，；／（）【】《》<>和或").find(c) != std::u32string_view::npos;
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string out;
  for (const char32_t c : characters(name)) {
    if (!is_mark(c)) append_utf8(lower(c), out);
  }
  while (!out.empty() && is_digit(static_cast<unsigned char>(out.back()))) out.pop_back();
  return out;
}

NameKind name_kind(std::string_view name) {
  const std::u32string text = characters(name.substr(0, kNameBytes));
  NameKind kind = NameKind::kOther;
  for (size_t at = 0; at <= text.size();) {
    size_t end = at;
    while (end < text.size() && !parts_names(text[end])) ++end;
    const NameKind part = kind_of(std::u32string_view(text).substr(at, end - at));
    if (part == NameKind::kPersonal) return part;
    if (part == NameKind::kPlainNumber) kind = part;
    at = end + 1;
  }
  return kind;
}

}  // namespace kehu
