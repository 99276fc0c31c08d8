#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "notation/format.h"

// Every word that means something by itself, in both languages.
namespace kehu::notation {

using rule::Unit;

// clang-format off
enum class Keyword : uint8_t {
  kSegment, kTag, kOwner, kDescription, kTimeZone, kKeep, kClear, kCase, kWhen, kCaseThen, kElse, kEnd,
  kOr, kAnd, kNot, kBetween, kTo, kIn, kContains, kStartsWith, kEndsWith, kMatches, kIsKnown, kIsUnknown,
  kEqualSign, kNotEqualSign, kLessSign, kAtMostSign, kGreaterSign, kAtLeastSign,
  kWithin, kInside, kBefore, kAfter, kBirthday, kTrue, kFalse, kTrait, kTimeOf, kNow, kToday, kChannel, kSource,
  kHourOfDay, kWeekday, kHoliday, kWorkday, kAnyEvent, kWhere, kOf, kDid, kEver, kCount, kSum, kAverage, kMin, kMax, kDistinct,
  kTop, kFirst, kLast, kNth, kShare, kActiveDays, kInterval, kDaysSince, kAge, kBand, kBelow, kSequence, kStage, kThen, kBy,
  kLastWindow, kYesterday, kThisYear, kPreviousYear, kThis, kPrevious, kSince, kSecond, kMinute, kHour, kDay, kWeek, kMonth,
  kQuarter, kYear, kPercentile, kRfm, kSql, kEvery,
  kCheck, kFrom, kAgrees, kAtLeast, kListed,
};
// clang-format on

// The first spelling of a language is the one that is written; all are read. Those of several words may be
// parted by blanks of any kind. An empty one: the language has none. Signs stand in the English column, where
// words are read; the lexer knows them, and they are what is written in both languages.
struct KeywordRow {
  Keyword keyword;
  std::array<std::string_view, 2> english;
  std::array<std::string_view, 4> chinese;
};

// In the order of Keyword. docs/rules.md has the same table.
inline constexpr KeywordRow kKeywords[] = {
    {Keyword::kSegment, {"segment"}, {"分群", "人群"}},
    {Keyword::kTag, {"tag"}, {"标签"}},
    {Keyword::kOwner, {"owner"}, {"负责人"}},
    {Keyword::kDescription, {"description"}, {"说明"}},
    {Keyword::kTimeZone, {"time zone"}, {"时区"}},
    {Keyword::kKeep, {"when empty keep"}, {"为空时保留"}},
    {Keyword::kClear, {"when empty clear"}, {"为空时清除"}},
    {Keyword::kCase, {"case"}, {"分情况"}},
    {Keyword::kWhen, {"when"}, {"当"}},
    {Keyword::kCaseThen, {"then"}, {"则", "为"}},
    {Keyword::kElse, {"else"}, {"否则"}},
    {Keyword::kEnd, {"end"}, {"结束"}},
    {Keyword::kOr, {"or"}, {"或", "或者"}},
    {Keyword::kAnd, {"and"}, {"且", "并且"}},
    {Keyword::kNot, {"not"}, {"非", "不", "未", "没有"}},
    {Keyword::kBetween, {"between"}, {"介于"}},
    {Keyword::kTo, {"and"}, {"到", "至", "和"}},
    {Keyword::kIn, {"in"}, {"属于"}},
    {Keyword::kContains, {"contains"}, {"包含"}},
    {Keyword::kStartsWith, {"starts with"}, {"开头是"}},
    {Keyword::kEndsWith, {"ends with"}, {"结尾是"}},
    {Keyword::kMatches, {"matches"}, {"匹配"}},
    {Keyword::kIsKnown, {"is known"}, {"已知", "不为空"}},
    {Keyword::kIsUnknown, {"is unknown"}, {"未知", "为空"}},
    {Keyword::kEqualSign, {"="}, {"等于"}},
    {Keyword::kNotEqualSign, {"!="}, {"不等于"}},
    {Keyword::kLessSign, {"<"}, {"小于"}},
    {Keyword::kAtMostSign, {"<="}, {"小于等于", "小于或等于", "不大于", "不超过"}},
    {Keyword::kGreaterSign, {">"}, {"大于"}},
    {Keyword::kAtLeastSign, {">="}, {"大于等于", "大于或等于", "不小于"}},
    {Keyword::kWithin, {"within"}, {"在"}},
    {Keyword::kInside, {}, {"内", "之内"}},
    {Keyword::kBefore, {"before"}, {"早于"}},
    {Keyword::kAfter, {"after"}, {"晚于"}},
    {Keyword::kBirthday, {"birthday in the next"}, {"生日在未来"}},
    {Keyword::kTrue, {"true"}, {"真"}},
    {Keyword::kFalse, {"false"}, {"假"}},
    {Keyword::kTrait, {"trait"}, {"特征"}},
    {Keyword::kTimeOf, {"time of"}, {"的时间", "的 时间"}},
    {Keyword::kNow, {"now"}, {"现在"}},
    {Keyword::kToday, {"today"}, {"今天", "今日"}},
    {Keyword::kChannel, {"channel"}, {"渠道"}},
    {Keyword::kSource, {"source"}, {"来源"}},
    {Keyword::kHourOfDay, {"hour"}, {"钟点"}},
    {Keyword::kWeekday, {"weekday"}, {"星期几"}},
    {Keyword::kHoliday, {"holiday"}, {"节假日"}},
    {Keyword::kWorkday, {"workday"}, {"工作日"}},
    {Keyword::kAnyEvent, {"any event"}, {"任意事件"}},
    {Keyword::kWhere, {"where"}, {"其中"}},
    {Keyword::kOf, {"of"}, {"的"}},
    {Keyword::kDid, {"did"}, {"做过"}},
    {Keyword::kEver, {"ever"}, {"曾经"}},
    {Keyword::kCount, {"count"}, {"次数"}},
    {Keyword::kSum, {"sum"}, {"总和"}},
    {Keyword::kAverage, {"avg"}, {"平均", "平均值"}},
    {Keyword::kMin, {"min"}, {"最小", "最小值"}},
    {Keyword::kMax, {"max"}, {"最大", "最大值"}},
    {Keyword::kDistinct, {"distinct"}, {"去重数"}},
    {Keyword::kTop, {"top"}, {"最常见"}},
    {Keyword::kFirst, {"first"}, {"首次", "第一次"}},
    {Keyword::kLast, {"last"}, {"末次", "最后一次"}},
    {Keyword::kNth, {"nth"}, {"第几次"}},
    {Keyword::kShare, {"share"}, {"占比"}},
    {Keyword::kActiveDays, {"active_days"}, {"活跃天数"}},
    {Keyword::kInterval, {"interval"}, {"平均间隔"}},
    {Keyword::kDaysSince, {"days_since"}, {"距今天数"}},
    {Keyword::kAge, {"age"}, {"年龄"}},
    {Keyword::kBand, {"band"}, {"分档"}},
    {Keyword::kBelow, {"below"}, {"低于"}},
    {Keyword::kSequence, {"sequence"}, {"序列", "依次"}},
    {Keyword::kStage, {"stage"}, {"阶段"}},
    {Keyword::kThen, {"then"}, {"然后", "随后"}},
    {Keyword::kBy, {"by"}, {"按"}},
    {Keyword::kLastWindow, {"last"}, {"最近", "近", "过去"}},
    {Keyword::kYesterday, {"yesterday"}, {"昨天", "昨日"}},
    {Keyword::kThisYear, {"this year"}, {"本年", "今年"}},
    {Keyword::kPreviousYear, {"previous year"}, {"上年", "去年", "上一年"}},
    {Keyword::kThis, {"this"}, {"本", "这个"}},
    {Keyword::kPrevious, {"previous"}, {"上", "上个"}},
    {Keyword::kSince, {"since"}, {"自", "自从"}},
    {Keyword::kSecond, {"seconds", "second"}, {"秒"}},
    {Keyword::kMinute, {"minutes", "minute"}, {"分钟"}},
    {Keyword::kHour, {"hours", "hour"}, {"小时", "个小时"}},
    {Keyword::kDay, {"days", "day"}, {"天", "日"}},
    {Keyword::kWeek, {"weeks", "week"}, {"周", "个星期"}},
    {Keyword::kMonth, {"months", "month"}, {"个月", "月"}},
    {Keyword::kQuarter, {"quarters", "quarter"}, {"个季度", "季度"}},
    {Keyword::kYear, {"years", "year"}, {"年"}},
    {Keyword::kPercentile, {"percentile"}, {"百分位"}},
    {Keyword::kRfm, {"rfm"}, {"价值分"}},
    {Keyword::kSql, {"sql"}, {"SQL"}},
    {Keyword::kEvery, {"every"}, {"每"}},
    {Keyword::kCheck, {"check"}, {"对照"}},
    {Keyword::kFrom, {"from"}, {"来自"}},
    {Keyword::kAgrees, {"agrees with"}, {"符合"}},
    {Keyword::kAtLeast, {"at least"}, {"至少"}},
    {Keyword::kListed, {"list"}, {"名单"}},
};

inline constexpr const KeywordRow& row_of(Keyword keyword) { return kKeywords[static_cast<size_t>(keyword)]; }
std::string_view spelling(Keyword keyword, Language language);
Keyword keyword_of(Unit unit);

// Whether a word is one of them by itself; "starts" is none.
bool is_keyword(std::string_view word);
// All of one word, of both languages: what somebody may have meant.
const std::vector<std::string>& keyword_words();

// A word that is made of Chinese keywords and numbers alone as its parts, from the longest on: 最近30天 →
// 最近, 30, 天; 大于1万 → 大于, 1万. Empty when it is not, or one keyword by itself.
std::vector<std::string_view> joined_keywords(std::string_view word);

}  // namespace kehu::notation
