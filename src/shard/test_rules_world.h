#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aggregate/wire.h"
#include "base/text.h"
#include "interpreter/interpreter.h"
#include "interpreter/test_random_histories.h"
#include "rule/check.h"
#include "shard/shard.h"
#include "store/map_store.h"
#include "tally/end_values.h"

// A shard that lives as one in an engine does, and what customers are by its rules, from their events alone.
namespace kehu::shard {

inline const std::vector<std::string>& source_names() {
  static const std::vector<std::string> kNames = {"shop", "crm"};  // SourceId 1, 2
  return kNames;
}

// Without metrics and words of orders, whose compiling would take most of a test's time.
inline std::shared_ptr<const Settings> rules_settings() {
  static const auto kSettings = [] {
    Settings settings = Settings::defaults();
    settings.metrics.clear();
    settings.vocabulary.project.use.emplace();
    return std::make_shared<const Settings>(std::move(settings));
  }();
  return kSettings;
}

// One record of the log. The rules of a definition are all that hold behind it.
struct Stored {
  RecordKind kind;
  std::string payload = {};
  Instant tick;
  std::vector<membership::RuleVersion> rules = {};
  list::Standings lists = {};
};

// A shard over stores that outlive it, as replica::Replica runs one.
class RulesRunner {
 public:
  RulesRunner() { open(); }

  void apply(Sequence sequence, const Stored& record) {
    if (record.kind == RecordKind::kDefinition) {
      newest_ = record.rules;
      const bool other_lists = record.lists != lists_;
      lists_ = record.lists;
      for (const auto& version : newest_) versions_.insert_or_assign(key_of(version), version);
      shard_->use(newest_, events_ == 0 ? Sequence() : sequence);
      if (other_lists) shard_->use_lists(lists_, sequence);
      return;
    }
    const LogRecord one{sequence, record.kind, record.payload};
    ASSERT_TRUE(shard_->apply({&one, 1}, record.tick, effects_).ok());
    events_ += record.kind == RecordKind::kEvent ? 1 : 0;
  }
  void apply_all(absl::Span<const LogRecord> records, Instant tick) {
    ASSERT_TRUE(shard_->apply(records, tick, effects_).ok());
    for (const LogRecord& record : records) events_ += record.kind == RecordKind::kEvent ? 1 : 0;
  }
  void restart() { open(); }
  void use_checks(std::vector<membership::RuleVersion> checks, Sequence position) {
    checks_ = std::move(checks);
    shard_->use_checks(checks_, position);
  }

  Shard& shard() { return *shard_; }
  Effects& effects() { return effects_; }

 private:
  using Key = std::tuple<rule::Kind, std::string, Sequence>;
  static Key key_of(const membership::RuleVersion& version) {
    return {version.definition.kind, version.definition.name, version.version};
  }

  void open() {
    shard_ = std::make_unique<Shard>(rules_settings(), stores_);
    ASSERT_TRUE(shard_->load_rules().ok());
    shard_->use(rules_settings());
    uint32_t id = 1;
    for (const std::string& name : source_names()) shard_->name_source(SourceId(id++), name);
    shard_->use_lists(lists_, Sequence());
    shard_->use_checks(checks_, Sequence());
    std::vector<membership::RuleVersion> older;
    for (const membership::Registry::Rule& rule : shard_->registry().rules()) {
      const auto known = versions_.find({rule.kind, rule.name, rule.version});
      const bool is_newest = std::ranges::any_of(newest_, [&](const membership::RuleVersion& version) {
        return version.version == rule.version && version.definition.kind == rule.kind &&
               version.definition.name == rule.name;
      });
      if (!is_newest && known != versions_.end()) older.push_back(known->second);
    }
    shard_->use(newest_, Sequence(), std::move(older));
  }

  MapStores stores_;
  std::unique_ptr<Shard> shard_;
  Effects effects_;
  uint64_t events_ = 0;
  std::vector<membership::RuleVersion> newest_;
  std::vector<membership::RuleVersion> checks_;
  list::Standings lists_;
  std::map<Key, membership::RuleVersion> versions_;
};

// Which events are whose, and what that makes of a customer.
class RulesOracle {
 public:
  struct Seen {
    Sequence sequence;
    Token part;
    Event event;
  };

  void add(Sequence sequence, Token part, std::string_view payload) {
    codec::EventRecord& record = records_.emplace_back();
    ASSERT_TRUE(record.decode(payload).ok());
    seen_.push_back({sequence, part, record.event()});
  }
  const std::vector<Seen>& seen() const { return seen_; }

  // Rules whose answer is in force and follows from nothing that is still being filled in, or is gone while
  // the next version is filled in.
  static std::vector<bool> settled(const Shard& shard) {
    const membership::Plan& plan = shard.rules();
    std::vector<bool> settled(plan.size());
    for (uint32_t i = 0; i < plan.size(); ++i) {
      const auto* known = shard.registry().find(plan.at(i).id);
      settled[i] = known != nullptr && known->state == membership::Registry::State::kLive &&
                   known->asking_since == Sequence();
      const rule::References named = rule::references(plan.at(i).version.definition.body);
      settled[i] =
          settled[i] && named.segments.size() + named.tags.size() == plan.at(i).program.rules().size();
      for (const uint32_t each : plan.at(i).program.rules()) settled[i] = settled[i] && settled[each];
    }
    return settled;
  }

  // What each rule of the plan comes to, by its index. `stays` says what a tag has that keeps its value.
  std::vector<rule::Value> evaluate(Shard& shard, CustomerId customer, Instant now) const {
    const membership::Plan& plan = shard.rules();
    const auto members = shard.members(customer);
    EXPECT_TRUE(members.ok());
    std::vector<Event> events = events_of(shard, customer);
    Facts facts(shard, customer, now);
    std::vector<rule::Value> values;
    for (uint32_t i = 0; i < plan.size(); ++i) {
      const rule::Definition& definition = plan.at(i).version.definition;
      const auto zone = BusinessZone::load(plan.at(i).version.zone);
      rule::Value value = interpreter::evaluate(definition.body, events, facts, {now, *zone});
      if (plan.at(i).program.is_batch()) value = batch_value(shard, customer, plan.at(i).id);
      if (definition.kind == rule::Kind::kSegment) {
        value = rule::as_bool(value).value_or(false) ? rule::Value::of(true) : rule::Value();
      } else if (!value.known() && definition.keep_when_empty) {
        const auto* has = members->find(plan.at(i).id);
        if (has != nullptr) value = has->value;
      }
      if (plan.find(definition.kind, definition.name) == i) facts.set(definition, value);
      values.push_back(std::move(value));
    }
    return values;
  }

  // What a statement found is a fact, as events are.
  static rule::Value batch_value(Shard& shard, CustomerId customer, membership::RuleId rule) {
    const auto value = shard.batch_value(customer, rule);
    EXPECT_TRUE(value.ok());
    return value.ok() ? *value : rule::Value();
  }

  std::vector<Event> events_of(Shard& shard, CustomerId customer) const {
    const auto parts = shard.parts(customer);
    EXPECT_TRUE(parts.ok());
    std::vector<Event> events;
    for (const Seen& seen : seen_) {
      if (std::ranges::find(*parts, seen.part) != parts->end()) events.push_back(seen.event);
    }
    return events;
  }

 private:
  class Facts final : public interpreter::PlainFacts {
   public:
    Facts(Shard& shard, CustomerId customer, Instant now) : shard_(shard) {
      sources = source_names();
      lists = shard.lists();
      const auto profile = shard.profile(customer, now);
      EXPECT_TRUE(profile.ok());
      traits = "{";
      for (const TraitView& trait : profile->traits) {
        traits += cat(traits.size() > 1 ? "," : "", "\"", trait.name, "\":", trait.value);
        const size_t source = trait.source.value() - 1;
        origins[trait.name] = {trait.time, source < source_names().size()
                                               ? std::string_view(source_names()[source])
                                               : std::string_view()};
      }
      traits += "}";
    }
    void set(const rule::Definition& definition, const rule::Value& value) {
      if (definition.kind == rule::Kind::kTag) {
        tags[definition.name] = value;
      } else if (value.known()) {
        segments.insert(definition.name);
      }
    }
    const rule::Cuts* cuts(std::string_view key) const override {
      return shard_.measurements().known_cuts(key);
    }

   private:
    const Shard& shard_;
  };

  std::deque<codec::EventRecord> records_;
  std::vector<Seen> seen_;
};

// What somebody who has run a statement sends.
struct BatchResult {
  CustomerId customer;
  rule::Value value;
};
inline Stored values_record(std::string_view key, const std::vector<BatchResult>& results, bool last,
                            Instant now) {
  Stored record{.kind = RecordKind::kMeasurement, .tick = now};
  codec::Measurement measurement{
      .kind = MeasurementKind::kValues, .key = key, .as_of = now, .took = {}, .customers = 1, .last = last};
  std::deque<std::string> bytes;
  for (const BatchResult& result : results) {
    aggregate::WireBuffer buffer;
    if (result.value.known()) tally::write_value(result.value, buffer);
    measurement.entries.push_back({result.customer, bytes.emplace_back(buffer.view())});
  }
  codec::append_measurement(measurement, record.payload);
  return record;
}

// What somebody who has measured a number sends.
inline Stored measurement_record(std::string_view key, rule::Cuts cuts, Instant now) {
  Stored record{.kind = RecordKind::kMeasurement, .tick = now};
  codec::append_measurement({.key = key,
                             .as_of = now,
                             .took = Duration::millis(5),
                             .customers = cuts.empty() ? 0u : 100u,
                             .cuts = std::move(cuts)},
                            record.payload);
  return record;
}

// What somebody who has all events sends for a round: the next so many parts.
inline std::optional<std::string> backfill_record(Shard& shard, const RulesOracle& oracle, size_t most) {
  const Shard::BackfillJob job = shard.backfill_job();
  if (job.round.kind == BackfillRound::kNone) return std::nullopt;
  std::vector<Token> parts;
  EXPECT_TRUE(shard
                  .for_each_part([&](Token part, CustomerId) {
                    if (part > job.round.after) parts.push_back(part);
                  })
                  .ok());
  std::ranges::sort(parts);
  codec::Backfill backfill{
      .kind = job.round.kind, .position = job.round.position, .last = parts.size() <= most, .entries = {}};
  parts.resize(std::min(parts.size(), most));
  std::deque<std::string> bytes;
  for (const Token part : parts) {
    std::string& all = bytes.emplace_back();
    for (const auto& [id, spec] : job.tallies) {
      property::FieldPlan fields;
      const tally::Plan one({{id, spec}}, fields);
      tally::Folder folder;
      std::string counted;
      for (const RulesOracle::Seen& seen : oracle.seen()) {
        if (seen.part != part || seen.sequence > job.round.position) continue;
        property::EventFields read;
        const bool named = seen.event.type == EventType::kTrack;
        read.read(named ? fields.of(seen.event.name_id(), seen.event.source) : nullptr,
                  seen.event.properties);
        std::string out;
        const auto folded =
            folder.fold(one, counted, {seen.event, read, source_names()[seen.event.source.value() - 1]}, out);
        EXPECT_TRUE(folded.ok());
        if (folded.ok() && *folded) counted = out;
      }
      std::string out;
      EXPECT_TRUE(folder.merge(shard.rules().tallies(), all, counted, out).ok());
      all = out;
    }
    backfill.entries.push_back({part, all});
  }
  std::string record;
  codec::append_backfill(backfill, record);
  return record;
}

}  // namespace kehu::shard
