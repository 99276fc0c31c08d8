#include "membership/registry.h"

#include <algorithm>

#include "aggregate/wire.h"

// byte 1; varint next rule, varint next tally; varint how many rules, each: varint id, byte kind, text name, varint
// version; varint how many tallies, each: varint id, varint since, text key.
namespace kehu::membership {
namespace {

constexpr Hash128 kPlace{0, 1};
constexpr uint8_t kVersion = 1;

}  // namespace

absl::Status Registry::load() {
  const std::string_view bytes = store_.get(kPlace);
  if (bytes.empty()) return absl::OkStatus();
  aggregate::WireReader in(bytes);
  if (in.byte() != kVersion) in.fail();
  next_rule_ = static_cast<uint32_t>(in.varint());
  next_tally_ = static_cast<uint32_t>(in.varint());
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    Rule rule{.id = RuleId(static_cast<uint32_t>(in.varint())), .name = {}, .version = {}};
    rule.kind = static_cast<rule::Kind>(in.byte());
    rule.name = std::string(in.text());
    rule.version = Sequence(in.varint());
    rules_.push_back(std::move(rule));
  }
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    Tally tally{.id = tally::TallyId(static_cast<uint32_t>(in.varint())), .key = {}, .since = {}};
    tally.since = Sequence(in.varint());
    tally.key = std::string(in.text());
    tallies_.push_back(std::move(tally));
  }
  if (!in.complete()) return absl::DataLossError("the numbers of rules are damaged");
  return absl::OkStatus();
}

void Registry::save() const {
  aggregate::WireBuffer out;
  out.byte(kVersion);
  out.varint(next_rule_);
  out.varint(next_tally_);
  out.varint(rules_.size());
  for (const Rule& rule : rules_) {
    out.varint(rule.id.value());
    out.byte(static_cast<uint8_t>(rule.kind));
    out.text(rule.name);
    out.varint(rule.version.value());
  }
  out.varint(tallies_.size());
  for (const Tally& tally : tallies_) {
    out.varint(tally.id.value());
    out.varint(tally.since.value());
    out.text(tally.key);
  }
  if (store_.get(kPlace) != out.view()) store_.put(kPlace, out.view());
}

RuleId Registry::rule(const RuleVersion& version) {
  rules_used_.resize(rules_.size());
  for (size_t i = 0; i < rules_.size(); ++i) {
    const Rule& known = rules_[i];
    if (known.kind != version.definition.kind || known.name != version.definition.name ||
        known.version != version.version) {
      continue;
    }
    rules_used_[i] = true;
    return known.id;
  }
  rules_.push_back({.id = RuleId(next_rule_++),
                    .kind = version.definition.kind,
                    .name = version.definition.name,
                    .version = version.version});
  rules_used_.push_back(true);
  return rules_.back().id;
}

tally::TallyId Registry::tally(const tally::Spec& spec, Sequence position) {
  tallies_used_.resize(tallies_.size());
  const std::string key = spec.key();
  for (size_t i = 0; i < tallies_.size(); ++i) {
    if (tallies_[i].key != key) continue;
    tallies_used_[i] = true;
    return tallies_[i].id;
  }
  tallies_.push_back({.id = tally::TallyId(next_tally_++), .key = key, .since = position});
  tallies_used_.push_back(true);
  return tallies_.back().id;
}

void Registry::settle() {
  const auto keep = [](auto& list, std::vector<bool>& used) {
    used.resize(list.size());
    size_t kept = 0;
    for (size_t i = 0; i < list.size(); ++i) {
      if (!used[i]) continue;
      if (kept != i) list[kept] = std::move(list[i]);
      ++kept;
    }
    list.resize(kept);
    used.clear();
  };
  keep(rules_, rules_used_);
  keep(tallies_, tallies_used_);
  save();
}

const Registry::Tally* Registry::find(tally::TallyId id) const {
  const auto at = std::ranges::find(tallies_, id, &Tally::id);
  return at == tallies_.end() ? nullptr : &*at;
}

}  // namespace kehu::membership
