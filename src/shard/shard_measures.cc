#include "aggregate/wire.h"
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
  return jobs;
}

// Of what nobody asks for any more nothing is kept.
absl::Status Shard::measured(const LogRecord& record, Instant now, Effects& effects) {
  const auto measurement = codec::decode_measurement(record.payload);
  if (!measurement.ok()) return measurement.status();
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
  const Instant due_before = members_.due();
  const auto trait = [this](std::string_view path) { return this->trait(path); };
  open_rules(parts_.parts());
  keeper_.advance(now, trait, changes_);
  keeper_.put(rule, std::move(value), now, trait, changes_);
  return put_members(entry.customer, sequence, due_before, effects);
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
