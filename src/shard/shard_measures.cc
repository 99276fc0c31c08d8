#include "shard/shard.h"

// What rules ask of all customers together comes as records, from whoever reads the archive (survey/). Such a
// record is a fact for everybody at once: the rules that ask for it are asked of all customers again, in a
// round as new rules are, while events go on (docs/decisions/measured-rules.md).
namespace kehu::shard {

std::vector<Shard::MeasureJob> Shard::measure_jobs() const {
  std::vector<MeasureJob> jobs;
  for (uint32_t index = 0; index < rules_.size(); ++index) {
    const membership::RuleVersion& version = rules_.at(index).version;
    for (rule::Measure& measure : rule::measures_of(version.definition.body, version.zone)) {
      if (rules_.measuring(measure.key).front() != index) continue;  // another one has named it
      const measure::MeasuredCuts* known = measurements_.cuts(measure.key);
      jobs.push_back({.key = std::move(measure.key),
                      .number = std::move(measure.number),
                      .zone = version.zone,
                      .last = known == nullptr ? std::nullopt : std::optional(known->taken)});
    }
  }
  return jobs;
}

// Of what nobody asks for any more nothing is kept.
absl::Status Shard::measured(const LogRecord& record, Effects& effects) {
  const auto measurement = codec::decode_measurement(record.payload);
  if (!measurement.ok()) return measurement.status();
  const std::vector<uint32_t> rules = rules_.measuring(measurement->key);
  if (rules.empty()) return absl::OkStatus();
  ++effects.measurements;
  if (!measurements_.put(*measurement)) return absl::OkStatus();
  for (const uint32_t rule : rules) ask_again(rule, record.sequence);
  return absl::OkStatus();
}

// With those that name it, so that one round is enough. A rule that waits for its tallies is asked behind
// them.
void Shard::ask_again(uint32_t rule, Sequence sequence) {
  if (rules_.at(rule).is_asked()) registry_.ask(rules_.at(rule).id, sequence);
  for (const uint32_t dependent : rules_.dependents(rule)) registry_.ask(rules_.at(dependent).id, sequence);
}

}  // namespace kehu::shard
