#include "intake/rehearsal.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace kehu::intake {
namespace {

TEST(Rehearsal, SaysWhatTheDoorWouldSay) {
  Rehearsal rehearsal(std::make_shared<Settings>(Settings::defaults()), Instant::from_seconds(1'795'308'600));
  const struct {
    const char* event;
    const char* want;  // "accepted", or the reason, with the identifiers that are left out
  } cases[] = {
      {R"({"event":"E","identifiers":{"user_id":"u1"}})", "accepted"},
      {R"({"event":"E","identifiers":{"userid":"u1"}})", "invalid_field"},
      {R"({"event":"E","identifiers":{"user_id":"u1"},"time":"2036-01-01T00:00:00Z"})", "time_in_future"},
      {R"({"event":"E","identifiers":{"user_id":"null"}})", "no_identifier"},
      {R"({"event":"E","identifiers":{"user_id":"u1","phone":"12"}})", "accepted phone"},
      {R"({"event":"E","identifiers":{"user_id":"null","anonymous_id":"a1"}})", "accepted user_id"},
      {R"({"type":"trak","user_id":"u1"})", "unknown_type"},
      {R"({"event":"E","user_id":"u1","properties":{"total":1e30}})", "amount_out_of_range"},
  };
  std::string lines;
  for (const auto& c : cases) lines.append(c.event).append("\n");
  const auto verdicts = rehearsal.judge(lines);
  ASSERT_EQ(verdicts.size(), std::size(cases));
  for (size_t i = 0; i < verdicts.size(); ++i) {
    std::string got(verdicts[i].accepted ? "accepted" : to_string(verdicts[i].reason));
    for (const auto& identifier : verdicts[i].left_out) got.append(" ").append(identifier.type);
    EXPECT_EQ(got, cases[i].want) << cases[i].event << " " << verdicts[i].detail;
  }
  EXPECT_TRUE(rehearsal.judge("").empty());
  // Each person has a key of their own.
  EXPECT_EQ(rehearsal
                .judge(R"({"event":"E","phone":"13912345678"})"
                       "\n"
                       R"({"event":"E","phone":"13912345679","email":"a@b.cn"})")
                .size(),
            2u);
}

}  // namespace
}  // namespace kehu::intake
