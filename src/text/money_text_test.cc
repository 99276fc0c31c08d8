#include "text/money_text.h"

#include <gtest/gtest.h>

#include "base/plain_text.h"

namespace kehu::text {
namespace {

struct MoneyCase {
  const char* given;
  const char* want;  // "amount", "amount CUR", or nullptr: refused
};

std::string shown(const std::optional<MoneyText>& money) {
  if (!money) return "refused";
  std::string out = money->amount.to_string();
  return money->currency.empty() ? out : out + " " + std::string(money->currency.view());
}

TEST(MoneyText, AsPeopleWriteIt) {
  const MoneyCase cases[] = {
      {"99.5", "99.5"},
      {"1e3", "1000"},
      {"-12", "-12"},
      {" 99.5 ", "99.5"},
      {"\t99.5\r\n", "99.5"},
      {"\u00a099.5\u3000", "99.5"},
      {"\ufeff99.5\u200b", "99.5"},
      {"９９．５", "99.5"},
      {"￥１，２９９．００", "1299 CNY"},
      {"1,299.00", "1299"},
      {"1,299", "1299"},
      {"12,345,678", "12345678"},
      {"12,345,678.9", "12345678.9"},
      {"1,23,45,678.50", "12345678.5"},
      {"1.299,00", "1299"},
      {"1.299.000", "1299000"},
      {"1.299.000,5", "1299000.5"},
      {"1.299", "1.299"},
      {"12,50", "12.5"},
      {"12,5", "12.5"},
      {"0,299", "0.299"},
      {"1299,00", "1299"},
      {"1234,567", "1234.567"},
      {"1 299,00", "1299"},
      {"1\u202f299,00", "1299"},
      {"1 299,125", "1299.125"},
      {"1 299", "1299"},
      {"1'299.00", "1299"},
      {"1’299.00", "1299"},
      {"¥99", "99 CNY"},
      {"￥1,299", "1299 CNY"},
      {"¥ 1,299.00", "1299 CNY"},
      {"RMB 99", "99 CNY"},
      {"99元", "99 CNY"},
      {"99.50 元", "99.5 CNY"},
      {"¥99元", "99 CNY"},
      {"人民币99元", "99 CNY"},
      {"99块钱", "99 CNY"},
      {"1.2万元", "12000 CNY"},
      {"3亿", "300000000"},
      {"$19.99", "19.99 USD"},
      {"US$ 19.99", "19.99 USD"},
      {"USD19.99", "19.99 USD"},
      {"99.50 CNY", "99.5 CNY"},
      {"cny 99.5", "99.5 CNY"},
      {"HK$1,299", "1299 HKD"},
      {"NT$ 500", "500 TWD"},
      {"12,50 €", "12.5 EUR"},
      {"€ 1.299,00", "1299 EUR"},
      {"£5", "5 GBP"},
      {"500円", "500 JPY"},
      {"Rs.500", "500 INR"},
      {"R$.5", "0.5 BRL"},
      {".5", "0.5"},
      {"5.", "5"},
      {"¥-99", "-99 CNY"},
      {"-¥99", "-99 CNY"},
      {"−99", "-99"},
      {"+99", "99"},
      {"99-", "-99"},
      {"99.-", "99"},
      {"CHF 1'299,-", "1299 CHF"},
      {"99 156", "99156"},
      {"(1,299.00)", "-1299"},
      {"(¥99)", "-99 CNY"},
      {"-1,500.00", "-1500"},
      {"100 PTS", "100 PTS"},
      {"1,00,000", "100000"},
  };
  for (const MoneyCase& c : cases) EXPECT_EQ(shown(read_money(c.given)), c.want) << c.given;
}

TEST(MoneyText, WhatIsNoAmountOrHasTwoReadingsIsRefused) {
  const char* const cases[] = {
      "",
      " ",
      "-",
      "¥",
      "free",
      "true",
      "NaN",
      "Infinity",
      "null",
      "1,2345",
      "12,34,56",
      "1,299,00",
      "1.29.000",
      "1,299.00.0",
      "1,299,000.000,00",
      "1 29",
      "1  299",
      "1,,299",
      "99-199",
      "99~199",
      "9 9.5",
      "99%",
      "99/件",
      "约99",
      "99元5角",
      "--99",
      "-99-",
      "(-99)",
      "$99 CNY",
      "0x1f",
      "1e400",
      "99 apples",
      "12:30",
      "2026-11-01",
      "1,299 元/件",
      "100000000000001",

      ",",
      ".",
      "1.2.3",
      "9999999999亿",
      "¥¥99",

      "1_2",
  };
  for (const char* given : cases) EXPECT_EQ(shown(read_money(given)), "refused") << given;
  EXPECT_EQ(shown(read_money(std::string(65, '1'))), "refused");
}

TEST(Currency, SignsWordsNumbersAndCodes) {
  const MoneyCase cases[] = {
      {"CNY", "CNY"},  {"CNY ", "CNY"},   {" cny", "CNY"}, {"¥", "CNY"},      {"￥", "CNY"},
      {"RMB", "CNY"},  {"rmb", "CNY"},    {"CNH", "CNY"},  {"人民币", "CNY"}, {"元", "CNY"},
      {"156", "CNY"},  {"１５６", "CNY"}, {"US$", "USD"},  {"$", "USD"},      {"840", "USD"},
      {"美元", "USD"}, {"978", "EUR"},    {"036", "AUD"},  {"ｕｓｄ", "USD"}, {"HK$", "HKD"},
      {"PTS", "PTS"},  {"999", ""},       {"", ""},        {"  ", ""},        {"coins", ""},
      {"C1Y", ""},     {"积分", ""},      {"1560", ""},    {"15", ""},
  };
  for (const MoneyCase& c : cases) EXPECT_EQ(read_currency(c.given).view(), c.want) << c.given;
  EXPECT_EQ(read_currency(std::string(100, 'A')).view(), "");
}

TEST(PlainText, Folds) {
  EXPECT_EQ(fold_text(" Mini－Program　"), "mini-program");
  EXPECT_EQ(fold_text("ＡＢＣ\u200b\ufeffx"), "abcx");
  EXPECT_EQ(fold_text("a\xff\xe5"), "a\xff\xe5");
  EXPECT_EQ(fold_text("𝟗\u3000𝟗"), "𝟗 𝟗");
}

}  // namespace
}  // namespace kehu::text
