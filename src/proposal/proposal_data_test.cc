// Proposals for published data sets, and for small files: each is a mapping that reads every row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "mapping/file_import.h"
#include "proposal/proposal.h"

namespace kehu::proposal {
namespace {

struct Read {
  std::string toml;
  mapping::Report report;
  std::string first;  // event
};

Read read_with_proposal(const std::string& path, std::optional<Subject> subject = std::nullopt) {
  Read out;
  const auto toml = propose(path, subject);
  if (!toml.ok()) return {.toml = message_of(toml.status()), .report = {}, .first = {}};
  out.toml = *toml;
  const auto mapping = mapping::Mapping::parse(*toml, "proposed.toml");
  EXPECT_TRUE(mapping.ok()) << path << ": " << mapping.status() << "\n" << *toml;
  if (!mapping.ok()) return out;
  auto import = mapping::FileImport::open(*mapping, path);
  EXPECT_TRUE(import.ok()) << path << ": " << import.status() << "\n" << *toml;
  if (!import.ok()) return out;
  mapping::MappedRow row;
  while (true) {
    const auto any = (*import)->next(row);
    EXPECT_TRUE(any.ok()) << path << ": " << any.status();
    if (!any.ok() || !*any) break;
    if (out.first.empty()) out.first = row.events;
    if (!row.rejections.empty() && (*import)->report().rejected == 1)
      out.first += cat("! ", row.line, " ", row.rejections[0].column, ": ", row.rejections[0].detail);
  }
  out.report = (*import)->report();
  return out;
}

std::string written(const std::string& name, const std::string& text) {
  const std::filesystem::path directory =
      std::filesystem::temp_directory_path() / cat("kehu-proposal-", ::getpid());
  std::filesystem::create_directories(directory);
  std::ofstream(directory / name, std::ios::binary) << text;
  return directory / name;
}

std::string in_gbk(const std::string& text) {
  const iconv_t converter = ::iconv_open("GBK", "UTF-8");
  std::string out(text.size() * 2, '\0'), in = text;
  char* from = in.data();
  char* to = out.data();
  size_t left = in.size(), room = out.size();
  EXPECT_EQ(::iconv(converter, &from, &left, &to, &room), 0u);
  ::iconv_close(converter);
  out.resize(out.size() - room);
  return out;
}

TEST(Propose, ReadsSmallFiles) {
  struct Case {
    const char* name;
    const char* text;
    std::vector<const char*> want;  // in the proposal or the first event
  };
  const Case cases[] = {
      {"orders.csv",
       "订单号,手机,下单时间,金额\n1001,13912345678,2026-11-01 "
       "12:00,\"1,299.00\"\n1002,13700001111,2026-11-02 09:30,20\n",
       {"phone = \"手机\"", "zone = \"Asia/Shanghai\"", "order_id = \"订单号\"", "\"total\":1299",
        "\"time\":\"2026-11-01T04:00:00.000Z\"", "Order Completed"}},
      {"semi.csv",
       "OrderID;CustomerID;Date;Total\nA1;1.0;01/11/2026;9.5\nA2;2.0;30/11/2026;7\n",
       {"delimiter = \";\"", "whole = true", "%d/%m/%Y", "\"user_id\":\"1\""}},
      {"events.ndjson",
       "{\"userId\":\"u1\",\"event\":\"Viewed\",\"timestamp\":\"2026-11-01T10:00:00Z\",\"ctx\":{\"os\":"
       "\"ios\"},\"tags\":[1]}\n",
       {"format = \"ndjson\"", "\"event\":\"Viewed\"", "ctx_os = \"ctx.os\""}},
      {"gbk.csv",
       "\xd0\xd5\xc3\xfb,\xca\xd6\xbb\xfa\xba\xc5\n\xc0\xee\xc4\xc8,13912345678\n",
       {"encoding = \"GBK\"", "type = \"identify\"", "\"姓名\":\"李娜\""}},
      {"access.log",
       "1.2.3.4 - ann [22/Nov/2026:10:00:00 +0800] \"GET /tea HTTP/1.1\" 200 512 \"-\" \"curl\"\n",
       {"format = \"log\"", "%d/%b/%Y:%H:%M:%S %z", "\"path\":\"/tea\""}},
      {"nobody.csv",
       "colour,size\nred,1\nblue,2\n",
       {"number = ", "prefix = \"nobody-\"", "file = \"modified\""}},
  };
  for (const Case& c : cases) {
    const Read read = read_with_proposal(written(c.name, c.text));
    EXPECT_EQ(read.report.rejected, 0u) << c.name << read.first;
    EXPECT_GT(read.report.events, 0u) << c.name;
    for (const char* want : c.want) EXPECT_THAT(read.toml + read.first, testing::HasSubstr(want)) << c.name;
  }
}

// What a spreadsheet rounded is rejected by the import, and the proposal says so before.
TEST(Propose, SaysWhichDigitsAreLost) {
  std::string rows, with_phones, numbers;
  for (int i = 0; i < 100; ++i) {
    const std::string id = i < 3 ? "1.23457E+17" : cat("11010519491231", 1000 + i);
    rows += cat(id, ",A", i, ",2026-11-01 10:00,9\n");
    with_phones += cat(id, ",1391234", 1000 + i, ",1.2E+15,2026-11-01 10:00,9\n");
    numbers += cat("{\"user_id\":", i < 3 ? "123456789012345670.0" : cat(i),
                   ",\"amount\":1,\"time\":\"2026-11-01\"}\n");
  }
  const Read alone = read_with_proposal(written("lost.csv", "会员号,订单号,下单时间,金额\n" + rows));
  EXPECT_THAT(alone.toml, testing::HasSubstr("# 3 of 100 values of \"会员号\" lost their digits in a "
                                             "spreadsheet (1.23457E+17): these rows will be "
                                             "rejected, unless another column says whose they are.\n# Export "
                                             "it again with that column as text.\n"
                                             "member_id = \"会员号\"\n"));
  EXPECT_EQ(alone.report.digits_lost_by_column.at("会员号"), 3u);
  const Read beside =
      read_with_proposal(written("phones.csv", "会员号,手机,订单号,下单时间,金额\n" + with_phones));
  EXPECT_THAT(beside.toml, testing::HasSubstr("(1.23457E+17): they are left out of their rows.\n"));
  EXPECT_THAT(
      beside.toml,
      testing::HasSubstr("# 100 of 100 order numbers lost their digits in a spreadsheet (1.2E+15): those "
                         "orders have no number.\norder_id"));
  EXPECT_THAT(
      read_with_proposal(written("numbers.ndjson", numbers)).toml,
      testing::HasSubstr(
          "# 3 of 100 values of \"user_id\" lost their digits in a spreadsheet (123456789012345670.0)"));
  const Read whole = read_with_proposal(written("whole.csv", "user_id,time\n1,2026-11-01\n2,2026-11-02\n"));
  EXPECT_THAT(whole.toml, testing::Not(testing::HasSubstr("digits")));
}

TEST(Propose, ReadsFilesOfOtherHouses) {
  struct Case {
    const char* name;
    std::string text;
    size_t events;
    std::vector<const char*> want;  // in the proposal or the first event
    std::vector<const char*> without = {};
  };
  const std::string items = R"([{"sku":"a","price":1},{"sku":"b","price":2}])";
  const Case cases[] = {
      {"single.csv",
       "'id','note','user_id','when'\n'1','a, b','u1','2026-11-01'\n'2','it''s, so','u2','2026-11-02'\n",
       2,
       {"quote = \"'\"", "user_id = \"user_id\"", "\"note\":\"a, b\""}},
      {"guarded.csv",
       "user_id,when\n'0012,2026-11-01\n'0013,2026-11-02\n",
       2,
       {"user_id = \"user_id\""},
       {"quote"}},
      {"apostrophes.csv",
       "user_id,name,when\nu1,O'Hara,2026-11-01\nu2,'t Hooft,2026-11-02\n",
       2,
       {"O'Hara"},
       {"quote"}},
      {"bestellungen.csv",
       "Kundennummer;Bestellnummer;Betrag;Datum;Menge;Währung\nK1;B1;1.299,00;01.11.2026;2;EUR\nK2;B2;19,99;"
       "30.11.2026;1;EUR\n",
       2,
       {"delimiter = \";\"", "user_id = \"Kundennummer\"", "order_id = \"Bestellnummer\"", "\"total\":1299",
        "\"quantity\":2", "\"currency\":\"EUR\"", "\"time\":\"2026-11-01T00:00:00.000Z\"",
        "Order Completed"}},
      {"commandes.csv",
       "Numéro client;Numéro de commande;Montant;Date de "
       "commande;Quantité;Devise\nC1;F1;12,50;2026-11-01;1;EUR\n",
       1,
       {"user_id = \"Numéro client\"", "order_id = \"Numéro de commande\"", "\"total\":12.5",
        "\"currency\":\"EUR\"", "\"quantity\":1"}},
      {"pedidos.csv",
       "Cliente,Número de pedido,Importe,Fecha,Cantidad,Moneda\nC1,P1,12.50,2026-11-01,1,MXN\n",
       1,
       {"user_id = \"Cliente\"", "order_id = \"Número de pedido\"", "\"total\":12.5",
        "\"currency\":\"MXN\""}},
      {"chumon.csv",
       "顧客番号,注文番号,合計金額,注文日時,数量,メールアドレス\nC1,N1,\"1,200\",2026/11/01 "
       "10:00,1,a@example.com\n",
       1,
       {"user_id = \"顧客番号\"", "order_id = \"注文番号\"", "\"total\":1200", "zone = \"Asia/Tokyo\"",
        "constant = \"JPY\"", "email = \"メールアドレス\""}},
      {"wrapped.json",
       R"({"code":0,"data":[{"user_id":"u1","event":"Viewed","time":"2026-11-01T10:00:00Z"},{"user_id":"u2","event":"Viewed","time":"2026-11-01T10:00:00Z"}],"next":null})",
       2,
       {"list = \"data\"", "user_id = \"user_id\"", "Viewed"}},
      {"deep.json",
       "{\n \"result\": {\n  \"count\": 1,\n  \"columns\": [{\"n\":1}],\n  \"records\": [\n   {\"user_id\": "
       "\"u1\", \"amount\": 5, "
       "\"paid_at\": \"2026-11-01T10:00:00Z\", \"items\": " +
           items + "}\n  ]\n }\n}\n",
       1,
       {"list = \"result.records\"", "items = \"items\"", "\"total\":5"}},
      {"pages.json",
       "{\"rows\":[{\"user_id\":\"u1\",\"name\":\"a\"}],\"page\":1}\n{\"rows\":[{\"user_id\":\"u2\",\"name\":"
       "\"b\"}],\"page\":2}\n",
       2,
       {"list = \"rows\"", "identify"}},
      {"one-order.ndjson",
       "{\"user_id\":\"u1\",\"time\":\"2026-11-01T10:00:00Z\",\"items\":" + items + "}\n",
       1,
       {"items = \"items\""},
       {"list"}},
      {"nested-user.ndjson",
       "{\"customer\":{\"email\":\"a@example.com\"},\"items\":" + items + "}\n",
       1,
       {"email = \"customer.email\""},
       {"list"}},
  };
  for (const Case& c : cases) {
    const Read read = read_with_proposal(written(c.name, c.text));
    EXPECT_EQ(read.report.rejected, 0u) << c.name << read.first << read.toml;
    EXPECT_EQ(read.report.events, c.events) << c.name << read.toml;
    for (const char* want : c.want) EXPECT_THAT(read.toml + read.first, testing::HasSubstr(want)) << c.name;
    for (const char* no : c.without) EXPECT_THAT(read.toml, testing::Not(testing::HasSubstr(no))) << c.name;
  }
}

// In the forms in which Alipay and WeChat Pay gave them out in 2019 and 2023, with invented contents.
TEST(Propose, ReadsBillsOfWallets) {
  const std::string rule(30, '-');
  const std::string wechat = cat(
      "\xef\xbb\xbf微信支付账单明细,,,,,,,,,,\n微信昵称：[某人],,,,,,,,,,\n起始时间：[2023-01-01 00:00:00] "
      "终止时间：[2023-01-31 "
      "23:59:59],,,,,,,,,,\n导出类型：[全部],,,,,,,,,,\n,,,,,,,,,,\n共2笔记录,,,,,,,,,,\n收入：1笔 "
      "10.00元,,,,,,,,,,\n注：,,,,,,,,,,\n1. "
      "充值/提现/理财通购买/零钱通存取/信用卡还款等交易，将计入中性交易,,,,,,,,,,\n,,,,,,,,,,\n",
      rule, "微信支付账单明细列表", rule,
      ",,,,,,,,,,\n交易时间,交易类型,交易对方,商品,收/支,金额(元),支付方式,当前状态,交易单号,商户单号,备注\n"
      "2023-01-31 "
      "18:20:45,二维码收款,某店,\"收款\",收入,¥10.00,零钱,已存入零钱,\"4200001700202301311\t\",\"100001\t\","
      "\"/\"\n"
      "2023-01-30 "
      "08:00:00,商户消费,美团,\"早餐\",支出,¥1023.50,零钱,支付成功,\"4200001700202301302\t\",\"100002\t\","
      "\"/\"\n");
  const std::string alipay_2023 = cat(
      rule, rule,
      "\n导出信息：\n姓名：某人\n支付宝账户：138****0000\n起始时间：[2023-01-01 00:00:00]    "
      "终止时间：[2023-02-01 "
      "00:00:00]\n导出交易类型：[全部]\n共2笔记录\n收入：1笔 "
      "100.00元\n\n特别提示：\n1.本明细仅供个人对账使用\n\n",
      rule, "支付宝（中国）网络技术有限公司  电子客户回单", rule,
      "\n交易时间,交易分类,交易对方,对方账号,商品说明,收/支,金额,收/"
      "付款方式,交易状态,交易订单号,商家订单号,备注,\n"
      "2023-01-31 "
      "18:20:45,餐饮美食,美团,mei***@meituan.com,午餐,支出,23.50,余额宝,交易成功,2023013122001\t,M123\t,,\n"
      "2023-01-30 09:00:00,转账,某人,138****1111,货款,收入,100.00,余额,交易成功,2023013022002\t,\t,,\n");
  const std::string alipay_2019 =
      cat("支付宝交易记录明细查询\n账号:[a@example.com]\n起始日期:[2019-01-01 00:00:00]    "
          "终止日期:[2019-02-01 00:00:00]\n",
          rule, "交易记录明细列表", rule,
          "\n交易号                  ,商家订单号               ,交易创建时间              ,付款时间          "
          "      ,类型              "
          ",交易对方            ,商品名称                ,金额（元）   ,收/支     ,交易状态    ,备注         "
          "         ,\n"
          "2019013122001\t,M1\t,2019-01-31 10:00:00 ,2019-01-31 10:00:02 ,即时到账交易          ,某店        "
          "    ,货款                  "
          ",23.50   ,收入        ,交易成功    ,                    ,\n"
          "2019013022002\t,M2\t,2019-01-30 10:00:00 ,                    ,即时到账交易          ,某店        "
          "    ,货款                  "
          ",5.00    ,            ,交易关闭    ,                    ,\n",
          rule, rule,
          "\n共2笔记录\n已收入:1笔,23.50元\n待收入:0笔,0.00元\n已支出:0笔,0.00元\n导出时间:[2019-02-01 "
          "10:00:00]    用户:某人\n");
  struct Case {
    const char* name;
    std::string text;
    std::vector<const char*> want;
  };
  const Case cases[] = {
      {"微信支付账单.csv",
       wechat,
       {"\"event\":\"Order Completed\"", "\"total\":10,", "\"order_id\":\"4200001700202301311\"",
        "\"time\":\"2023-01-31T10:20:45.000Z\""}},
      {"alipay_record_2023.csv",
       in_gbk(alipay_2023),
       {"encoding = \"GBK\"", "\"event\":\"Payment Made\"", "\"total\":23.5,",
        "\"order_id\":\"2023013122001\""}},
      {"alipay_record_2019.csv",
       in_gbk(alipay_2019),
       {"encoding = \"GBK\"", "until = \"-----\"", "\"event\":\"Order Completed\"",
        "\"order_id\":\"2019013122001\"", "\"time\":\"2019-01-31T02:00:00.000Z\""}},
  };
  for (const Case& c : cases) {
    const Read read = read_with_proposal(written(c.name, c.text));
    EXPECT_EQ(read.report.rejected, 0u) << c.name << read.first << read.toml;
    EXPECT_EQ(read.report.events, 2u) << c.name << read.toml;
    for (const char* want : c.want) EXPECT_THAT(read.toml + read.first, testing::HasSubstr(want)) << c.name;
  }
}

TEST(Propose, TakesTheSubjectAsTold) {
  const std::string path =
      written("people.csv", "user_id,name,created_at\nu1,Li,2026-11-01\nu2,Na,2026-11-02\n");
  EXPECT_THAT(read_with_proposal(path, Subject::kCustomers).toml, testing::HasSubstr("[traits]"));
  EXPECT_THAT(read_with_proposal(path, Subject::kEvents).toml, testing::HasSubstr("[properties]"));
  EXPECT_THAT(read_with_proposal(path, Subject::kOrders).toml, testing::HasSubstr("Order Completed"));
}

TEST(Propose, SaysWhatCannotBeRead) {
  EXPECT_THAT(read_with_proposal(written("empty.csv", "")).toml, testing::HasSubstr("is empty"));
  EXPECT_THAT(read_with_proposal(written("header.csv", "user_id,name\n")).toml,
              testing::HasSubstr("has no rows"));
  EXPECT_THAT(read_with_proposal(written("a.zst", "\x28\xb5\x2f\xfdxx")).toml,
              testing::HasSubstr("Zstandard"));
  EXPECT_THAT(read_with_proposal("/nowhere.csv").toml, testing::HasSubstr("no file"));
}

TEST(Propose, ReadsPublishedDataSets) {
  const std::filesystem::path data = std::filesystem::path(KEHU_SOURCE_DIR) / "../shared/data";
  if (!std::filesystem::exists(data)) GTEST_SKIP() << "the data sets are not here: " << data;
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(data)) {
    const std::string path = entry.path();
    const bool table = path.ends_with(".csv") || path.ends_with(".csv.gz") || path.ends_with(".log.gz");
    if (!entry.is_regular_file() || !table) continue;
    ++files;
    const Read read = read_with_proposal(path);
    EXPECT_EQ(read.report.rejected, 0u) << path << read.first << "\n" << read.toml;
    // Rows that do not say when something happened are left out, where most do: one of one thousand here.
    EXPECT_EQ(read.report.events + read.report.filtered, read.report.rows) << path << "\n" << read.toml;
    EXPECT_LE(read.report.filtered * 1000, read.report.rows) << path << "\n" << read.toml;
    EXPECT_GT(read.report.rows, 0u) << path;
  }
  EXPECT_GT(files, 20u);
}

}  // namespace
}  // namespace kehu::proposal
