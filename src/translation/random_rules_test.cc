#include <gtest/gtest.h>

#include "base/test_rounds.h"
#include "duck/database.h"
#include "interpreter/test_random_histories.h"
#include "query/test_rule_tables.h"
#include "rule/test_random_rules.h"
#include "rule/tree_json.h"
#include "tally/folder.h"
#include "translation/granules.h"
#include "translation/tagged.h"

// The SQL of random rules over random histories gives what the interpreter gives.
namespace kehu::translation {
namespace {

using interpreter::RandomHistory;
using query::RuleTables;

constexpr int kRules = 20;

void add_customers(const RandomHistory& history, size_t count, RuleTables& tables) {
  std::string rows;
  for (size_t i = 0; i < count; ++i) {
    const interpreter::PlainFacts& facts = history.facts_of(i);
    std::string segments, tags;
    for (const std::string& segment : facts.segments)
      segments += cat(segments.empty() ? "" : ",", sql_literal(segment));
    for (const auto& [name, value] : facts.tags) {
      tags += cat(tags.empty() ? "" : ",", sql_literal(name), ":", sql_literal(*tagged(value)));
    }
    std::string origins;
    for (const auto& [trait, origin] : facts.origins) {
      origins += cat(origins.empty() ? "" : ",", "\"", trait, "\":{\"time\":\"", origin.time.micros(),
                     "\",\"source\":\"", origin.source, "\"}");
    }
    rows += cat(i == 0 ? "" : ",", "('", i, "',", sql_literal(facts.traits), ",",
                sql_literal(cat("{", origins, "}")), ",[", segments, "],MAP {", tags, "})");
  }
  tables.add_customers(rows);
}

void add_events(const RandomHistory& history, RuleTables& tables) {
  std::string rows;
  for (const interpreter::RandomArrival& arrival : history.arrivals()) {
    const Event& event = arrival.event;
    rows += cat(rows.empty() ? "" : ",", "('", arrival.customer, "',", sql_literal(format_utc(event.time)),
                ",", sql_literal(to_string(event.type)), ",", sql_literal(event.name), ",",
                sql_literal(to_string(event.channel)), ",",
                sql_literal(history.facts_of(0).source_name(event.source)), ",",
                sql_literal(event.properties), ")");
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
void compare(const rule::Node& rule, Answer answer, const RandomHistory& history, RuleTables& tables,
             Tally& tally) {
  const interpreter::Moment& moment = history.moment();
  Question question;
  question.now = moment.now;
  question.zone = moment.zone;
  question.answer = answer;
  question.cuts = [&](std::string_view key) { return history.facts_of(0).cuts(key); };
  question.lists = history.lists();
  const auto given = tables.ask(rule, question);
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
                  << want.value_or("unknown") << "\nnow " << format_utc(moment.now) << " in "
                  << moment.zone.name() << "\n"
                  << *translate(rule, question) << "\n"
                  << events << history.facts_of(number).traits;
  }
}

uint64_t seed_of_run() {
  const char* given = std::getenv("KEHU_SEED");
  const uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device()();
  std::cout << "KEHU_SEED=" << seed << std::endl;
  return seed;
}

struct Worlds {
  rule::RandomRuleWorld rules;
  interpreter::RandomHistoryWorld history;
};

Worlds usual_worlds() {
  Worlds worlds;
  worlds.rules.segments = worlds.history.segments = {"vips", "sleepers"};
  worlds.rules.tags = worlds.history.tags = {"stage", "taste"};
  worlds.rules.lists = worlds.history.lists = {"vip", "名单"};
  worlds.history.customers = 200;
  worlds.history.events_most = 12 * worlds.history.customers;
  return worlds;
}

// One history, and random rules about it.
void run_round(uint64_t seed, const Worlds& worlds, Tally& tally) {
  const RandomHistory history(seed, worlds.history);
  RuleTables tables;
  add_customers(history, worlds.history.customers, tables);
  add_events(history, tables);
  rule::RandomRules rules(seed, worlds.rules);
  for (int i = 0; i < kRules; ++i) {
    const bool segment = i % 2 == 0;
    compare(segment ? rules.segment("x").body : rules.tag("x").body,
            segment ? Answer::kTruth : Answer::kTagged, history, tables, tally);
  }
  EXPECT_EQ(tally.differences, 0) << "KEHU_SEED=" << seed;
}

void run_rounds(int count, const Worlds& worlds) {
  const uint64_t seed = seed_of_run();
  Tally tally;
  for (int round = 0; round < count && tally.differences == 0; ++round) {
    run_round(seed + static_cast<uint64_t>(round), worlds, tally);
  }
  std::cout << tally.answers << " answers, " << tally.yes << " yes, " << tally.known << " known" << std::endl;
  EXPECT_GT(tally.yes, tally.answers / 20);
  EXPECT_GT(tally.known, tally.answers / 20);
}

TEST(RandomRules, SqlGivesWhatTheInterpreterGives) { run_rounds(rounds(10, 600), usual_worlds()); }

// Many events of a customer, and many of one time.
TEST(RandomRules, CrowdedHistories) {
  Worlds worlds = usual_worlds();
  worlds.history.customers = 8;
  worlds.history.events_most = 800;
  worlds.history.days_back = worlds.rules.last_days = 3;
  run_rounds(rounds(10, 600), worlds);
}

// More different texts than distinct and top remember.
TEST(RandomRules, Samples) {
  Worlds worlds = usual_worlds();
  worlds.history.customers = 2;
  worlds.history.events_most = 3000;
  worlds.history.events = worlds.rules.events = {"Product Viewed"};
  worlds.history.properties = worlds.rules.properties = {"category", "products[].price"};
  for (int i = 0; i < 1500; ++i) worlds.history.texts.push_back(cat("text ", i));
  const uint64_t seed = seed_of_run();
  Tally tally;
  int beyond = 0;
  // Few samples go beyond 256 texts, so it goes on until one does.
  for (int round = 0; (round < rounds(6, 200) || (beyond == 0 && round < 200)) && tally.differences == 0;
       ++round) {
    const uint64_t round_seed = seed + static_cast<uint64_t>(round);
    const RandomHistory history(round_seed, worlds.history);
    RuleTables tables;
    add_customers(history, worlds.history.customers, tables);
    add_events(history, tables);
    rule::RandomRules rules(round_seed, worlds.rules);
    for (int i = 0; i < kRules; ++i) {
      rule::Node rule{.op = i % 2 == 0 ? rule::Op::kDistinct : rule::Op::kTop};
      if (rule.op == rule::Op::kTop && rules.chance(2)) {
        rule.op = rule::Op::kTopN;
        rule.number = Decimal::from_units(static_cast<int64_t>(2 + rules.below(9)) * Decimal::kScale);
      }
      rule.text = worlds.rules.properties[rules.below(2)];
      rule.of = {rules.events()};
      rule.window = i % 4 < 2 ? rules.window() : rule::Window();
      compare(rule, Answer::kTagged, history, tables, tally);
      const auto count = expected(rule, history, 0, Answer::kText);
      beyond += rule.op == rule::Op::kDistinct && std::stoi(*count) > 256;
    }
    EXPECT_EQ(tally.differences, 0) << "KEHU_SEED=" << round_seed;
  }
  EXPECT_GT(beyond, 0);
}

// Other segments and tags, each in a zone of its own, which name those before them.
struct Definitions {
  std::vector<rule::Definition> all;
  std::vector<BusinessZone> zones;

  std::optional<Definition> find(rule::Kind kind, std::string_view name) const {
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].kind == kind && all[i].name == name) return Definition{&all[i].body, zones[i]};
    }
    return std::nullopt;
  }

  // A customer's facts with their answers.
  interpreter::PlainFacts answered(const RandomHistory& history, size_t customer) const {
    interpreter::PlainFacts facts = history.facts_of(customer);
    const std::vector<Event> events = history.events_of(customer);
    for (size_t i = 0; i < all.size(); ++i) {
      const rule::Value value =
          interpreter::evaluate(all[i].body, events, facts, {history.moment().now, zones[i]});
      if (all[i].kind == rule::Kind::kTag) {
        facts.tags[all[i].name] = value;
      } else if (rule::as_bool(value).value_or(false)) {
        facts.segments.insert(all[i].name);
      }
    }
    return facts;
  }
};

Definitions random_definitions(uint64_t seed, rule::RandomRuleWorld& world) {
  Definitions out;
  const char* zones[] = {"Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC"};
  for (uint64_t i = 0; i < 4; ++i) {
    rule::RandomRules rules(seed + i, world);
    const std::string name = cat("d", i);
    out.all.push_back(i % 2 == 0 ? rules.segment(name) : rules.tag(name));
    out.zones.push_back(*BusinessZone::load(zones[i]));
    (i % 2 == 0 ? world.segments : world.tags).push_back(name);
  }
  return out;
}

TEST(RandomRules, OtherDefinitionsInPlace) {
  const uint64_t seed = seed_of_run();
  for (int round = 0; round < rounds(10, 600) && !testing::Test::HasFailure(); ++round) {
    Worlds worlds;
    worlds.history.customers = 50;
    worlds.history.events_most = 600;
    const uint64_t round_seed = seed + static_cast<uint64_t>(round);
    const RandomHistory history(round_seed, worlds.history);
    RuleTables tables;
    add_customers(history, worlds.history.customers, tables);
    add_events(history, tables);
    const Definitions definitions = random_definitions(round_seed, worlds.rules);
    worlds.rules.functions = false;  // the more about other definitions
    rule::RandomRules rules(round_seed, worlds.rules);
    Question question;
    question.now = history.moment().now;
    question.zone = history.moment().zone;
    question.definition = [&](rule::Kind kind, std::string_view name) {
      return definitions.find(kind, name);
    };
    question.cuts = [&](std::string_view key) { return history.facts_of(0).cuts(key); };
    question.lists = history.lists();
    for (int i = 0; i < kRules; ++i) {
      const rule::Node rule = rules.condition();
      for (const auto& [customer, value] : tables.ask(rule, question)) {
        const size_t number = std::stoul(customer);
        const rule::Value want = interpreter::evaluate(
            rule, history.events_of(number), definitions.answered(history, number), history.moment());
        EXPECT_EQ(value, rule::as_bool(want).value_or(false) ? "true" : "false")
            << "KEHU_SEED=" << round_seed << ", customer " << customer << "\n"
            << *translate(rule, question);
      }
    }
  }
}

void collect_amounts(const rule::Node& rule, const BusinessZone& zone, tally::Specs& specs) {
  if (!rule::is_aggregate(rule.op)) {
    for (const rule::Node& child : rule.of) collect_amounts(child, zone, specs);
    return;
  }
  for (const tally::Spec& spec : tally::specs_of(rule, zone.name())) {
    if (spec.kind != tally::Kind::kAmounts) continue;
    specs.emplace_back(tally::TallyId(static_cast<uint32_t>(specs.size()) + 1), spec);
  }
}

// What DuckDB has counted, as tallies of each part.
std::map<std::string, std::string> counted_by_sql(const tally::Specs& specs, RuleTables& tables) {
  std::map<std::string, std::unique_ptr<tally::PartCounter>> parts;
  for (size_t which = 0; which < specs.size(); ++which) {
    const tally::Spec& spec = specs[which].second;
    const auto sql = translate(Counting{.events = spec.events,
                                        .path = spec.path,
                                        .period = spec.period,
                                        .granule = spec.granule,
                                        .zone = *BusinessZone::load(spec.zone)},
                               "(SELECT *, customer_id AS part FROM events)");
    EXPECT_TRUE(sql.ok()) << sql.status();
    for (const auto& row : tables.rows(*sql, 8)) {
      auto& counter = parts[row[0]];
      if (counter == nullptr) counter = std::make_unique<tally::PartCounter>(tally::Specs(), specs);
      counter->add(which, std::stoll(row[1]),
                   {.count = std::stoull(row[2]),
                    .sum = std::stoll(row[3]),
                    .min = std::stoll(row[4]),
                    .max = std::stoll(row[5]),
                    .first = Instant(std::stoll(row[6])),
                    .last = Instant(std::stoll(row[7]))});
    }
  }
  std::map<std::string, std::string> out;
  for (const auto& [part, counter] : parts) out[part] = std::string(*counter->tallies());
  return out;
}

TEST(Counting, DuckDbCountsWhatIsCountedOneByOne) {
  const uint64_t seed = seed_of_run();
  size_t compared = 0;
  for (int round = 0; round < rounds(20, 1'000) && !testing::Test::HasFailure(); ++round) {
    const uint64_t round_seed = seed + static_cast<uint64_t>(round);
    Worlds worlds = usual_worlds();
    worlds.history.customers = 20;
    worlds.history.events_most = 400;
    const RandomHistory history(round_seed, worlds.history);
    RuleTables tables;
    add_events(history, tables);
    rule::RandomRules rules(round_seed, worlds.rules);
    for (int i = 0; i < kRules; ++i) {
      const rule::Node rule = rules.segment("x").body;
      tally::Specs specs;
      collect_amounts(rule, history.moment().zone, specs);
      auto by_sql = counted_by_sql(specs, tables);
      for (size_t customer = 0; customer < worlds.history.customers; ++customer) {
        tally::PartCounter counter(specs);
        for (const Event& event : history.events_of(customer)) {
          ASSERT_TRUE(counter.add(event, history.facts_of(0).source_name(event.source)).ok());
        }
        const std::string one_by_one(*counter.tallies());
        ASSERT_EQ(by_sql[cat(customer)], one_by_one)
            << "KEHU_SEED=" << round_seed << ", customer " << customer << "\n"
            << rule::to_json(rule);
        compared += one_by_one.empty() ? 0 : 1;
      }
    }
  }
  EXPECT_GT(compared, static_cast<size_t>(rounds(20, 1'000)) * 50) << "as many as show something";
}

}  // namespace
}  // namespace kehu::translation
