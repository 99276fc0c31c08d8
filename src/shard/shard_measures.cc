#include <algorithm>

#include "aggregate/wire.h"
#include "base/text.h"
#include "shard/shard.h"
#include "tally/end_values.h"

// What rules ask of all customers together comes as records, from whoever reads the archive (survey/). Cuts
// are a fact for everybody at once: the rules that ask for them are asked of all customers again, in a round
// as new rules are, while events go on. What a statement came to is a fact of each customer, and only what is
// other than before is told (docs/decisions/measured-rules.md).
namespace kehu::shard {

std::vector<Shard::MeasureJob> Shard::measure_jobs() const {
  std::vector<MeasureJob> jobs;
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    const membership::Plan::Rule& rule = rules_.at(index);
    const rule::Definition& definition = rule.version.definition;
    for (rule::Measure& measure : rule::measures_of(definition.body, rule.version.zone)) {
      if (rules_.measuring(measure.key).front() != index) continue;  // another one has named it
      const measure::MeasuredCuts* known = measurements_.cuts(measure.key);
      jobs.push_back({.key = std::move(measure.key),
                      .number = std::move(measure.number),
                      .zone = rule.version.zone,
                      .last = known == nullptr ? std::nullopt : std::optional(known->taken)});
    }
    if (!rule.program.is_batch()) continue;
    MeasureJob job{.key = membership::batch_key(rule.version),
                   .number = definition.body,
                   .zone = rule.version.zone,
                   .last = {},
                   .tag = definition.name,
                   .rule = rule.id,
                   .keep_when_empty = definition.keep_when_empty};
    if (const measure::MeasuredRun* run = measurements_.run(job.key)) {
      job.last = run->taken;
      job.error = run->error;
    }
    jobs.push_back(std::move(job));
  }
  for (const membership::RuleVersion& check : checks_) {
    MeasureJob job{.key = check_key(check),
                   .number = check.definition.body,
                   .zone = check.zone,
                   .last = {},
                   .tag = {},
                   .rule = {}};
    if (const measure::MeasuredCheck* known = measurements_.check(job.key)) {
      const auto& last = known->points.back();
      job.last = measure::Taken{last.as_of, known->took, last.compared};
    }
    // Another upload of a list is measured at once.
    const rule::Node& compared = check.definition.body.of[0];
    const bool listed = compared.op == rule::Op::kListValue;
    const list::Standing* standing = listed ? list::find(lists_, compared.text) : nullptr;
    if (standing != nullptr && job.last && job.last->as_of < standing->since) job.last.reset();
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string Shard::check_key(const membership::RuleVersion& check) {
  return cat("check ", check.version.value(), " ", check.definition.name);
}

void Shard::use_checks(std::vector<membership::RuleVersion> checks, Sequence position) {
  const size_t before = quarantines_.size();
  checks_ = std::move(checks);
  measurements_.keep_checks([this](const std::string& key) {
    return std::ranges::any_of(checks_, [&](const auto& check) { return check_key(check) == key; });
  });
  find_quarantines();
  // One can only end here: those that are new were not measured yet.
  if (position != Sequence() && quarantines_.size() != before) ask_about_traits(position);
}

// A list whose upload is another one says something else of everybody.
void Shard::use_lists(list::Standings lists, Sequence position) {
  lists_ = std::move(lists);
  const list::Standings before = std::exchange(believed_lists_, {});
  believe_lists();
  if (position != Sequence()) ask_about_lists(before, position);
}

void Shard::believe_lists() {
  believed_lists_ = lists_;
  for (const Quarantine& quarantine : quarantines_) {
    if (quarantine.list) believed_lists_.erase(quarantine.trait);
  }
}

void Shard::ask_about_lists(const list::Standings& before, Sequence sequence) {
  const auto other = [&](const std::string& list) {
    const list::Standing *was = list::find(before, list), *is = list::find(believed_lists_, list);
    return (was == nullptr) != (is == nullptr) || (was != nullptr && *was != *is);
  };
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    if (std::ranges::any_of(rules_.at(index).program.lists(), other)) take_cuts({&index, 1}, sequence);
  }
}

void Shard::find_quarantines() {
  quarantines_.clear();
  for (const membership::RuleVersion& check : checks_) {
    const measure::MeasuredCheck* known = measurements_.check(check_key(check));
    if (known == nullptr || !known->quarantined) continue;
    const rule::Node& body = check.definition.body;
    quarantines_.push_back({.check = check.definition.name,
                            .trait = body.of[0].text,
                            .source = body.text,
                            .list = body.of[0].op == rule::Op::kListValue,
                            .least = body.number,
                            .last = known->points.back()});
  }
  believe_lists();
}

const Shard::Quarantine* Shard::quarantine_of(std::string_view trait, std::string_view source) const {
  const auto at = std::ranges::find_if(quarantines_, [&](const Quarantine& quarantine) {
    return !quarantine.list && quarantine.trait == trait && quarantine.source == source;
  });
  return at == quarantines_.end() ? nullptr : &*at;
}

const Shard::Quarantine* Shard::quarantine_of_list(std::string_view list) const {
  const auto at = std::ranges::find_if(quarantines_, [&](const Quarantine& quarantine) {
    return quarantine.list && quarantine.trait == list;
  });
  return at == quarantines_.end() ? nullptr : &*at;
}

void Shard::ask_about_traits(Sequence sequence) {
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    if (rules_.at(index).program.asks_traits()) take_cuts({&index, 1}, sequence);
  }
}

CheckResult Shard::result_of(const membership::RuleVersion& check, const measure::MeasuredCheck::Point& point,
                             bool quarantined, Sequence sequence) {
  const rule::Node& body = check.definition.body;
  const bool listed = body.of[0].op == rule::Op::kListValue;
  return {.sequence = sequence,
          .check = check.definition.name,
          .version = check.version,
          .compares = cat(listed ? "list." : "trait.", body.of[0].text),
          .source = body.text,
          .as_of = point.as_of,
          .compared = point.compared,
          .agreed = point.agreed,
          .at_least = body.number,
          .quarantined = quarantined};
}

std::vector<CheckResult> Shard::check_results(Sequence sequence) const {
  std::vector<CheckResult> results;
  for (const membership::RuleVersion& check : checks_) {
    const measure::MeasuredCheck* known = measurements_.check(check_key(check));
    if (known == nullptr) continue;
    for (const auto& point : known->points)
      results.push_back(result_of(check, point, known->quarantined, sequence));
  }
  return results;
}

void Shard::take_agreement(const codec::Measurement& measurement, Sequence sequence, Effects& effects) {
  const auto check = std::ranges::find_if(
      checks_, [&](const membership::RuleVersion& each) { return check_key(each) == measurement.key; });
  if (check == checks_.end()) return;
  ++effects.measurements;
  const bool other = measurements_.put_check(measurement, check->definition.body.number);
  const measure::MeasuredCheck* known = measurements_.check(measurement.key);
  effects.checks.push_back(result_of(*check, known->points.back(), known->quarantined, sequence));
  find_quarantines();
  if (other) ask_about_traits(sequence);
}

// Of what nobody asks for any more nothing is kept.
absl::Status Shard::measured(const LogRecord& record, Instant now, Effects& effects) {
  const auto measurement = codec::decode_measurement(record.payload);
  if (!measurement.ok()) return measurement.status();
  if (measurement->kind == MeasurementKind::kAgreement) {
    take_agreement(*measurement, record.sequence, effects);
    return absl::OkStatus();
  }
  const std::vector<uint32_t> rules = rules_.measuring(measurement->key);
  if (rules.empty()) return absl::OkStatus();
  ++effects.measurements;
  if (measurement->kind == MeasurementKind::kValues)
    return take_values(*measurement, rules.front(), record.sequence, now, effects);
  if (measurements_.put(*measurement)) take_cuts(rules, record.sequence);
  return absl::OkStatus();
}

// With those that name them, so that one round is enough. A rule that waits for its tallies is asked behind
// them.
void Shard::take_cuts(absl::Span<const uint32_t> rules, Sequence sequence) {
  for (const uint32_t rule : rules) {
    if (rules_.at(rule).is_asked()) registry_.ask(rules_.at(rule).id, sequence);
    for (const uint32_t dependent : rules_.dependents(rule)) registry_.ask(rules_.at(dependent).id, sequence);
  }
}

// A version comes into force behind its first run: by a round, in which those that name it are asked, too.
absl::Status Shard::take_values(const codec::Measurement& measurement, uint32_t rule, Sequence sequence,
                                Instant now, Effects& effects) {
  for (const codec::Measurement::Entry& entry : measurement.entries) {
    if (auto status = take_value(entry, rule, sequence, now, effects); !status.ok()) return status;
  }
  measurements_.put(measurement);
  if (!measurement.last || rules_.at(rule).is_asked()) return absl::OkStatus();
  registry_.ask(rules_.at(rule).id, sequence);
  compile();
  return absl::OkStatus();
}

// Who is no more by now was taken in by another customer; the next run finds that one.
absl::Status Shard::take_value(const codec::Measurement::Entry& entry, uint32_t rule, Sequence sequence,
                               Instant now, Effects& effects) {
  const std::string before(customers_.get(entry.customer.hash));
  if (before.empty()) return absl::OkStatus();
  if (auto status = parts_.decode(before); !status.ok()) return status;
  if (!members_.read(parts_.members())) return absl::DataLossError("damaged customer state");
  rule::Value value;
  if (!entry.value.empty()) {
    aggregate::WireReader in(entry.value);
    value = tally::read_value(in);
    if (!in.complete()) return absl::DataLossError("damaged measurement record");
  }
  const auto trait = [this](rule::Op op, std::string_view path) { return this->trait(op, path); };
  open_rules(parts_.parts());
  keeper_.advance(now, trait, changes_);
  keeper_.put(rule, std::move(value), now, trait, changes_);
  return put_members(entry.customer, sequence, now, effects);
}

absl::StatusOr<rule::Value> Shard::batch_value(CustomerId customer, membership::RuleId rule) {
  CustomerParts parts;
  const std::string blob(customers_.get(customer.hash));
  if (blob.empty()) return absl::NotFoundError("there is no such customer");
  if (auto status = parts.decode(blob); !status.ok()) return status;
  membership::Members members;
  if (!members.read(parts.members())) return absl::DataLossError("damaged customer state");
  const membership::Members::Entry* entry = members.find(rule);
  return entry == nullptr ? rule::Value() : entry->value;
}

}  // namespace kehu::shard
