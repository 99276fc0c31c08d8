#include <fstream>

#include "interpreter/test_question.h"
#include "notation/parse.h"

namespace kehu::interpreter {
namespace {

// The definitions that docs/rules.md begins with.
std::vector<rule::Definition> examples() {
  std::ifstream file(KEHU_SOURCE_DIR "/docs/rules.md");
  std::string text;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("    ")) text += line + "\n";
    if (!text.empty() && line.empty()) break;
  }
  std::vector<rule::Definition> out;
  const auto problem = notation::parse_file(text, out);
  EXPECT_FALSE(problem) << "line " << problem->place.line << ": " << problem->message;
  return out;
}

TEST(Examples, MeanWhatTheyRead) {
  const std::string_view snacks = R"(2026-03-09T22:30 Product Viewed {"category":"snacks"})";
  const std::string_view other = R"(2026-03-09T22:30 Product Viewed {"category":"drinks"})";
  const std::string_view order = R"(2026-03-09T10:00 Order Completed {"revenue":3000})";
  const std::string_view old_order = R"(2025-08-01T10:00 Order Completed {"revenue":48000})";
  const std::string_view note = "2026-03-09T10:00 Note Viewed@xiaohongshu";
  const std::string_view cart = "2026-03-10T11:00 Product Added";
  const std::string_view beijing = R"({"city":"Beijing"})";
  const Question questions[] = {
      {.name = "小红书兴趣", .events = {note, note, note}, .want = "true"},
      {.name = "小红书兴趣", .events = {note, note, "2026-03-09T10:00 Note Viewed@web"}, .want = "false"},
      {.name = "小红书兴趣",
       .events = {note, note, "2026-02-08T23:59:59 Note Viewed@xiaohongshu"},
       .want = "false"},
      {.name = "年度高消费", .events = {order, old_order}, .want = "true"},
      {.name = "年度高消费", .events = {old_order}, .want = "false"},
      {.name = "年度高消费", .events = {order, old_order}, .want = "false", .now = "2026-08-01T00:00"},
      {.name = "高客单", .events = {order}, .want = "true"},
      {.name = "高客单",
       .events = {order, R"(2026-03-01 Order Completed {"revenue":"900"})"},
       .want = "false"},
      {.name = "高客单", .want = "false"},
      {.name = "沉睡客户", .events = {old_order}, .want = "true"},
      {.name = "沉睡客户", .events = {old_order, order}, .want = "false"},
      {.name = "沉睡客户", .want = "false"},
      {.name = "加购未支付", .events = {cart}, .want = "true"},
      {.name = "加购未支付", .events = {cart}, .want = "false", .now = "2026-03-10T11:10:00"},
      {.name = "加购未支付", .events = {cart, "2026-03-10T11:09 Order Completed"}, .want = "false"},
      {.name = "夜宵偏好", .events = {snacks, snacks, other}, .want = "true"},
      {.name = "夜宵偏好", .events = {snacks, other}, .want = "false"},
      {.name = "夜宵偏好", .want = "false"},
      {.name = "七日未登录", .events = {"2026-03-03T23:59:59 Signed In"}, .want = "true"},
      {.name = "七日未登录", .events = {"2026-03-04T00:00:00 Signed In"}, .want = "false"},
      {.name = "七日未登录", .want = "false"},
      {.name = "北京新会员", .events = {"2026-03-01 Signed Up"}, .want = "true", .traits = beijing},
      {.name = "北京新会员",
       .events = {"2026-01-01 Signed Up", "2026-03-01 Signed Up"},
       .want = "false",
       .traits = beijing},
      {.name = "北京新会员",
       .events = {"2026-03-01 Signed Up"},
       .want = "false",
       .traits = R"({"city":"上海"})"},
      {.name = "意向阶段", .events = {snacks, cart}, .want = "Product Added"},
      {.name = "意向阶段", .events = {cart}, .want = "unknown"},
      {.name = "意向阶段",
       .events = {snacks, cart, "2026-03-10T11:30 Order Completed"},
       .want = "Product Added"},
      {.name = "偏好品类", .events = {snacks, other, snacks}, .want = "snacks"},
      {.name = "偏好品类", .events = {snacks, other}, .want = "drinks"},
      {.name = "年龄段", .want = "少年", .traits = R"({"birthday":"2008-03-11"})"},
      {.name = "年龄段", .want = "青年", .traits = R"({"birthday":"2008-03-10"})"},
      {.name = "年龄段", .want = "老年", .traits = R"({"birthday":"1950-01-01"})"},
      {.name = "年龄段", .want = "unknown"},
      {.name = "消费档", .want = "低"},
      {.name = "消费档", .events = {order}, .want = "中"},
      {.name = "消费档", .events = {order, old_order}, .want = "高"},
      {.name = "偏好三类", .events = {snacks, other, snacks}, .want = R"(["snacks","drinks"])"},
      {.name = "偏好三类", .want = "unknown"},
      {.name = "零食常客", .events = {snacks}, .want = "true", .tag = R"(["drinks","snacks"])"},
      {.name = "零食常客", .events = {snacks}, .want = "false", .tag = R"(["drinks","toys"])"},
      {.name = "零食常客", .want = "false", .tag = R"(["snacks"])"},
      {.name = "注册渠道",
       .events = {"2026-03-02 Signed Up@app", "2026-03-01 Signed Up@xiaohongshu"},
       .want = "xiaohongshu"},
      {.name = "注册渠道", .want = "unknown"},
      {.name = "新近搬家", .want = "true", .now = "2026-03-07T23:59", .traits = beijing},
      {.name = "新近搬家", .want = "false", .now = "2026-03-08", .traits = beijing},
      {.name = "新近搬家", .want = "false", .now = "2026-03-07"},
      {.name = "假日购物", .events = {"2026-02-17 Order Completed", order}, .want = "true"},
      {.name = "假日购物", .events = {"2026-02-28 Order Completed", order}, .want = "false"},
      {.name = "生命周期", .want = "潜客"},
      {.name = "生命周期", .events = {order, old_order}, .want = "活跃"},
      {.name = "生命周期", .events = {"2026-01-01 Order Completed"}, .want = "流失风险"},
      {.name = "生命周期", .events = {old_order}, .want = "沉睡"},
  };
  for (const rule::Definition& definition : examples()) {
    int asked = 0;
    for (const Question& question : questions) {
      if (question.name != definition.name) continue;
      ++asked;
      EXPECT_EQ(answer(definition.body, question), question.want) << question.name << ", question " << asked;
    }
    EXPECT_GE(asked, 2) << definition.name;
  }
  EXPECT_EQ(examples().size(), 18u);
}

}  // namespace
}  // namespace kehu::interpreter
