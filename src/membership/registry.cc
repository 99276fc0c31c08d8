#include "membership/registry.h"

#include <algorithm>
#include <cstring>

#include "aggregate/wire.h"

// byte 1; varint next rule, varint next tally; varint how many rules, each: varint id, byte kind, text name,
// varint version, byte state, varint asking since; varint how many tallies, each: varint id, varint since,
// text key; byte kind of the round, varint position, fixed token of the last part (high, low), varint parts.
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
    rule.state = static_cast<State>(in.byte());
    rule.asking_since = Sequence(in.varint());
    rules_.push_back(std::move(rule));
  }
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    Tally tally{.id = tally::TallyId(static_cast<uint32_t>(in.varint())), .key = {}, .since = {}};
    tally.since = Sequence(in.varint());
    tally.key = std::string(in.text());
    tallies_.push_back(std::move(tally));
  }
  round_.kind = static_cast<Round::Kind>(in.byte());
  round_.position = Sequence(in.varint());
  const std::string_view token = in.take(sizeof(Hash128));
  if (!in.failed()) std::memcpy(&round_.after.hash, token.data(), sizeof(Hash128));
  round_.parts = in.varint();
  if (!in.complete()) return absl::DataLossError("the numbers of rules are damaged");
  return absl::OkStatus();
}

// A project that never had a rule keeps nothing.
void Registry::save() const {
  if (next_rule_ == 1 && next_tally_ == 1) return;
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
    out.byte(static_cast<uint8_t>(rule.state));
    out.varint(rule.asking_since.value());
  }
  out.varint(tallies_.size());
  for (const Tally& tally : tallies_) {
    out.varint(tally.id.value());
    out.varint(tally.since.value());
    out.text(tally.key);
  }
  out.byte(static_cast<uint8_t>(round_.kind));
  out.varint(round_.position.value());
  out.raw({reinterpret_cast<const char*>(&round_.after.hash), sizeof(Hash128)});
  out.varint(round_.parts);
  if (store_.get(kPlace) != out.view()) store_.put(kPlace, out.view());
}

RuleId Registry::rule(const RuleVersion& version, Sequence position) {
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
                    .version = version.version,
                    .state = position == Sequence() ? State::kLive : State::kWaiting,
                    .asking_since = {}});
  rules_used_.push_back(true);
  return rules_.back().id;
}

Registry::Found Registry::tally(const tally::Spec& spec, Sequence position) {
  tallies_used_.resize(tallies_.size());
  const tally::Cover cover(spec);
  std::optional<Found> best;
  size_t place = 0;
  const auto rank = [](const Tally& tally, const tally::Spec& of) {
    return std::pair(tally.since == Sequence(), of.length);
  };
  for (size_t i = 0; i < tallies_.size(); ++i) {
    auto found = cover.by(tallies_[i].key);
    if (!found || (best && rank(tallies_[place], best->spec) >= rank(tallies_[i], *found))) continue;
    best = Found{tallies_[i].id, *std::move(found)};
    place = i;
  }
  if (best) {
    tallies_used_[place] = true;
    return *std::move(best);
  }
  tallies_.push_back({.id = tally::TallyId(next_tally_++), .key = cover.key(), .since = position});
  tallies_used_.push_back(true);
  return {tallies_.back().id, spec};
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

const Registry::Rule* Registry::find(RuleId id) const {
  const auto at = std::ranges::find(rules_, id, &Rule::id);
  return at == rules_.end() ? nullptr : &*at;
}

const Registry::Rule* Registry::live(rule::Kind kind, std::string_view name) const {
  const auto at = std::ranges::find_if(rules_, [&](const Rule& rule) {
    return rule.kind == kind && rule.name == name && rule.state == State::kLive;
  });
  return at == rules_.end() ? nullptr : &*at;
}

// A round that has begun goes on. Tallies come first, since rules cannot be asked without them; those that
// began at one record are counted in one pass over the events up to there.
Registry::Round Registry::next_round() const {
  Sequence counting, asking;
  for (const Tally& tally : tallies_) {
    if (tally.since == Sequence()) continue;
    if (counting == Sequence() || tally.since < counting) counting = tally.since;
  }
  for (const Rule& rule : rules_) asking = std::max(asking, rule.asking_since);
  const bool goes_on = (round_.kind == Round::Kind::kCount && counting != Sequence()) ||
                       (round_.kind == Round::Kind::kAsk && asking != Sequence());
  if (goes_on) return round_;
  if (counting != Sequence()) return {.kind = Round::Kind::kCount, .position = counting, .after = {}};
  if (asking != Sequence()) return {.kind = Round::Kind::kAsk, .position = asking, .after = {}};
  return {};
}

void Registry::advance(Round::Kind kind, Sequence position, Token after, uint64_t parts) {
  if (round_.kind != kind || round_.position != position)
    round_ = {.kind = kind, .position = position, .after = {}};
  round_.after = after;
  round_.parts += parts;
  save();
}

std::vector<RuleId> Registry::finish(Round::Kind kind, Sequence position, absl::Span<const RuleId> held) {
  std::vector<RuleId> changed;
  if (kind == Round::Kind::kCount) {
    for (Tally& tally : tallies_) {
      if (tally.since <= position) tally.since = Sequence();
    }
  } else {
    for (Rule& rule : rules_) {
      if (rule.asking_since == Sequence() || rule.asking_since > position) continue;
      if (std::ranges::find(held, rule.id) != held.end()) continue;
      rule.asking_since = Sequence();
      rule.state = State::kLive;
      changed.push_back(rule.id);
    }
  }
  round_ = {};
  save();
  return changed;
}

void Registry::ask(RuleId rule, Sequence position) {
  for (Rule& known : rules_) {
    if (known.id != rule) continue;
    if (known.state == State::kWaiting) known.state = State::kAsking;
    known.asking_since = position;
  }
  save();
}

}  // namespace kehu::membership
