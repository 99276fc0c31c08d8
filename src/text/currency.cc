#include "text/currency.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/plain_text.h"

namespace kehu::text {
namespace {

// ISO 4217's numbers (list of 2024, without metals and testing codes).
constexpr std::pair<int, std::string_view> kNumbers[] = {
    {8, "ALL"},   {12, "DZD"},  {32, "ARS"},  {36, "AUD"},  {44, "BSD"},  {48, "BHD"},  {50, "BDT"},
    {51, "AMD"},  {52, "BBD"},  {60, "BMD"},  {64, "BTN"},  {68, "BOB"},  {72, "BWP"},  {84, "BZD"},
    {90, "SBD"},  {96, "BND"},  {104, "MMK"}, {108, "BIF"}, {116, "KHR"}, {124, "CAD"}, {132, "CVE"},
    {136, "KYD"}, {144, "LKR"}, {152, "CLP"}, {156, "CNY"}, {170, "COP"}, {174, "KMF"}, {188, "CRC"},
    {191, "HRK"}, {192, "CUP"}, {203, "CZK"}, {208, "DKK"}, {214, "DOP"}, {222, "SVC"}, {230, "ETB"},
    {232, "ERN"}, {238, "FKP"}, {242, "FJD"}, {262, "DJF"}, {270, "GMD"}, {292, "GIP"}, {320, "GTQ"},
    {324, "GNF"}, {328, "GYD"}, {332, "HTG"}, {340, "HNL"}, {344, "HKD"}, {348, "HUF"}, {352, "ISK"},
    {356, "INR"}, {360, "IDR"}, {364, "IRR"}, {368, "IQD"}, {376, "ILS"}, {388, "JMD"}, {392, "JPY"},
    {398, "KZT"}, {400, "JOD"}, {404, "KES"}, {408, "KPW"}, {410, "KRW"}, {414, "KWD"}, {417, "KGS"},
    {418, "LAK"}, {422, "LBP"}, {426, "LSL"}, {430, "LRD"}, {434, "LYD"}, {446, "MOP"}, {454, "MWK"},
    {458, "MYR"}, {462, "MVR"}, {480, "MUR"}, {484, "MXN"}, {496, "MNT"}, {498, "MDL"}, {504, "MAD"},
    {512, "OMR"}, {516, "NAD"}, {524, "NPR"}, {532, "ANG"}, {533, "AWG"}, {548, "VUV"}, {554, "NZD"},
    {558, "NIO"}, {566, "NGN"}, {578, "NOK"}, {586, "PKR"}, {590, "PAB"}, {598, "PGK"}, {600, "PYG"},
    {604, "PEN"}, {608, "PHP"}, {634, "QAR"}, {643, "RUB"}, {646, "RWF"}, {654, "SHP"}, {682, "SAR"},
    {690, "SCR"}, {694, "SLL"}, {702, "SGD"}, {704, "VND"}, {706, "SOS"}, {710, "ZAR"}, {728, "SSP"},
    {748, "SZL"}, {752, "SEK"}, {756, "CHF"}, {760, "SYP"}, {764, "THB"}, {776, "TOP"}, {780, "TTD"},
    {784, "AED"}, {788, "TND"}, {800, "UGX"}, {807, "MKD"}, {818, "EGP"}, {826, "GBP"}, {834, "TZS"},
    {840, "USD"}, {858, "UYU"}, {860, "UZS"}, {882, "WST"}, {886, "YER"}, {901, "TWD"}, {924, "ZWG"},
    {925, "SLE"}, {926, "VED"}, {928, "VES"}, {929, "MRU"}, {930, "STN"}, {931, "CUC"}, {932, "ZWL"},
    {933, "BYN"}, {934, "TMT"}, {936, "GHS"}, {938, "SDG"}, {941, "RSD"}, {943, "MZN"}, {944, "AZN"},
    {946, "RON"}, {949, "TRY"}, {950, "XAF"}, {951, "XCD"}, {952, "XOF"}, {953, "XPF"}, {967, "ZMW"},
    {968, "SRD"}, {969, "MGA"}, {971, "AFN"}, {972, "TJS"}, {973, "AOA"}, {975, "BGN"}, {976, "CDF"},
    {977, "BAM"}, {978, "EUR"}, {980, "UAH"}, {981, "GEL"}, {985, "PLN"}, {986, "BRL"}};

// Words are in lower case, as fold_text leaves them. A sign that several currencies share has one meaning
// here: ¥ is CNY and $ is USD, and others say more ("jp¥", "hk$").
constexpr std::pair<std::string_view, std::string_view> kWords[] = {
    {"¥", "CNY"},        {"cn¥", "CNY"},    {"元", "CNY"},      {"圆", "CNY"},       {"圓", "CNY"},
    {"元整", "CNY"},     {"块", "CNY"},     {"块钱", "CNY"},    {"元人民币", "CNY"}, {"人民币", "CNY"},
    {"人民币元", "CNY"}, {"人民幣", "CNY"}, {"rmb", "CNY"},     {"rmb¥", "CNY"},     {"cnh", "CNY"},
    {"yuan", "CNY"},     {"$", "USD"},      {"us$", "USD"},     {"usd$", "USD"},     {"美元", "USD"},
    {"美金", "USD"},     {"dollar", "USD"}, {"dollars", "USD"}, {"€", "EUR"},        {"欧元", "EUR"},
    {"歐元", "EUR"},     {"euro", "EUR"},   {"euros", "EUR"},   {"£", "GBP"},        {"英镑", "GBP"},
    {"英鎊", "GBP"},     {"jp¥", "JPY"},    {"日元", "JPY"},    {"日圆", "JPY"},     {"円", "JPY"},
    {"日円", "JPY"},     {"yen", "JPY"},    {"hk$", "HKD"},     {"港元", "HKD"},     {"港币", "HKD"},
    {"港幣", "HKD"},     {"nt$", "TWD"},    {"新台币", "TWD"},  {"新臺幣", "TWD"},   {"台币", "TWD"},
    {"台幣", "TWD"},     {"mop$", "MOP"},   {"澳门元", "MOP"},  {"s$", "SGD"},       {"新加坡元", "SGD"},
    {"a$", "AUD"},       {"au$", "AUD"},    {"澳元", "AUD"},    {"c$", "CAD"},       {"ca$", "CAD"},
    {"加元", "CAD"},     {"nz$", "NZD"},    {"纽元", "NZD"},    {"r$", "BRL"},       {"mx$", "MXN"},
    {"₩", "KRW"},        {"韩元", "KRW"},   {"원", "KRW"},      {"₹", "INR"},        {"rs", "INR"},
    {"rs.", "INR"},      {"฿", "THB"},      {"泰铢", "THB"},    {"₽", "RUB"},      {"卢布", "RUB"},
    {"₫", "VND"},        {"đ", "VND"},      {"越南盾", "VND"},  {"₱", "PHP"},        {"₺", "TRY"},
    {"₴", "UAH"},        {"₪", "ILS"},      {"₦", "NGN"},       {"rp", "IDR"},       {"rp.", "IDR"},
    {"rm", "MYR"},       {"chf.", "CHF"},   {"sfr.", "CHF"},    {"fr.", "CHF"},      {"瑞士法郎", "CHF"},
    {"kč", "CZK"},       {"zł", "PLN"},
};

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

CurrencyCode of_number(std::string_view digits) {
  const int number = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  const auto* const found =
      std::lower_bound(std::begin(kNumbers), std::end(kNumbers), number,
                       [](const auto& entry, int wanted) { return entry.first < wanted; });
  return found != std::end(kNumbers) && found->first == number ? CurrencyCode(found->second) : CurrencyCode();
}

}  // namespace

// Nearly all texts are codes of three capitals, which are taken without folding and without a list: a code
// that is new is a code. RMB and CNH look like codes and mean CNY.
CurrencyCode read_currency(std::string_view text) {
  constexpr size_t kLongestText = 64;
  if (text.empty() || text.size() > kLongestText) return {};
  const bool plain = text.size() == 3 && std::all_of(text.begin(), text.end(), is_capital);
  if (plain && text != "RMB" && text != "CNH") return CurrencyCode(text);
  const std::string folded = fold_text(text);
  for (const auto& [word, code] : kWords) {
    if (folded == word) return CurrencyCode(code);
  }
  if (folded.size() != 3) return {};
  if (std::all_of(folded.begin(), folded.end(), is_digit)) return of_number(folded);
  std::string code;
  for (const char c : folded) {
    if (c < 'a' || c > 'z') return {};
    code.push_back(static_cast<char>(c - 'a' + 'A'));
  }
  return CurrencyCode(code);
}

}  // namespace kehu::text
