#include <gmock/gmock.h>

#include <algorithm>

#include "base/text.h"
#include "interpreter/interpreter.h"
#include "interpreter/test_question.h"
#include "interpreter/test_random_histories.h"
#include "notation/parse.h"
#include "rule/check.h"

namespace kehu::interpreter {
namespace {

// Takes what stands in front of a mark, or everything.
std::string_view take(std::string_view& text, std::string_view mark) {
  const size_t end = text.find(mark);
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + mark.size());
  return out;
}

Instant instant(std::string_view text, const BusinessZone& zone) {
  const auto time = rule::as_instant(rule::Value::of(text), zone);
  EXPECT_TRUE(time) << text;
  return time.value_or(Instant());
}

Event event_of(std::string_view text, const BusinessZone& zone) {
  Event event;
  event.time = event.received_at = event.original_time = instant(take(text, " "), zone);
  const size_t brace = std::min(text.find(" {"), text.size());
  std::string_view what = text.substr(0, brace);
  if (what.starts_with("page:")) {
    event.type = EventType::kPage;
    what.remove_prefix(5);
  }
  const std::string_view source = what.find('#') == what.npos ? "1" : what.substr(what.find('#') + 1);
  event.source = SourceId(static_cast<uint32_t>(source[0] - '0'));
  what = what.substr(0, what.find('#'));
  event.name = take(what, "@");
  const ChannelReading channel = read_channel(what);
  event.channel = channel.other.empty() ? ChannelName(channel.channel) : ChannelName(what);
  event.properties = brace == text.size() ? std::string_view("{}") : text.substr(brace + 1);
  event.traits = event.context = "{}";
  return event;
}

}  // namespace

std::string answer(const rule::Node& tree, const Question& question) {
  const BusinessZone zone = *BusinessZone::load(question.zone);
  std::vector<Event> events;
  for (const std::string_view text : question.events) events.push_back(event_of(text, zone));
  PlainFacts facts;
  facts.traits = std::string(question.traits);
  facts.segments = {"blocked"};
  facts.tags = {{"level", rule::Value::of(std::string_view("gold"))}};
  facts.origins["city"] = {instant("2026-03-01T09:00:00", zone), "crm"};
  facts.tags["偏好三类"] = rule::Value::list_of_json(question.tag);
  const rule::Value value = evaluate(tree, events, facts, {instant(question.now, zone), zone});
  return rule::as_text(value, zone).value_or("unknown");
}

std::string answer(const Question& question) {
  rule::Definition definition{.kind = rule::Kind::kTag, .name = "question"};
  auto problem = notation::parse_expression(question.rule, definition.body);
  if (!problem) problem = rule::check(definition, {});
  if (problem) {
    return cat("line ", problem->place.line, ", column ", problem->place.column, ": ", problem->message);
  }
  return answer(definition.body, question);
}

TEST(Question, OnlyWhatARuleMaySay) {
  EXPECT_THAT(answer({.name = "", .rule = "count(\"A\" >= 3"}), testing::StartsWith("line 1, column "));
  EXPECT_THAT(answer({.name = "", .rule = "now + now"}), testing::StartsWith("line 1, column "));
}

}  // namespace kehu::interpreter
