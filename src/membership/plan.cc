#include "membership/plan.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "base/text.h"
#include "rule/check.h"

namespace kehu::membership {
namespace {

using Key = std::pair<rule::Kind, std::string>;

// What a rule is counted from, in the order in which it is read.
void collect_specs(const rule::Node& node, const std::string& zone, std::vector<tally::Spec>& specs) {
  if (rule::is_aggregate(node.op)) {
    for (tally::Spec& spec : tally::specs_of(node, zone)) specs.push_back(std::move(spec));
    return;
  }
  if (node.op == rule::Op::kRfm) {
    for (const rule::Node& number : rule::rfm_numbers(node)) collect_specs(number, zone, specs);
    return;
  }
  for (const rule::Node& child : node.of) collect_specs(child, zone, specs);
}

// Each behind those that it names: a walk in depth. Who is met again on the way down is in a circle, and its
// place is where it was met first.
class Order {
 public:
  explicit Order(const std::vector<RuleVersion>& versions) : versions_(versions), seen_(versions.size()) {
    for (size_t i = 0; i < versions.size(); ++i) {
      places_.insert({{versions[i].definition.kind, versions[i].definition.name}, i});
    }
    for (size_t i = 0; i < versions.size(); ++i) visit(i);
  }
  const std::vector<size_t>& order() const { return order_; }

 private:
  void visit(size_t start) {
    // Depth is bounded by the number of rules, not by the stack.
    std::vector<std::pair<size_t, std::vector<size_t>>> path;
    const auto enter = [&](size_t at) {
      if (seen_[at]) return;
      seen_[at] = true;
      path.emplace_back(at, named_by(at));
    };
    enter(start);
    while (!path.empty()) {
      auto& [at, named] = path.back();
      if (named.empty()) {
        order_.push_back(at);
        path.pop_back();
        continue;
      }
      const size_t next = named.back();
      named.pop_back();
      enter(next);
    }
  }
  std::vector<size_t> named_by(size_t at) const {
    std::vector<size_t> out;
    for (const Key& name : rule::references(versions_[at].definition.body).all()) {
      const auto [begin, end] = places_.equal_range(name);
      for (auto place = begin; place != end; ++place) out.push_back(place->second);
    }
    return out;
  }

  const std::vector<RuleVersion>& versions_;
  std::multimap<Key, size_t> places_;  // of a name all versions
  std::vector<bool> seen_;
  std::vector<size_t> order_;
};

}  // namespace

Plan::Plan(std::vector<RuleVersion> versions, Registry& registry, Sequence position,
           property::FieldPlan& fields) {
  const Order order(versions);
  std::map<tally::TallyId, tally::Spec> specs;
  // Programs name tallies by their place among the ids, which is known once all have one.
  std::vector<tally::Spec> counted;
  for (const RuleVersion& version : versions) collect_specs(version.definition.body, version.zone, counted);
  std::ranges::stable_sort(counted, std::greater(), [](const tally::Spec& spec) {
    return std::tuple(spec.length, spec.extremes, spec.ends);
  });
  for (const tally::Spec& spec : counted) {
    Registry::Found found = registry.tally(spec, position);
    tally_ids_[spec.key()] = found.id;
    specs.emplace(found.id, std::move(found.spec));
  }
  tallies_ = tally::Plan({specs.begin(), specs.end()}, fields);
  const Program::Names names = this->names();
  for (const size_t at : order.order()) {
    const RuleId id = registry.rule(versions[at], position);
    Program program(versions[at].definition.body, versions[at].zone, names);
    rules_.push_back({id, std::move(versions[at]), std::move(program), registry.find(id)->state});
  }
  registry.settle();
  index();
  label();
}

std::string batch_key(const RuleVersion& version) {
  return cat("sql ", version.version.value(), " ", version.definition.name);
}

void Plan::label() {
  auto labels = std::make_shared<Labels>();
  for (const Rule& rule : rules_) {
    labels->push_back({.kind = rule.version.definition.kind,
                       .name = rule.version.definition.name,
                       .version = rule.version.version,
                       .zone = BusinessZone::load(rule.version.zone).value_or(BusinessZone())});
  }
  labels_ = std::move(labels);
}

Program::Names Plan::names() const {
  return {.tally = [this](const tally::Spec& spec) { return *tallies_.find(tally_ids_.at(spec.key())); },
          .rule = [this](rule::Kind kind, std::string_view name) { return find(kind, name); }};
}

std::vector<uint32_t> Plan::measuring(std::string_view key) const {
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const std::vector<std::string>& measures = rules_[i].program.measures();
    const bool asks = std::ranges::find(measures, key) != measures.end();
    const bool fills = rules_[i].program.is_batch() && batch_key(rules_[i].version) == key;
    if (asks || fills) found.push_back(i);
  }
  return found;
}

std::optional<uint32_t> Plan::find(rule::Kind kind, std::string_view name) const {
  std::optional<uint32_t> found;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Rule& rule = rules_[i];
    if (rule.version.definition.kind != kind || rule.version.definition.name != name) continue;
    if (rule.is_live()) return i;
    found = i;
  }
  return found;
}

void Plan::index() {
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].is_asked()) all_.push_back(i);
    const uint32_t id = rules_[i].id.value();
    if (id >= index_.size()) index_.resize(id + 1);
    index_[id] = i + 1;
  }
  dependents_.resize(rules_.size());
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    std::vector<bool> one(rules_.size());
    one[i] = true;
    dependents_[i] = with_dependents(std::move(one));
    std::erase(dependents_[i], i);
  }
  find_first_asked();
  for (const auto& [name, tallies] : tallies_.by_name()) by_name_.emplace(name, lists_of(tallies));
  others_ = lists_of(tallies_.of_any());
}

namespace {

// Somebody of whom nothing is known, long ago: what depends on time alone is due some time.
class Nobody final : public Asked {
 public:
  explicit Nobody(const tally::Plan& plan) { totals_.open(plan, {}); }
  Instant now() const override { return kFirstInstant + Duration::days(10'000); }
  tally::Totals& totals() override { return totals_; }
  // On no list.
  rule::Value trait(rule::Op op, std::string_view) override {
    return op == rule::Op::kListed ? rule::Value::of(false) : rule::Value();
  }
  rule::Value result(uint32_t) override { return {}; }
  const rule::Cuts* cuts(std::string_view) override { return nullptr; }

 private:
  tally::Totals totals_;
};

}  // namespace

void Plan::find_first_asked() {
  Nobody nobody(tallies_);
  first_asked_.assign(rules_.size(), false);
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const Answer answer = rules_[i].program.answer(nobody);
    const bool is_segment = rules_[i].version.definition.kind == rule::Kind::kSegment;
    const bool holds = is_segment ? rule::as_bool(answer.value).value_or(false) : answer.value.known();
    // Once it is measured, also nobody's number may have its place.
    const bool measured = !rules_[i].program.measures().empty();
    first_asked_[i] = holds || measured || answer.until != kLastInstant;
  }
}

Plan::Lists Plan::lists_of(absl::Span<const uint32_t> tallies) const {
  const auto select = [&](bool with_traits, bool first) {
    std::vector<bool> always(rules_.size()), touched(rules_.size());
    std::vector<Drift> drifts(rules_.size(), Drift::kEither);
    for (uint32_t i = 0; i < rules_.size(); ++i) {
      const Program& program = rules_[i].program;
      const bool counted = std::ranges::any_of(
          program.tallies(), [&](uint32_t tally) { return std::ranges::binary_search(tallies, tally); });
      always[i] = (with_traits && program.asks_traits()) || (first && first_asked_[i]);
      touched[i] = counted || always[i];
      const bool told = rules_[i].is_live() && program.rules().empty() && !always[i] && !first &&
                        rules_[i].version.definition.kind == rule::Kind::kSegment;
      if (told) drifts[i] = program.drift(tallies);
    }
    std::vector<Touch> out;
    for (const uint32_t rule : with_dependents(touched)) out.push_back({rule, drifts[rule], always[rule]});
    return out;
  };
  return {.plain = select(false, false),
          .with_traits = select(true, false),
          .first = select(false, true),
          .first_with_traits = select(true, true)};
}

// Rules come behind those that they name, so one pass finds all that follow.
std::vector<uint32_t> Plan::with_dependents(std::vector<bool> touched) const {
  std::vector<uint32_t> out;
  for (uint32_t i = 0; i < rules_.size(); ++i) {
    const auto& named = rules_[i].program.rules();
    touched[i] = touched[i] || std::ranges::any_of(named, [&](uint32_t rule) { return touched[rule]; });
    if (touched[i] && rules_[i].is_asked()) out.push_back(i);
  }
  return out;
}

const Plan::Lists& Plan::lists(const Event& event) const {
  if (event.type != EventType::kTrack) return others_;
  const auto at = by_name_.find(event.name_id());
  return at == by_name_.end() ? others_ : at->second;
}

namespace {
bool has_traits(const Event& event) {
  return event.type != EventType::kGroup && event.traits.size() > std::string_view("{}").size();
}
}  // namespace

absl::Span<const Plan::Touch> Plan::touched(const Event& event) const {
  return has_traits(event) ? lists(event).with_traits : lists(event).plain;
}

absl::Span<const Plan::Touch> Plan::touched_first(const Event& event) const {
  return has_traits(event) ? lists(event).first_with_traits : lists(event).first;
}

}  // namespace kehu::membership
