#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "duck/database.h"
#include "interpreter/test_random_histories.h"
#include "query/test_rule_tables.h"
#include "rule/test_random_rules.h"
#include "rule/tree_json.h"
#include "translation/tagged.h"

// The SQL of random rules over random histories gives what the interpreter gives.
namespace kehu::translation {
namespace {

using interpreter::RandomHistory;
using query::RuleTables;

constexpr size_t kCustomers = 200;
constexpr int kRules = 20;

void add_customers(const RandomHistory& history, RuleTables& tables) {
  std::string rows;
  for (size_t i = 0; i < kCustomers; ++i) {
    const interpreter::PlainFacts& facts = history.facts_of(i);
    std::string segments, tags;
    for (const std::string& segment : facts.segments) segments += cat(segments.empty() ? "" : ",", duck::quote(segment));
    for (const auto& [name, value] : facts.tags) {
      tags += cat(tags.empty() ? "" : ",", duck::quote(name), ":", duck::quote(*tagged(value)));
    }
    rows += cat(i == 0 ? "" : ",", "('", i, "',", duck::quote(facts.traits), ",[", segments, "],MAP {", tags, "})");
  }
  tables.add_customers(rows);
}

void add_events(const RandomHistory& history, RuleTables& tables) {
  std::string rows;
  for (const interpreter::RandomArrival& arrival : history.arrivals()) {
    const Event& event = arrival.event;
    rows += cat(rows.empty() ? "" : ",", "('", arrival.customer, "',", duck::quote(format_utc(event.time)), ",",
                duck::quote(to_string(event.type)), ",", duck::quote(event.name), ",", duck::quote(to_string(event.channel)), ",",
                duck::quote(history.facts_of(0).source_name(event.source)), ",", duck::quote(event.properties), ")");
  }
  if (!rows.empty()) tables.add_events(rows);
}

std::optional<std::string> expected(const rule::Node& rule, const RandomHistory& history, size_t customer,
                                    Answer answer) {
  const rule::Value value =
      interpreter::evaluate(rule, history.events_of(customer), history.facts_of(customer), history.moment());
  if (answer == Answer::kTruth) return rule::as_bool(value).value_or(false) ? "true" : "false";
  return tagged(value);
}

struct Tally {
  int differences = 0;
  int answers = 0;
  int known = 0;  // of values
  int yes = 0;    // of conditions
};

// How many customers have another answer.
void compare(const rule::Node& rule, Answer answer, const RandomHistory& history,
             RuleTables& tables, Tally& tally) {
  const interpreter::Moment& moment = history.moment();
  Question question;
  question.now = moment.now;
  question.zone = moment.zone;
  question.answer = answer;
  const auto given = tables.ask(rule, question);
  EXPECT_EQ(given.size(), kCustomers);
  for (const auto& [customer, value] : given) {
    const size_t number = std::stoul(customer);
    const auto want = expected(rule, history, number, answer);
    ++tally.answers;
    tally.yes += answer == Answer::kTruth && want == "true";
    tally.known += answer != Answer::kTruth && want.has_value();
    if (value == want || tally.differences++ > 0) continue;
    std::string events;
    for (const Event& event : history.events_of(number)) {
      events += cat(format_utc(event.time), " ", event.name, " ", event.properties, "\n");
    }
    ADD_FAILURE() << "customer " << customer << ": " << value.value_or("unknown") << " instead of "
                  << want.value_or("unknown") << "\nnow " << format_utc(moment.now) << " in " << moment.zone.name() << "\n"
                  << *translate(rule, question) << "\n"
                  << events << history.facts_of(number).traits;
  }
}

TEST(RandomRules, SqlGivesWhatTheInterpreterGives) {
  const char* given = std::getenv("KEHU_SEED");
  const uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  std::cout << "KEHU_SEED=" << seed << std::endl;
  rule::RandomRuleWorld rule_world;
  interpreter::RandomHistoryWorld history_world;
  rule_world.segments = history_world.segments = {"vips", "sleepers"};
  rule_world.tags = history_world.tags = {"stage", "taste"};
  history_world.customers = kCustomers;
  history_world.events_most = 12 * kCustomers;
  Tally tally;
  for (int round = 0; round < rounds(10, 1000) && tally.differences == 0; ++round) {
    const uint64_t round_seed = seed + static_cast<uint64_t>(round);
    const RandomHistory history(round_seed, history_world);
    RuleTables tables;
    add_customers(history, tables);
    add_events(history, tables);
    rule::RandomRules rules(round_seed, rule_world);
    for (int i = 0; i < kRules; ++i) {
      const bool segment = i % 2 == 0;
      compare(segment ? rules.segment("x").body : rules.tag("x").body,
                              segment ? Answer::kTruth : Answer::kTagged, history, tables,
              tally);
    }
    EXPECT_EQ(tally.differences, 0) << "KEHU_SEED=" << round_seed;
  }
  std::cout << tally.answers << " answers, " << tally.yes << " yes, " << tally.known << " known" << std::endl;
  EXPECT_GT(tally.yes, tally.answers / 10);
  EXPECT_GT(tally.known, tally.answers / 10);
}

}  // namespace
}  // namespace kehu::translation
