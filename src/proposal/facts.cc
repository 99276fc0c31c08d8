#include "proposal/facts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <set>

#include "base/text.h"
#include "mapping/time_format.h"
#include "text/number_text.h"

namespace kehu::proposal {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// "Customer ID", "customer_id", "CustomerId" → "customerid".
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
    } else if ((c & 0x80) != 0) {
      out.push_back(c);
    }
  }
  return out;
}

struct Names {
  Role role;
  std::string_view exact;     // separated by blanks
  std::string_view contains;  // in names that no role has exactly
};

constexpr std::array kNames = {
    Names{Role::kUser,
          "userid user uid customerid customer custid custno customerno customernumber accountid clientid "
          "buyerid buyer "
          "householdid shopperid personid uniqueid recid customerkey 用户id 用户编号 用户 用户号 客户编号 "
          "客户id 客户号 客户 "
          "客户代码 买家id 买家 买家会员名 买家昵称 账号 uidhash usermask "
          "kundennummer kundennr kundenid kunde benutzerid benutzer idclient numeroclient numéroclient "
          "codeclient client utilisateur idcliente númerocliente numerocliente códigocliente codigocliente "
          "cliente usuario idusuario 顧客id 顧客番号 顧客コード 会員id ユーザーid ユーザid お客様番号",
          ""},
    Names{Role::kMember,
          "memberid memberno member cardno membercard 会员号 会员编号 会员id 会员卡号 会员 "
          "mitgliedsnummer numeroadherent numéroadhérent 会員番号",
          ""},
    Names{Role::kOpenId, "openid 用户标识", ""},
    Names{Role::kUnionId, "unionid", ""},
    Names{Role::kAnonymous,
          "anonymousid visitorid visitor cookieid cookie deviceid sessionid session jsessionid domainuserid "
          "distinctid userpseudoid "
          "clientcookie 访客id 设备id 设备号",
          ""},
    Names{
        Role::kPhone,
        "phone mobile tel telephone cell cellphone phonenumber mobilephone 手机 手机号 手机号码 电话 "
        "联系电话 电话号码 telefon telefonnummer handynummer handy mobilnummer téléphone telephone portable "
        "teléfono telefono móvil movil celular 電話番号 携帯番号 携帯電話",
        "手机 电话 電話"},
    Names{Role::kEmail,
          "email mail emailaddress 邮箱 电子邮箱 邮件 emailadresse courriel correo correoelectrónico "
          "correoelectronico メールアドレス メール",
          "email 邮箱 メールアドレス"},
    Names{Role::kBirthday,
          "birthday birthdate dateofbirth dob birth 生日 出生日期 geburtsdatum datedenaissance naissance "
          "fechadenacimiento 生年月日 誕生日",
          "birth 生日 出生 geburts naissance nacimiento"},
    Names{Role::kTime,
          "time date datetime timestamp ts at placed eventtime eventdate orderdate ordertime invoicedate "
          "purchasedate "
          "transactiondate transactiontimestamp createdat created createtime creationtime visittime "
          "collectortstamp dt day "
          "时间 日期 订单创建时间 下单时间 下单日期 创建时间 付款时间 支付时间 购买时间 交易时间 注册时间 "
          "成交时间 时间戳 paidat updatedat completedat fulfilledat paymentdate paymenttime saledate "
          "datum zeit zeitpunkt zeitstempel bestelldatum rechnungsdatum kaufdatum uhrzeit dateheure heure "
          "fecha hora "
          "fechapedido fechahora 日時 日付 注文日 注文日時 購入日 購入日時",
          "time date tstamp timestamp 时间 日期 datum fecha 日時 日付"},
    Names{
        Role::kOrder,
        "orderid order orderno ordernumber invoice invoiceno invoiceid invoicenumber transactionid "
        "basketid receiptid "
        "订单 订单号 订单编号 订单id 交易号 流水号 小票号 交易单号 交易订单号 商户单号 商户订单号 商家订单号 "
        "bestellnummer bestellnr bestellid auftragsnummer auftragsnr rechnungsnummer rechnungsnr belegnummer "
        "numérocommande numerocommande idcommande commande numérodecommande numerodecommande facture "
        "numérofacture "
        "pedido idpedido númeropedido numeropedido númerodepedido numerodepedido factura 注文番号 注文id "
        "伝票番号",
        ""},
    Names{
        Role::kAmount,
        "total amount totalamount totalprice revenue salesvalue sales grandtotal ordertotal payment paid "
        "spend 金额 总金额 "
        "订单金额 实付金额 实付 实收 支付金额 付款金额 买家实际支付金额 消费金额 销售额 成交金额 "
        "betrag gesamtbetrag summe gesamtsumme gesamtpreis umsatz rechnungsbetrag montant montanttotal total "
        "montantttc importe importetotal monto montototal 合計 合計金額 金額 売上 支払金額 注文金額",
        "金额 betrag montant importe 金額"},
    Names{Role::kPrice,
          "price unitprice 单价 价格 售价 preis einzelpreis stückpreis stueckpreis prix prixunitaire precio "
          "preciounitario 単価 価格",
          ""},
    Names{Role::kQuantity,
          "quantity qty count units 数量 件数 销量 menge anzahl stück stueck stückzahl quantité quantite qté "
          "qte "
          "cantidad 個数 注文数",
          ""},
    Names{Role::kProduct,
          "productid product sku skuid itemid item stockcode goodsid productcode 商品id 商品编号 商品编码 "
          "商品 货号 artikelnummer artikelnr artikel produkt produktid produktnummer article référence "
          "reference "
          "produit idproduit producto idproducto artículo articulo 商品コード 商品番号",
          ""},
    Names{Role::kEvent,
          "event eventname eventtype action actiontype behavior behaviour behaviortype behaviourtype "
          "activity 事件 事件名 "
          "事件名称 行为 行为类型 动作 ereignis aktion événement evenement evento イベント イベント名",
          ""},
    Names{Role::kCurrency, "currency 币种 货币 货币种类 währung waehrung devise monnaie moneda divisa 通貨",
          ""},
    Names{Role::kDirection, "收支", ""},
    Names{Role::kRowNumber, "id no number key rowid index udi 编号 序号 nr nummer numéro numero número 番号",
          ""},
};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

bool has_part(std::string_view parts, std::string_view name) {
  while (!parts.empty()) {
    const size_t end = std::min(parts.find(' '), parts.size());
    if (end > 0 && name.find(parts.substr(0, end)) != name.npos) return true;
    parts.remove_prefix(std::min(end + 1, parts.size()));
  }
  return false;
}

bool is_mobile(std::string_view text) {
  if (text.starts_with("+86")) text.remove_prefix(3);
  std::string digits;
  for (const char c : text) {
    if (is_digit(c))
      digits.push_back(c);
    else if (c != ' ' && c != '-')
      return false;
  }
  return digits.size() == 11 && digits[0] == '1' && digits[1] >= '3';
}

bool is_email(std::string_view text) {
  const size_t at = text.find('@');
  return at != text.npos && at > 0 && text.find('.', at) != text.npos && text.find(' ') == text.npos;
}

bool has_thousands(std::string_view text) {
  const size_t comma = text.find(',');
  return comma != text.npos && comma > 0 && comma + 4 <= text.size() && all_digits(text.substr(comma + 1, 3));
}

bool is_clock(std::string_view text) {
  const size_t colon = text.find(':');
  return (colon == 1 || colon == 2) && all_digits(text.substr(0, colon)) && text.size() >= colon + 3 &&
         is_digit(text[colon + 1]) && text.find_first_not_of("0123456789:.,", colon) == text.npos;
}

struct Form {
  std::string_view format;
  bool clock;
  std::string_view other = {};  // day and month the other way round
};

// The first form that reads all values of a column is taken. Where day and month could stand either way,
// the one with the month first is tried first, and the other is named beside it: when that reads all values
// too, the proposal says that the column is ambiguous. Only a day above 12 can decide.
constexpr std::array kForms = {
    Form{"iso", false},
    Form{"%Y%m%d", false},
    Form{"%E4Y%m%d", false},
    Form{"%Y%m%d%H%M%S", true},
    Form{"%Y-%m-%d %H:%M", true},
    Form{"%Y/%m/%d %H:%M:%S", true},
    Form{"%Y/%m/%d %H:%M", true},
    Form{"%Y/%m/%d", false},
    Form{"%Y.%m.%d %H:%M:%S", true},
    Form{"%Y.%m.%d", false},
    Form{"%Y年%m月%d日 %H:%M:%S", true},
    Form{"%Y年%m月%d日 %H:%M", true},
    Form{"%Y年%m月%d日", false},
    Form{"%m/%d/%Y %I:%M:%S %p", true, "%d/%m/%Y %I:%M:%S %p"},
    Form{"%m/%d/%Y %I:%M %p", true, "%d/%m/%Y %I:%M %p"},
    Form{"%m/%d/%Y %H:%M:%S", true, "%d/%m/%Y %H:%M:%S"},
    Form{"%m/%d/%Y %H:%M", true, "%d/%m/%Y %H:%M"},
    Form{"%m/%d/%Y", false, "%d/%m/%Y"},
    Form{"%m/%d/%y %H:%M", true, "%d/%m/%y %H:%M"},
    Form{"%m/%d/%y", false, "%d/%m/%y"},
    Form{"%d/%m/%Y %I:%M:%S %p", true},
    Form{"%d/%m/%Y %I:%M %p", true},
    Form{"%d/%m/%Y %H:%M:%S", true},
    Form{"%d/%m/%Y %H:%M", true},
    Form{"%d/%m/%Y", false},
    Form{"%d/%m/%y", false},
    Form{"%d.%m.%Y %H:%M:%S", true},
    Form{"%d.%m.%Y %H:%M", true},
    Form{"%d.%m.%Y", false},
    Form{"%d/%b/%Y:%H:%M:%S %z", true},
    Form{"%d/%b/%Y:%H:%M:%S", true},
    Form{"%d-%b-%Y %H:%M:%S", true},
    Form{"%d-%b-%Y", false},
    Form{"%d-%b-%y", false},
    Form{"%d %b %Y %H:%M:%S", true},
    Form{"%d %b %Y", false},
    Form{"%b %d, %Y %I:%M:%S %p", true},
    Form{"%b %d, %Y %I:%M %p", true},
    Form{"%b %d, %Y", false},
    Form{"%a, %d %b %Y %H:%M:%S %z", true},
    Form{"%a, %d %b %Y %H:%M:%S GMT", true},
    Form{"%a %b %d %H:%M:%S %Y", true},
};

bool reads_all(std::string_view format, const std::vector<std::string_view>& values) {
  const auto made = mapping::TimeFormat::make({.format = std::string(format), .zone = "UTC"});
  return made.ok() && std::all_of(values.begin(), values.end(),
                                  [&](std::string_view value) { return made->parse(value).has_value(); });
}

std::optional<std::string> epoch_of(const std::vector<std::string_view>& values) {
  const size_t digits = values.front().size();
  const char* const format = digits == 10   ? "unix"
                             : digits == 13 ? "unix_ms"
                             : digits == 16 ? "unix_us"
                                            : nullptr;
  const bool fits =
      format != nullptr && std::all_of(values.begin(), values.end(), [&](std::string_view value) {
        return value.size() == digits && all_digits(value) && value[0] >= '1' && value[0] <= '2';
      });
  if (!fits) return std::nullopt;
  return format;
}

// A day of the years 1954 to 2118 as a spreadsheet counts them, with a fraction or not.
bool is_spreadsheet_day(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 20'000 && value < 80'000;
}

}  // namespace

// A part of a name, such as "date", is believed only where no list has the name as a whole: "birthdate" has
// its role before anybody asks what is in it.
Role role_of_name(std::string_view name) {
  // "user.$oid" of MongoDB's exports is the user.
  const std::string word = folded(name.substr(0, name.find(".$")));
  if (word.empty()) return Role::kNone;
  for (const Names& names : kNames) {
    if (has_word(names.exact, word)) return names.role;
  }
  for (const Names& names : kNames) {
    if (has_part(names.contains, word)) return names.role;
  }
  return Role::kNone;
}

bool is_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc() && end == text.data() + text.size() &&
         std::isalpha(static_cast<unsigned char>(text.back())) == 0;
}

bool looks_like_time(std::string_view text) {
  size_t digits = 0, marks = 0;
  for (const char c : text) {
    digits += is_digit(c);
    marks += c == '-' || c == '/' || c == ':' || c == '.';
  }
  return digits >= 4 && marks >= 2 && digits + marks + 4 >= text.size() && is_digit(text.front());
}

Facts facts_of(const Column& column) {
  Facts facts;
  std::set<std::string_view> seen;
  for (const std::string& value : column.values) {
    if (value.empty()) continue;
    ++facts.filled;
    seen.insert(value);
    facts.longest = std::max(facts.longest, value.size());
    const bool number = is_number(value);
    facts.numbers += number;
    facts.thousands += !number && has_thousands(value);
    facts.amounts += number || text::read_number(value, std::nullopt).has_value();
    facts.clocks += is_clock(value);
    facts.leading_zeros += value.size() > 1 && value[0] == '0' && is_digit(value[1]);
    facts.fractions_of_zero += number && value.ends_with(".0");
    facts.mobiles += is_mobile(value);
    facts.emails += is_email(value);
  }
  facts.distinct = seen.size();
  return facts;
}

std::optional<std::string> joined_time_format(std::string_view day_format, const Column& day,
                                              const Column& clock) {
  std::vector<std::string> joined;
  for (size_t i = 0; i < std::min(day.values.size(), clock.values.size()); ++i) {
    if (!day.values[i].empty()) joined.push_back(cat(day.values[i], " ", clock.values[i]));
  }
  const std::vector<std::string_view> values(joined.begin(), joined.end());
  if (day_format == "iso") {
    if (reads_all(day_format, values)) return std::string(day_format);
    return std::nullopt;
  }
  for (const char* form : {" %H:%M:%S", " %H:%M"}) {
    std::string format = cat(day_format, form);
    if (reads_all(format, values)) return format;
  }
  return std::nullopt;
}

std::optional<TimeWriting> time_writing_of(const Column& column, bool named_so) {
  std::vector<std::string_view> values;
  for (const std::string& value : column.values) {
    if (!value.empty()) values.push_back(value);
  }
  if (values.empty() || column.nested) return std::nullopt;
  const bool numbers =
      std::all_of(values.begin(), values.end(), [](std::string_view v) { return all_digits(v); });
  if (numbers && !named_so) return std::nullopt;
  if (const auto epoch = numbers ? epoch_of(values) : std::nullopt)
    return TimeWriting{.format = *epoch, .with_clock = true, .with_offset = true};
  if (named_so && std::all_of(values.begin(), values.end(), is_spreadsheet_day)) {
    const bool clock =
        std::any_of(values.begin(), values.end(), [](std::string_view v) { return v.find('.') != v.npos; });
    return TimeWriting{.format = "excel", .with_clock = clock};
  }
  for (const Form& form : kForms) {
    if (numbers && form.format == "iso") continue;
    if (!reads_all(form.format, values)) continue;
    const bool clock = form.clock || std::any_of(values.begin(), values.end(),
                                                 [](std::string_view v) { return v.find(':') != v.npos; });
    const bool offset = form.format.ends_with("%z") ||
                        (form.format == "iso" && (values.front().ends_with('Z') ||
                                                  values.front().rfind('+') != std::string_view::npos));
    return TimeWriting{.format = std::string(form.format),
                       .with_clock = clock,
                       .with_offset = offset,
                       .ambiguous = !form.other.empty() && reads_all(form.other, values)};
  }
  return std::nullopt;
}

}  // namespace kehu::proposal
