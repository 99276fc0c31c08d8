#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "base/test_rounds.h"
#include "base/text.h"
#include "script/statement.h"

namespace kehu::script {
namespace {

const std::vector<std::string> kTypes = {"user_id", "phone", "device_id", "anonymous_id"};

std::string said(const Person& who) { return cat(who.type, ":", who.value); }
std::string said(const Moment& when) {
  std::string ago = when.ago ? cat(" ago ", when.ago->count, "/", static_cast<int>(when.ago->unit)) : "";
  return cat(when.date.empty() ? "" : " ", when.date, when.time.empty() ? "" : " ", when.time, ago);
}

// A statement in short.
struct Say {
  std::string operator()(const SetClock& s) const {
    return cat("clock", said(s.to), s.zone.empty() ? "" : " in ", s.zone);
  }
  std::string operator()(const Advance& s) const {
    return cat("advance ", s.by.count, "/", static_cast<int>(s.by.unit));
  }
  std::string operator()(const Define& s) const { return cat("define ", s.rules.size()); }
  std::string operator()(const RulesFile& s) const { return cat("rules ", s.path); }
  std::string operator()(const EventsFile& s) const { return cat("events ", s.path); }
  std::string operator()(const Does& s) const {
    return cat(said(s.who), " does ", s.event, s.properties, s.channel.empty() ? "" : " on ", s.channel,
               said(s.when));
  }
  std::string operator()(const Has& s) const {
    std::string out = cat(said(s.who), " has ", s.traits);
    for (const Person& other : s.others) out += cat(said(other), ",");
    return cat(out, said(s.when));
  }
  std::string operator()(const UploadList& s) const {
    std::string out = cat("list ", s.name);
    for (const auto& member : s.members)
      out += cat(" ", said(member.who), member.value ? "=" : "", member.value.value_or(""));
    return out;
  }
  std::string operator()(const ExpectIn& s) const {
    std::string out = "expect";
    for (const Person& who : s.people) out += cat(" ", said(who));
    out += s.in ? " in" : " not in";
    for (const std::string& segment : s.segments) out += cat(" ", segment);
    return out;
  }
  std::string operator()(const ExpectTag& s) const {
    return cat("expect ", s.tag, " of ", said(s.who), s.equal ? " = " : " != ", s.value.value_or("unknown"));
  }
  std::string operator()(const ExpectSize& s) const { return cat("expect size ", s.segment, " = ", s.size); }
  std::string operator()(const ExpectSame& s) const {
    return cat("expect ", said(s.who), s.same ? " is " : " is not ", said(s.other));
  }
  std::string operator()(const Join& s) const { return cat("merge ", said(s.winner), " ", said(s.loser)); }
  std::string operator()(const Part& s) const { return cat("unmerge ", said(s.who), " ", said(s.other)); }
  std::string operator()(const Restart&) const { return "restart"; }
};

TEST(Parser, ReadsEachStatementInBothLanguages) {
  const struct {
    const char* given;
    const char* want;
  } cases[] = {
      {"at 2026-03-01 09:00 in \"Asia/Shanghai\"", "clock 2026-03-01 09:00 in Asia/Shanghai"},
      {"时间 ２０２６-03-01 09：00", "clock 2026-03-01 09:00"},
      {"at 09:10:00.001", "clock 09:10:00.001"},
      {"at 2026-03-01T09:00:00+08:00", "clock 2026-03-01T09:00:00+08:00"},
      {"advance 10 minutes", "advance 10/1"},
      {"过10分钟", ""},
      {"过 10分钟", "advance 10/1"},
      {"过 1 个星期", "advance 1/4"},
      {"rules retail.kehu", "rules retail.kehu"},
      {"events july.ndjson", "events july.ndjson"},
      {"segment a = did(\"X\")\ntag b =\n  top(c of \"X\")\nrestart", "define 2|restart"},
      {"user u1 does \"X\"", "user_id:u1 does X{}"},
      {"u1 does \"a\\\\nb\\\"\" {}", "user_id:u1 does a\\nb\"{}"},
      {"phone 138 does \"X\" {a: -1.5, `b c`: [true, {“d”：“e”}], f: null} on app 5 minutes ago",
       "phone:138 does X{\"a\":-1.5,\"b c\":[true,{\"d\":\"e\"}],\"f\":null} on app ago 5/1"},
      {"用户 小明 做 “X” {\n  a：真，\n} 3天前", ""},
      {"用户 小明 做 “X” {\n  a：真\n} 3天前", "user_id:小明 does X{\"a\":true} ago 3/3"},
      {"visitor a1 does \"X\" at 2026-03-01", "anonymous_id:a1 does X{} 2026-03-01"},
      {"u1 has {a: 01}", ""},
      {"u1 has visitor a1, phone \"+86 138\" 1 day ago",
       "user_id:u1 has anonymous_id:a1,phone:+86 138, ago 1/3"},
      {"visitor a1 is u1", "anonymous_id:a1 has user_id:u1,"},
      {"expect u1, visitor a1 not in A and B", "expect user_id:u1 anonymous_id:a1 not in A B"},
      {"期望 小明 不属于 `最近 客户`", "expect user_id:小明 not in 最近 客户"},
      {"expect tag T of u1 is not unknown", "expect T of user_id:u1 != unknown"},
      {"期望 u1 的 标签 T != “a”", "expect T of user_id:u1 != a"},
      {"expect size of A = 3", "expect size A = 3"},
      {"期望 A 的 人数 是 3", "expect size A = 3"},
      {"expect phone 138 is not u1", "expect phone:138 is not user_id:u1"},
      {"expect phone is u1", "expect user_id:phone is user_id:u1"},
      {"list VIP has u1 = \"gold\", phone 138 and u2", "list VIP user_id:u1=gold phone:138 user_id:u2"},
      {"名单 会员 有 小明 = 金卡， 用户 小红", "list 会员 user_id:小明=金卡 user_id:小红"},
      {"list `a b`", "list a b"},
      {"list VIP u1", ""},
      {"merge u1 and device_id D", "merge user_id:u1 device_id:D"},
      {"拆分 u1 和 u2", "unmerge user_id:u1 user_id:u2"},
      {"# nothing\n\nrestart # now", "restart"},
      {"restart now", ""},
      {"expect u1", ""},
      {"merge u1", ""},
      {"advance 9999999 weeks", ""},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.given);
    std::vector<Statement> statements;
    const auto problem = parse_script(c.given, kTypes, statements);
    std::string got;
    for (const Statement& statement : statements)
      got += cat(got.empty() ? "" : "|", std::visit(Say(), statement.what));
    EXPECT_EQ(problem ? "" : got, c.want) << (problem ? problem->message : "");
    if (problem) {
      EXPECT_NE(problem->expected, "");
    }
  }
}

TEST(Parser, AnyTextIsReadOrRefusedInItsPlace) {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(KEHU_SOURCE_DIR "/tests/scripts")) {
    std::ifstream file(entry.path());
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  ASSERT_GT(texts.size(), 10u);
  constexpr std::string_view kPieces[] = {"{", "}", "[", "\"", "`", "“",  "\\", "\n",
                                          " ", ",", ":", "的", "9", "于", "#"};
  std::mt19937_64 random(7);
  for (int64_t i = rounds(3000, 300'000); i > 0; --i) {
    std::string text = texts[random() % texts.size()];
    text = cut_utf8(text, random() % (text.size() + 1));
    for (uint64_t changes = random() % 4; changes > 0 && !text.empty(); --changes) {
      const size_t at = cut_utf8(text, random() % text.size()).size();
      const size_t end = at + (random() % 2 == 0 ? 0 : 1);
      text = cat(text.substr(0, at), kPieces[random() % std::size(kPieces)],
                 text.substr(std::min(end, text.size())));
    }
    std::vector<Statement> statements;
    if (const auto problem = parse_script(text, kTypes, statements)) {
      EXPECT_GE(problem->place.line, 1u);
      EXPECT_FALSE(problem->message.empty()) << text;
    }
  }
}

}  // namespace
}  // namespace kehu::script
