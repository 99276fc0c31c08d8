#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "base/test_rounds.h"
#include "notation/format.h"
#include "notation/parse.h"
#include "rule/check.h"
#include "rule/test_random_rules.h"
#include "shard/test_rules_world.h"

// Whatever happens to a project, what its customers are by its rules is what the interpreter says of their
// events: events that come late, customers that become one and part again, rules that come, change and go,
// time that stands still for a day, restarts, and back-fills that are cut into pieces.
namespace kehu::shard {
namespace {

using membership::RuleVersion;
using rule::Kind;
using rule::Value;

uint64_t first_seed() {
  const char* given = std::getenv("KEHU_SEED");
  return given == nullptr ? std::random_device()() : std::strtoull(given, nullptr, 10);
}

std::string shown(const Value& value) {
  if (!value.known()) return "unknown";
  return cat(static_cast<int>(value.kind), ":", rule::as_text(value, BusinessZone()).value_or("?"));
}

class Story {
 public:
  explicit Story(uint64_t seed)
      : history_(seed, {.events_most = 60, .days_back = 60}),
        random_(seed ^ 0x9e3779b97f4a7c15),
        names_(names()) {
    rules_.resize(names_.size());
  }

  void run() {
    begin();
    for (const interpreter::RandomArrival& arrival : history_.arrivals()) {
      if (failed()) return;
      something();
      event(arrival.event);
    }
    for (int i = 0; i < 6 && !failed(); ++i) {
      now_ =
          now_ + Duration(static_cast<int64_t>(random_() % (chance(2) ? 90'000'000'000 : 3'000'000'000'000)));
      something();
      tick();
      compare();
    }
    while (!failed() && backfill()) continue;
    if (failed()) return;
    EXPECT_EQ(runner_.shard().registry().next_round().kind, BackfillRound::kNone);
    compare();
    restart();
    compare();
    if (!failed()) replay();
  }
  size_t pairs() const { return pairs_.size(); }
  size_t timed_changes() const { return timed_changes_; }
  size_t compared() const { return compared_; }
  size_t came_into_force() const { return came_into_force_; }

 private:
  struct Name {
    Kind kind;
    std::string name;
  };
  // Each may name those before it.
  static std::vector<Name> names() {
    return {{Kind::kTag, "t0"},     {Kind::kSegment, "s0"}, {Kind::kSegment, "s1"}, {Kind::kTag, "t1"},
            {Kind::kSegment, "s2"}, {Kind::kTag, "t2"},     {Kind::kSegment, "s3"}};
  }
  static bool failed() { return testing::Test::HasFailure(); }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool chance(uint32_t n) { return below(n) == 0; }

  // Another upload of a list, or none any more.
  void upload() {
    const std::string name = cat("l", below(2));
    if (chance(5)) {
      lists_.erase(name);
    } else {
      lists_[name] = {.trait = cat(list::kTraitPrefix, name, "/", 1 + below(2)),
                      .nonce = chance(2) ? "a1" : "b2"};
    }
    append_definitions();
  }

  // Before the first event, too, some definitions come and are changed.
  void begin() {
    now_ = history_.arrivals().empty() ? history_.moment().now : history_.arrivals()[0].event.received_at;
    tokens_ = {{"user_id", "u0"}, {"user_id", "u1"},      {"phone", "p0"},        {"phone", "p1"},
               {"email", "e0"},   {"anonymous_id", "a0"}, {"anonymous_id", "a1"}, {"anonymous_id", "a2"}};
    for (uint32_t i = below(4); i > 0; --i) define();
  }

  // One or two things beside events.
  void something() {
    for (uint32_t i = below(3); i > 0 && !failed(); --i) {
      switch (below(11)) {
        case 0:
          define();
          break;
        case 1:
          merge();
          break;
        case 2:
          unmerge();
          break;
        case 3:
          if (chance(3)) restart();
          break;
        case 4:
        case 5:
          backfill();
          break;
        case 6:
          tick();
          break;
        case 7:
          measure();
          break;
        case 8:
          upload();
          break;
        default:
          compare();
      }
    }
  }

  Identifier identifier(size_t index) {
    const auto& [type, value] = tokens_[index];
    const auto id = rules_settings()->find_type(type);
    return {.type = *id, .token = Token{hash128(value, id->value())}, .value = value};
  }

  void event(Event event) {
    now_ = std::max(now_, event.received_at);
    if (chance(2)) tick();
    std::vector<size_t> whose = {below(static_cast<uint32_t>(tokens_.size()))};
    if (chance(5)) whose.push_back(below(static_cast<uint32_t>(tokens_.size())));
    std::ranges::sort(whose);
    whose.erase(std::unique(whose.begin(), whose.end()), whose.end());
    std::vector<Identifier> identifiers;
    for (const size_t index : whose) identifiers.push_back(identifier(index));
    event.identifiers = identifiers;
    const std::string traits = chance(4) ? random_traits() : "{}";
    event.traits = traits;
    Stored record{.kind = RecordKind::kEvent, .tick = now_};
    codec::append_event(event, record.payload);
    append(std::move(record));
  }
  std::string random_traits() {
    static constexpr std::string_view kTraits[] = {R"({"city":"a"})",
                                                   R"({"city":"北京","vip":true})",
                                                   R"({"vip":false})",
                                                   R"({"vip":3})",
                                                   R"({"birthday":"2000-02-29"})",
                                                   R"({"birthday":"1999-04-01"})",
                                                   R"({"city":"12.5"})",
                                                   R"({"city":null})",
                                                   R"({"city":["a",12.5,true,"北京"]})",
                                                   R"({"vip":[3,null,{"a":1},[true]]})",
                                                   R"({"list:l0/1":{"upload":"a1","text":"a"}})",
                                                   R"({"list:l0/2":{"upload":"a1","text":"12.5"}})",
                                                   R"({"list:l0/1":{"upload":"b2","text":null}})",
                                                   R"({"list:l1/1":{"upload":"a1","text":null}})",
                                                   R"({"list:l1/2":{"upload":"b2","text":"北京"}})"};
    return std::string(kTraits[below(std::size(kTraits))]);
  }

  void tick() {
    Stored record{.kind = RecordKind::kTick, .tick = now_};
    codec::append_tick({.time = now_}, record.payload);
    append(std::move(record));
  }

  void merge() {
    std::string payload;
    codec::append_merge({.winner = identifier(below(8)).token,
                         .loser = identifier(below(8)).token,
                         .reason = "same",
                         .actor = "t"},
                        payload);
    append({.kind = RecordKind::kMerge, .payload = std::move(payload), .tick = now_});
  }

  void unmerge() {
    const auto customer = runner_.shard().identities().customer_of(identifier(below(8)).token);
    if (!customer) return;
    const auto links = runner_.shard().identities().links(*customer);
    if (links.empty()) return;
    std::string payload;
    codec::append_unmerge({.link = links[below(static_cast<uint32_t>(links.size()))].sequence,
                           .customer = *customer,
                           .reason = "not",
                           .actor = "t"},
                          payload);
    append({.kind = RecordKind::kUnmerge, .payload = std::move(payload), .tick = now_});
  }

  // A number that rules ask for, or asked for once; or a statement.
  void measure() {
    for (const Shard::MeasureJob& job : runner_.shard().measure_jobs())
      measured_.insert_or_assign(job.key, job);
    if (measured_.empty()) return;
    const auto at = std::next(measured_.begin(), below(static_cast<uint32_t>(measured_.size())));
    const Shard::MeasureJob& job = at->second;
    const bool asked = !runner_.shard().rules().measuring(job.key).empty();
    if (!job.tag.empty()) return run_statement(job, asked);
    rule::Cuts cuts;
    const uint32_t most = chance(2) ? 4 : 40;
    for (size_t i = 0; !chance(100) && i < rule::kCuts; ++i) {
      cuts.push_back((Sum{below(most)} - most / 4) * Decimal::kScale);
    }
    if (cuts.size() < rule::kCuts) cuts.clear();
    std::ranges::sort(cuts);
    append(measurement_record(job.key, cuts, now_));
    const auto* known = runner_.shard().measurements().cuts(job.key);
    ASSERT_EQ(known != nullptr, asked) << job.key;
    if (known != nullptr) {
      EXPECT_EQ(known->cuts, cuts) << job.key;
    }
  }
  // Of some customers, and of one who never was.
  void run_statement(const Shard::MeasureJob& job, bool asked) {
    std::vector<BatchResult> results;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const auto customer = runner_.shard().identities().customer_of(identifier(i).token);
      if (!customer || !runner_.shard().batch_value(*customer, job.rule).ok() || chance(2)) continue;
      results.push_back({*customer, random_result()});
    }
    results.push_back({CustomerId{Hash128{1, 2}}, random_result()});
    const bool last = !chance(3);
    append(values_record(job.key, results, last, now_));
    if (!asked || failed()) return;
    std::map<CustomerId, Value> found;
    for (const BatchResult& result : results) {
      if (result.value.known() || !job.keep_when_empty) found[result.customer] = result.value;
    }
    for (const auto& [customer, value] : found) {
      const auto has = runner_.shard().batch_value(customer, job.rule);
      EXPECT_EQ(has.ok() ? shown(*has) : shown(value), shown(value)) << job.tag;
    }
    if (!last) return;
    EXPECT_EQ(runner_.shard().measurements().run(job.key)->taken->as_of, now_);
  }
  Value random_result() {
    static constexpr std::string_view kTexts[] = {"a", "b", "12.5", "北京"};
    if (chance(4)) return {};
    return chance(2) ? Value::of(kTexts[below(4)]) : Value::of(Sum{below(3)} * Decimal::kScale);
  }

  void restart() {
    const uint64_t before = runner_.shard().digest();
    const auto rules = rules_in_force();
    runner_.restart();
    EXPECT_EQ(runner_.shard().digest(), before) << "restart behind record " << log_.size();
    EXPECT_EQ(rules_in_force(), rules) << "restart behind record " << log_.size();
  }
  std::set<std::string> rules_in_force() {
    std::set<std::string> all;
    const membership::Plan& plan = runner_.shard().rules();
    for (uint32_t i = 0; i < plan.size(); ++i) {
      const membership::Plan::Rule& rule = plan.at(i);
      const auto named = plan.find(rule.version.definition.kind, rule.version.definition.name);
      all.insert(cat(rule.version.definition.name, " ", rule.version.version.value(), " ", rule.id.value(),
                     named == i ? " found" : "", " ", static_cast<int>(rule.state)));
    }
    return all;
  }

  // Some definitions come, change or go.
  void define() {
    for (size_t i = 0; i < names_.size(); ++i) {
      if (!chance(3)) continue;
      if (rules_[i] && chance(3)) {
        if (!is_named(i)) rules_[i].reset();
      } else {
        rules_[i] = {Sequence(log_.size() + 1), random_definition(i), random_zone()};
      }
    }
    append_definitions();
  }
  void append_definitions() {
    Stored record{.kind = RecordKind::kDefinition, .tick = now_, .lists = lists_};
    for (const auto& rule : rules_) {
      if (rule) record.rules.push_back(*rule);
    }
    append(std::move(record));
  }
  bool is_named(size_t index) const {
    return std::ranges::any_of(rules_, [&](const std::optional<RuleVersion>& other) {
      if (!other) return false;
      const rule::References named = rule::references(other->definition.body);
      const auto& list = names_[index].kind == Kind::kSegment ? named.segments : named.tags;
      return std::ranges::find(list, names_[index].name) != list.end();
    });
  }
  rule::Definition random_definition(size_t index) {
    rule::RandomRuleWorld world;
    world.lists = {"l0", "l1"};
    for (size_t i = 0; i < index; ++i) {
      if (!rules_[i]) continue;
      (names_[i].kind == Kind::kSegment ? world.segments : world.tags).push_back(names_[i].name);
    }
    while (true) {
      rule::RandomRules rules(random_(), world);
      rule::Definition definition = names_[index].kind == Kind::kSegment ? rules.segment(names_[index].name)
                                                                         : rules.tag(names_[index].name);
      if (definition.kind == Kind::kTag && chance(5)) {
        definition.body = {
            .op = rule::Op::kSql, .text = cat("FROM t", below(3)), .span = {1, rule::Unit::kDay}};
      }
      definition.keep_when_empty = definition.kind == Kind::kTag && chance(4);
      if (!rule::check(definition, {})) return definition;
    }
  }
  std::string random_zone() {
    static constexpr std::string_view kZones[] = {"Asia/Shanghai", "America/New_York", "Europe/Berlin",
                                                  "Australia/Lord_Howe"};
    return chance(2) ? history_.moment().zone.name() : std::string(kZones[below(4)]);
  }

  // What the sender sends may be on its way while other things happen, and may come twice.
  bool backfill() {
    if (on_its_way_ && chance(4)) append(*on_its_way_);
    const auto payload = backfill_record(runner_.shard(), oracle_, 1 + below(3));
    if (!payload) return false;
    on_its_way_ = {.kind = RecordKind::kBackfill, .payload = *payload, .tick = now_};
    if (chance(4)) {
      event_between();
      on_its_way_->tick = now_;
    }
    append(*on_its_way_);
    return true;
  }
  void event_between() {
    if (history_.arrivals().empty()) return;
    Event event = history_.arrivals()[below(static_cast<uint32_t>(history_.arrivals().size()))].event;
    if (event.time > now_ + Duration::hours(1)) return;  // no door lets it in
    event.received_at = now_;
    this->event(event);
  }

  void append(Stored stored) {
    if (failed()) return;
    stored.tick = std::max(stored.tick, now_);
    const Sequence sequence(log_.size() + 1);
    log_.push_back(std::move(stored));
    const Stored& record = log_.back();
    runner_.effects().clear();
    const std::set<membership::RuleId> live = live_rules();
    runner_.apply(sequence, record);
    if (failed()) return;
    if (record.kind == RecordKind::kBackfill) expect_ready(live);
    const Effects& effects = runner_.effects();
    // What time did is judged by what was there before the record.
    const bool plain = effects.moves.empty() &&
                       (record.kind != RecordKind::kEvent || effects.events[0].event->traits == "{}");
    if (record.kind == RecordKind::kTick || (record.kind == RecordKind::kEvent && plain))
      judge_moments(record);
    for (const Applied& applied : effects.events) {
      if (!applied.customer.hash.is_zero()) oracle_.add(sequence, applied.part, record.payload);
    }
    for (const MembershipChange& change : effects.memberships) take(change, sequence);
  }

  std::set<membership::RuleId> live_rules() {
    std::set<membership::RuleId> live;
    for (const membership::Registry::Rule& rule : runner_.shard().registry().rules()) {
      if (rule.state == membership::Registry::State::kLive) live.insert(rule.id);
    }
    return live;
  }
  // What has just come into force names only what is in force, and was asked about that.
  void expect_ready(const std::set<membership::RuleId>& before) {
    const membership::Plan& plan = runner_.shard().rules();
    for (const membership::RuleId id : live_rules()) {
      if (before.contains(id)) continue;
      ++came_into_force_;
      EXPECT_EQ(runner_.shard().registry().find(id)->asking_since, Sequence()) << describe(id);
      const auto index = plan.find(id);
      ASSERT_TRUE(index);
      for (const uint32_t named : plan.at(*index).program.rules()) {
        EXPECT_TRUE(plan.at(named).is_live() || plan.at(named).program.is_batch())
            << describe(id) << "\n names " << describe(plan.at(named).id);
      }
    }
  }

  // Each change is one, and says what was before.
  void take(const MembershipChange& change, Sequence sequence) {
    Value& has = stream_[{change.customer, change.change.rule}];
    EXPECT_EQ(change.sequence, sequence);
    EXPECT_EQ(shown(has), shown(change.change.before)) << describe(change.change.rule);
    EXPECT_NE(change.change.before, change.change.after) << describe(change.change.rule);
    EXPECT_LE(change.change.at, now_);
    has = change.change.after;
  }

  // What time alone changed, it changed at this very moment.
  void judge_moments(const Stored& record) {
    Shard& shard = runner_.shard();
    const std::vector<bool> settled = RulesOracle::settled(shard);
    for (const MembershipChange& change : runner_.effects().memberships) {
      const bool by_time = record.kind == RecordKind::kTick || change.change.at < record.tick;
      const auto index = shard.rules().find(change.change.rule);
      if (!by_time || !index || !settled[*index] || keeps(*index)) continue;
      ++timed_changes_;
      const auto at = oracle_.evaluate(shard, change.customer, change.change.at);
      const auto before = oracle_.evaluate(shard, change.customer, change.change.at - Duration(1));
      EXPECT_EQ(shown(at[*index]), shown(change.change.after)) << describe(change.change.rule);
      EXPECT_EQ(shown(before[*index]), shown(change.change.before)) << describe(change.change.rule);
    }
  }
  // Whether the rule, or one that it names, depends on what was before.
  bool keeps(uint32_t index) {
    const membership::Plan::Rule& rule = runner_.shard().rules().at(index);
    return rule.version.definition.keep_when_empty ||
           std::ranges::any_of(rule.program.rules(), [this](uint32_t named) { return keeps(named); });
  }

  void compare() {
    for (int i = 0; i < 20'000 && !failed(); ++i) {
      tick();
      const auto due = runner_.shard().next_due();
      if (!due || *due > now_) break;
      ASSERT_LT(i, 19'999) << "time does not come to an end";
    }
    if (failed()) return;
    Shard& shard = runner_.shard();
    std::set<CustomerId> customers;
    ASSERT_TRUE(shard.for_each_part([&](Token, CustomerId customer) { customers.insert(customer); }).ok());
    const std::vector<bool> settled = RulesOracle::settled(shard);
    std::map<uint32_t, std::set<CustomerId>> listed;
    for (const CustomerId customer : customers) {
      const auto members = shard.members(customer);
      ASSERT_TRUE(members.ok());
      const std::vector<Value> want = oracle_.evaluate(shard, customer, now_);
      for (uint32_t i = 0; i < shard.rules().size(); ++i) {
        const membership::RuleId id = shard.rules().at(i).id;
        const auto* entry = members->find(id);
        const Value has = entry == nullptr ? Value() : entry->value;
        if (entry != nullptr) listed[i].insert(customer);
        if (shard.rules().at(i).is_live()) {
          EXPECT_EQ(shown(has), shown(stream_[{customer, id}])) << "stream; " << describe(id);
        }
        if (!settled[i]) continue;
        ++compared_;
        pairs_.insert({customer, id});
        EXPECT_EQ(shown(has), shown(want[i])) << describe(id);
        if (below(8) > 0) continue;
        const auto why = shard.why(customer, shard.rules().at(i), now_);
        ASSERT_TRUE(why.ok());
        if (!why->empty() && shard.rules().at(i).version.definition.kind == Kind::kSegment) {
          EXPECT_EQ(rule::as_bool(why->front().value).value_or(false), has.known()) << describe(id);
        }
      }
    }
    for (const auto& [key, value] : stream_) {
      const auto index = shard.rules().find(key.second);
      if (!index || customers.contains(key.first)) continue;
      EXPECT_FALSE(value.known()) << "of nobody: " << describe(key.second);
    }
    compare_index(listed);
  }
  void compare_index(std::map<uint32_t, std::set<CustomerId>>& listed) {
    const Shard& shard = runner_.shard();
    for (uint32_t i = 0; i < shard.rules().size(); ++i) {
      const membership::Plan::Rule& rule = shard.rules().at(i);
      if (rule.version.definition.kind != Kind::kSegment || !rule.is_live()) continue;
      EXPECT_EQ(shard.index().size(rule.id), listed[i].size()) << describe(rule.id);
      std::vector<CustomerId> pages;
      uint32_t from = 0;
      do {
        const auto page = shard.index().page(rule.id, from, 1 + below(3));
        pages.insert(pages.end(), page.customers.begin(), page.customers.end());
        from = page.next;
      } while (from != 0);
      EXPECT_EQ(pages.size(), listed[i].size()) << describe(rule.id);
      EXPECT_EQ(std::set<CustomerId>(pages.begin(), pages.end()), listed[i]) << describe(rule.id);
    }
  }

  // The same log, in other pieces.
  void replay() {
    RulesRunner other;
    for (size_t i = 0; i < log_.size() && !failed();) {
      if (log_[i].kind == RecordKind::kDefinition) {
        other.apply(Sequence(i + 1), log_[i]);
        ++i;
        continue;
      }
      std::vector<LogRecord> batch;
      const Instant tick = log_[i].tick;
      for (size_t most = 1 + below(8); most > 0 && i < log_.size(); --most, ++i) {
        if (log_[i].kind == RecordKind::kDefinition || log_[i].tick != tick) break;
        batch.push_back({Sequence(i + 1), log_[i].kind, log_[i].payload});
      }
      other.effects().clear();
      other.apply_all(batch, tick);
      if (chance(20)) other.restart();
    }
    EXPECT_EQ(other.shard().digest(), runner_.shard().digest()) << "replay";
  }

  std::string describe(membership::RuleId id) {
    const auto index = runner_.shard().rules().find(id);
    if (!index) return "a rule that is gone";
    const RuleVersion& version = runner_.shard().rules().at(*index).version;
    return cat(notation::format(version.definition, notation::Language::kEnglish), "\n in ", version.zone,
               " at ", BusinessZone().format(now_), ", record ", log_.size());
  }

  interpreter::RandomHistory history_;
  std::mt19937_64 random_;
  const std::vector<Name> names_;
  std::vector<std::pair<std::string_view, std::string_view>> tokens_;
  std::vector<std::optional<RuleVersion>> rules_;
  list::Standings lists_;
  Instant now_;
  std::deque<Stored> log_;
  RulesRunner runner_;
  RulesOracle oracle_;
  std::optional<Stored> on_its_way_;
  std::map<std::string, Shard::MeasureJob> measured_;  // what rules asked for
  std::map<std::pair<CustomerId, membership::RuleId>, Value> stream_;
  std::set<std::pair<CustomerId, membership::RuleId>> pairs_;
  size_t compared_ = 0;
  size_t timed_changes_ = 0;
  size_t came_into_force_ = 0;  // by back-fills
};

TEST(Rules, MembersAreThoseThatTheInterpreterFinds) {
  const uint64_t seed = first_seed();
  size_t pairs = 0, compared = 0, timed = 0, came = 0;
  for (int i = 0; i < rounds(700, 50'000); ++i) {
    Story story(seed + static_cast<uint64_t>(i));
    story.run();
    pairs += story.pairs();
    compared += story.compared();
    timed += story.timed_changes();
    came += story.came_into_force();
    if (testing::Test::HasFailure())
      FAIL() << "KEHU_SEED=" << seed + static_cast<uint64_t>(i) << " repeats it";
  }
  EXPECT_GT(came, 0u);
  std::printf("%zu pairs of a rule and a history, %zu answers, %zu moments, %zu back-fills of a rule\n",
              pairs, compared, timed, came);
}

// One rule, and customers who do one thing each.
class RulesMoments : public testing::Test {
 protected:
  static constexpr Instant kBegin = Instant::from_seconds(1'780'000'000);

  void define(std::string_view text) {
    std::vector<rule::Definition> read;
    ASSERT_FALSE(notation::parse_file(text, read));
    Stored record{.kind = RecordKind::kDefinition, .tick = now_};
    for (rule::Definition& each : read) record.rules.push_back({next_, std::move(each), "Asia/Shanghai"});
    rules_ = record.rules;
    append(std::move(record));
  }
  void upload(list::Standings lists) {
    append({.kind = RecordKind::kDefinition, .tick = now_, .rules = rules_, .lists = std::move(lists)});
  }
  void event(std::string_view who, std::string_view name, Instant time) {
    const auto type = rules_settings()->find_type("phone");
    const Identifier identifier{.type = *type, .token = token(who), .value = who};
    Event event;
    event.project = ProjectId(1);
    event.source = SourceId(1);
    event.channel = Channel::kWeb;
    event.time = event.original_time = event.received_at = time;
    event.message_key = Hash128{1, next_.value()};
    event.name = name;
    event.properties = event.traits = event.context = "{}";
    event.identifiers = {&identifier, 1};
    Stored record{.kind = RecordKind::kEvent, .tick = now_};
    codec::append_event(event, record.payload);
    append(std::move(record));
  }
  void identify(std::string_view who, uint32_t source, std::string_view traits) {
    const auto type = rules_settings()->find_type("phone");
    const Identifier identifier{.type = *type, .token = token(who), .value = who};
    Event event;
    event.project = ProjectId(1);
    event.source = SourceId(source);
    event.type = EventType::kIdentify;
    event.time = event.original_time = event.received_at = now_ = now_ + Duration::seconds(1);
    event.message_key = Hash128{1, next_.value()};
    event.traits = traits;
    event.properties = event.context = "{}";
    event.identifiers = {&identifier, 1};
    Stored record{.kind = RecordKind::kEvent, .tick = now_};
    codec::append_event(event, record.payload);
    append(std::move(record));
  }
  void tick(Instant now) {
    now_ = now;
    Stored record{.kind = RecordKind::kTick, .tick = now_};
    codec::append_tick({.time = now}, record.payload);
    append(std::move(record));
  }
  void merge(std::string_view winner, std::string_view loser) {
    Stored record{.kind = RecordKind::kMerge, .tick = now_};
    codec::append_merge({.winner = token(winner), .loser = token(loser), .reason = "same", .actor = "t"},
                        record.payload);
    append(std::move(record));
  }
  static Token token(std::string_view who) { return Token{hash128(who, 0)}; }
  static CustomerId customer(std::string_view who) { return CustomerId::named_after(token(who)); }
  void append(Stored record) {
    runner_.effects().clear();
    runner_.apply(next_, record);
    next_ = next_.next();
  }
  // When it entered (true) or left (false) by the last record.
  std::vector<std::pair<Instant, bool>> changes(std::string_view who) {
    std::vector<std::pair<Instant, bool>> out;
    for (const MembershipChange& each : runner_.effects().memberships) {
      if (each.customer == customer(who)) out.emplace_back(each.change.at, each.change.after.known());
    }
    return out;
  }

  // All rounds that are due; who is what then and was not, as "a RULE in".
  std::set<std::string> backfill() {
    std::set<std::string> all;
    while (const auto payload = backfill_record(runner_.shard(), {}, 2)) {
      append({.kind = RecordKind::kBackfill, .payload = *payload, .tick = now_});
      for (const MembershipChange& each : runner_.effects().memberships) {
        const std::string_view in = each.change.after.known() ? " in" : " out";
        for (const char* who : {"a", "b", "c"}) {
          if (each.customer == customer(who)) all.insert(cat(who, " ", each.rule->name, in));
        }
      }
    }
    return all;
  }
  // Segments, and tags with their values.
  std::string members(std::string_view who) {
    std::string all;
    const auto owner = runner_.shard().identities().customer_of(token(who));
    const auto members = runner_.shard().members(*owner);
    for (const auto& entry : members->entries()) {
      const auto& definition =
          runner_.shard().rules().at(*runner_.shard().rules().find(entry.rule)).version.definition;
      all += cat(all.empty() ? "" : " ", definition.name, definition.kind == Kind::kTag ? "=" : "",
                 entry.value.text);
    }
    return all;
  }

  RulesRunner runner_;
  Sequence next_{1};
  Instant now_ = kBegin;
  std::vector<RuleVersion> rules_;
};
using Changes = std::vector<std::pair<Instant, bool>>;

TEST_F(RulesMoments, AnAbsenceIsNoticedAtTheTickThatReachesItOnce) {
  define("segment 加购未支付 = sequence(\"Product Added\" then not \"Order Completed\" within 10 minutes)");
  event("a", "Product Added", kBegin);
  const Instant moment = kBegin + Duration::minutes(10) + Duration::millis(1);
  tick(moment - Duration(1));
  EXPECT_EQ(changes("a"), Changes());
  EXPECT_EQ(runner_.shard().next_due(), moment);
  runner_.restart();
  EXPECT_EQ(runner_.shard().next_due(), moment);
  tick(moment);
  EXPECT_EQ(changes("a"), (Changes{{moment, true}}));
  runner_.restart();
  tick(moment);
  tick(moment + Duration::days(1));
  EXPECT_EQ(changes("a"), Changes()) << "once";
  EXPECT_EQ(runner_.shard().next_due(), std::nullopt);
}

TEST_F(RulesMoments, ADayOfDowntimeChangesNoMoment) {
  define("segment 活跃 = did(\"Signed In\", last 1 hours)\nsegment 沉默 = not in segment 活跃");
  event("a", "Signed In", kBegin);
  runner_.restart();
  tick(kBegin + Duration::days(1));
  const Instant moment(((kBegin.micros() / 60'000'000) + 60) * 60'000'000);
  EXPECT_EQ(changes("a"), (Changes{{moment, false}, {moment, true}}));
}

TEST_F(RulesMoments, APercentileMovesLiveBetweenItsMeasurements) {
  define(
      "segment 前两成 = percentile(count(\"A\")) >= 80\ntag 之外 = case when not in segment 前两成 then "
      "\"外\" end");
  for (int i = 0; i < 3; ++i) event("a", "A", kBegin);
  event("b", "A", kBegin);
  EXPECT_EQ(members("a"), "之外=外") << "nothing is known yet";
  const auto jobs = runner_.shard().measure_jobs();
  ASSERT_EQ(jobs.size(), 1u) << "asked for twice, measured once";
  EXPECT_EQ(jobs[0].last, std::nullopt);
  // Eighty of a hundred customers have done it once, and the others twice.
  rule::Cuts cuts(rule::kCuts, Decimal::kScale);
  for (size_t i = 79; i < rule::kCuts; ++i) cuts[i] = 2 * Decimal::kScale;
  append(measurement_record(jobs[0].key, cuts, now_));
  EXPECT_EQ(runner_.effects().measurements, 1u);
  EXPECT_EQ(runner_.effects().memberships.size(), 0u) << "a round asks, not the record";
  runner_.restart();
  EXPECT_EQ(backfill(), (std::set<std::string>{"a 前两成 in", "a 之外 out"}));
  EXPECT_EQ(runner_.shard().measure_jobs()[0].last->customers, 100u);
  event("b", "A", now_);
  EXPECT_EQ(members("b"), "前两成") << "at once, by the same cuts";
  merge("c", "b");
  EXPECT_EQ(members("b"), "前两成");
}

TEST_F(RulesMoments, NobodyIsAskedWhenNothingIsOtherOrNobodyAsks) {
  define("segment 前 = percentile(count(\"A\")) >= 50");
  event("a", "A", kBegin);
  const std::string key = runner_.shard().measure_jobs()[0].key;
  const rule::Cuts cuts(rule::kCuts, Decimal::kScale);
  append(measurement_record(key, cuts, now_));
  EXPECT_EQ(backfill(), (std::set<std::string>{"a 前 in"}));
  append(measurement_record(key, cuts, now_ + Duration::days(1)));
  EXPECT_EQ(runner_.shard().backfill_job().round.kind, BackfillRound::kNone);
  EXPECT_EQ(runner_.shard().measure_jobs()[0].last->as_of, now_ + Duration::days(1));
  append(measurement_record("another number", cuts, now_));
  EXPECT_EQ(runner_.shard().backfill_job().round.kind, BackfillRound::kNone);
  EXPECT_EQ(runner_.effects().measurements, 0u);
  define("segment 前 = count(\"A\") >= 1");
  backfill();
  EXPECT_EQ(runner_.shard().measurements().cuts(key), nullptr) << "forgotten with the rule";
}

TEST_F(RulesMoments, ANewMeasurementWithinARoundIsAskedInTheNext) {
  define("segment 前 = percentile(count(\"A\")) >= 50");
  for (const char* who : {"a", "b", "c"}) event(who, "A", kBegin);
  const std::string key = runner_.shard().measure_jobs()[0].key;
  append(measurement_record(key, rule::Cuts(rule::kCuts, Decimal::kScale), now_));
  append({.kind = RecordKind::kBackfill, .payload = *backfill_record(runner_.shard(), {}, 2), .tick = now_});
  append(measurement_record(key, rule::Cuts(rule::kCuts, 2 * Decimal::kScale), now_));
  runner_.restart();
  backfill();
  for (const char* who : {"a", "b", "c"}) EXPECT_EQ(members(who), "") << who;
}

TEST_F(RulesMoments, RulesDoNotBelieveASourceThatIsQuarantined) {
  define("segment 北京 = trait.city = \"北京\"\ntag 城市 = trait.city\nsegment 别的 = trait.vip");
  std::vector<rule::Definition> read;
  ASSERT_FALSE(notation::parse_file(
      "check 城市对照 = trait.city from \"crm\" agrees with tag.常用城市 at least 80%", read));
  identify("a", 1, R"({"city":"北京","vip":true})");
  identify("b", 2, R"({"city":"北京","vip":true})");
  runner_.use_checks({{next_, read[0], "Asia/Shanghai"}}, next_);
  const auto jobs = runner_.shard().measure_jobs();
  ASSERT_EQ(jobs.size(), 1u);
  const auto measure = [&](uint64_t agreed) {
    Stored record{.kind = RecordKind::kMeasurement, .tick = now_};
    codec::append_measurement({.kind = MeasurementKind::kAgreement,
                               .key = jobs[0].key,
                               .as_of = now_,
                               .took = {},
                               .customers = 1000,
                               .agreed = agreed},
                              record.payload);
    append(record);
    runner_.restart();
    return backfill();
  };
  EXPECT_EQ(measure(800), std::set<std::string>()) << "they agree";
  EXPECT_EQ(members("b"), "北京 城市=北京 别的");
  EXPECT_EQ(measure(700), (std::set<std::string>{"b 北京 out", "b 城市 out"}));
  EXPECT_EQ(members("a"), "北京 城市=北京 别的") << "of another source";
  EXPECT_EQ(members("b"), "别的") << "another trait";
  const auto* quarantine = runner_.shard().quarantine_of("city", "crm");
  ASSERT_NE(quarantine, nullptr);
  EXPECT_EQ(quarantine->check, "城市对照");
  EXPECT_EQ(quarantine->last.agreed, 700u);
  identify("c", 2, R"({"city":"北京"})");
  EXPECT_EQ(members("c"), "") << "nor who is new";
  identify("b", 1, R"({"city":"上海"})");
  EXPECT_EQ(members("b"), "城市=上海 别的") << "a newer value of another source";
  EXPECT_EQ(measure(820), (std::set<std::string>{"c 北京 in", "c 城市 in"}));
  EXPECT_EQ(measure(1), (std::set<std::string>{"c 北京 out", "c 城市 out"}));
  runner_.use_checks({}, next_);
  EXPECT_EQ(backfill(), (std::set<std::string>{"c 北京 in", "c 城市 in"})) << "no check any more";
  EXPECT_EQ(runner_.shard().measurements().check(jobs[0].key), nullptr);
}

TEST_F(RulesMoments, AnotherUploadOfAListIsAskedAboutAtOnce) {
  define(
      "segment 在 = in list VIP\ntag 值 = list.VIP\nsegment 别的 = trait.vip\ntag 问 = case when in segment "
      "在 then \"是\" else \"否\" end");
  identify("a", 1, R"({"list:VIP/1":{"upload":"a1","text":"金"}})");
  identify("b", 1, R"({"list:VIP/1":{"upload":"a1","text":null},"vip":true})");
  identify("c", 1, R"({"list:VIP/2":{"upload":"b2","text":"3"}})");
  EXPECT_EQ(members("a"), "问=否") << "no upload is in force";
  upload({{"VIP", {.trait = "list:VIP/1", .nonce = "a1"}}});
  EXPECT_EQ(backfill(), (std::set<std::string>{"a 值 in", "a 在 in", "a 问 in", "b 在 in", "b 问 in"}));
  EXPECT_EQ(members("b"), "在 别的 问=是") << "on it without a value";
  identify("d", 1, R"({"list:VIP/1":{"upload":"forged","text":"金"}})");
  EXPECT_EQ(members("d"), "问=否") << "who does not know the nonce puts nobody on a list";
  upload({{"VIP", {.trait = "list:VIP/2", .nonce = "b2"}}});
  runner_.restart();
  backfill();
  EXPECT_EQ(members("a"), "问=否");
  EXPECT_EQ(members("c"), "在 值=3 问=是");
  EXPECT_TRUE(backfill().empty());
  upload(
      {{"VIP", {.trait = "list:VIP/2", .nonce = "b2"}}, {"other", {.trait = "list:other/1", .nonce = "c3"}}});
  EXPECT_EQ(runner_.shard().backfill_job().round.kind, BackfillRound::kNone) << "of another list";
  merge("a", "c");
  EXPECT_EQ(members("a"), "在 值=3 问=是");
}

TEST_F(RulesMoments, AStatementsTagIsInForceBehindItsFirstRun) {
  for (const char* who : {"a", "b", "c"}) event(who, "A", kBegin);
  define("tag 等级 = sql \"SELECT 1\" every day\nsegment 一线 = tag.等级 = \"一线\"");
  EXPECT_EQ(backfill(), std::set<std::string>()) << "nothing to do but for the segment";
  auto jobs = runner_.shard().measure_jobs();
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].last, std::nullopt);
  append(values_record(jobs[0].key, {{customer("a"), Value::of(std::string_view("一线"))}}, false, now_));
  runner_.restart();
  EXPECT_EQ(members("a"), "一线") << "in force is only the segment";
  append(values_record(jobs[0].key, {{customer("b"), Value::of(std::string_view("二线"))}}, true, now_));
  EXPECT_EQ(runner_.shard().rules_in_force().size(), 1u);
  backfill();
  EXPECT_EQ(runner_.shard().rules_in_force().size(), 2u);
  EXPECT_EQ(members("a"), "等级=一线 一线");
  EXPECT_EQ(members("b"), "等级=二线");
  EXPECT_EQ(members("c"), "");

  const std::string first = jobs[0].key;
  define("tag 等级 = sql \"SELECT 2\" every day\nsegment 一线 = tag.等级 = \"一线\"");
  backfill();
  EXPECT_EQ(members("a"), "等级=一线 一线") << "the version before stays until the new one was run";
  append(values_record(first, {{customer("c"), Value::of(std::string_view("一线"))}}, true, now_));
  jobs = runner_.shard().measure_jobs();
  ASSERT_EQ(jobs.size(), 2u);
  append(values_record(jobs[0].key == first ? jobs[1].key : jobs[0].key,
                       {{customer("b"), Value::of(std::string_view("一线"))}}, true, now_));
  backfill();
  EXPECT_EQ(members("a"), "");
  EXPECT_EQ(members("b"), "等级=一线 一线");
  EXPECT_EQ(members("c"), "");
  EXPECT_EQ(runner_.shard().measure_jobs().size(), 1u);
}

TEST_F(RulesMoments, AFailedRunLeavesWhatWasThere) {
  for (const char* who : {"a", "b"}) event(who, "A", kBegin);
  define("tag 等级 = sql \"SELECT 1\" every hour");
  const std::string key = runner_.shard().measure_jobs()[0].key;
  append(values_record(key, {{customer("a"), Value::of(Sum{3} * Decimal::kScale)}}, true, now_));
  backfill();
  Stored failure{.kind = RecordKind::kMeasurement, .tick = now_};
  codec::append_measurement({.kind = MeasurementKind::kFailure,
                             .key = key,
                             .as_of = now_ + Duration::hours(1),
                             .took = {},
                             .error = "no such table"},
                            failure.payload);
  append(failure);
  runner_.restart();
  const auto* run = runner_.shard().measurements().run(key);
  ASSERT_NE(run, nullptr);
  EXPECT_EQ(run->error, "no such table");
  EXPECT_EQ(run->failed_at, now_ + Duration::hours(1));
  EXPECT_EQ(run->taken->as_of, now_) << "when it last came to its end";
  EXPECT_EQ(shown(*runner_.shard().batch_value(customer("a"), runner_.shard().measure_jobs()[0].rule)),
            "2:3");
  append(values_record(key, {{customer("a"), Value()}}, true, now_));
  EXPECT_EQ(runner_.shard().measurements().run(key)->error, "");
  EXPECT_EQ(members("a"), "");
}

TEST_F(RulesMoments, WhoMergesHasTheNewerResultAndWhoPartsKeepsIt) {
  for (const char* who : {"a", "b", "c"}) event(who, "A", kBegin);
  define(
      "tag 等级 = sql \"SELECT 1\" every day\ntag 又 = case when tag.等级 = \"新\" then \"是\" else \"否\" "
      "end");
  const std::string key = runner_.shard().measure_jobs()[0].key;
  append(values_record(key, {{customer("a"), Value::of(std::string_view("旧"))}}, true, now_));
  backfill();
  tick(now_ + Duration::hours(1));
  append(values_record(key, {{customer("b"), Value::of(std::string_view("新"))}}, true, now_));
  merge("a", "b");
  EXPECT_EQ(members("a"), "等级=新 又=是") << "the newer of the two";
  tick(now_ + Duration::hours(1));
  merge("a", "c");
  EXPECT_EQ(members("a"), "等级=新 又=是") << "the other had none";
  const auto links = runner_.shard().identities().links(customer("a"));
  ASSERT_EQ(links.size(), 2u);
  Stored unmerge{.kind = RecordKind::kUnmerge, .tick = now_};
  codec::append_unmerge(
      {.link = links.back().sequence, .customer = customer("a"), .reason = "not", .actor = "t"},
      unmerge.payload);
  append(unmerge);
  EXPECT_EQ(members("a"), "等级=新 又=是");
  EXPECT_EQ(members("c"), "等级=新 又=是") << "until the next run";
}

TEST_F(RulesMoments, WhatIsOverdueIsToldAsItWasAndOnceWhoeverComesFirst) {
  define("segment 活跃 = did(\"Signed In\", last 1 hours)");
  std::vector<std::string> names;
  for (int i = 0; i < 3000; ++i) names.push_back(cat("u", i));
  for (const std::string& name : names) event(name, "Signed In", kBegin);
  const Instant moment(((kBegin.micros() / 60'000'000) + 60) * 60'000'000);
  size_t told = 0;
  tick(kBegin + Duration::hours(2));
  told += runner_.effects().memberships.size();
  EXPECT_EQ(told, Shard::kTimersPerTick);
  std::vector<std::string> waiting;
  for (const std::string& name : names) {
    if (runner_.shard().members(customer(name))->entries().empty()) continue;
    waiting.push_back(name);
  }
  ASSERT_EQ(waiting.size(), names.size() - told);
  event(waiting[0], "Signed In", kBegin + Duration::hours(2));
  EXPECT_EQ(changes(waiting[0]), (Changes{{moment, false}, {now_, true}}));
  merge(waiting[1], waiting[2]);
  EXPECT_EQ(changes(waiting[1]), (Changes{{moment, false}}));
  EXPECT_EQ(changes(waiting[2]), (Changes{{moment, false}}));
  told += 3;
  for (int i = 0; i < 3; ++i) {
    tick(now_);
    told += runner_.effects().memberships.size();
    for (const MembershipChange& each : runner_.effects().memberships) EXPECT_EQ(each.change.at, moment);
  }
  EXPECT_EQ(told, names.size());
}

}  // namespace
}  // namespace kehu::shard
