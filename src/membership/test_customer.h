#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "interpreter/interpreter.h"
#include "membership/program.h"
#include "property/event_fields.h"
#include "rule/nodes.h"
#include "tally/folder.h"
#include "tally/plan.h"
#include "tally/totals.h"

namespace kehu::membership {

// A rule with its tallies, as tests compile one.
class CompiledRule {
 public:
  CompiledRule(const rule::Node& expression, const std::string& zone)
      : program_(expression, zone,
                 {.tally = [this](const tally::Spec& spec) { return index_of(spec); },
                  .rule = [this](rule::Kind kind,
                                 std::string_view name) { return std::optional(named(kind, name)); }}),
        plan_(specs_, fields_) {}

  const Program& program() const { return program_; }
  const tally::Plan& plan() const { return plan_; }
  const property::FieldPlan& fields() const { return fields_; }
  // Segments and tags that it names, by the index under which it asks for them.
  const std::vector<std::pair<rule::Kind, std::string>>& names() const { return names_; }

 private:
  uint32_t named(rule::Kind kind, std::string_view name) {
    names_.emplace_back(kind, name);
    return static_cast<uint32_t>(names_.size() - 1);
  }
  uint32_t index_of(const tally::Spec& spec) {
    const auto [at, is_new] = indexes_.try_emplace(spec.key(), static_cast<uint32_t>(specs_.size()));
    if (is_new) specs_.emplace_back(tally::TallyId(at->second + 1), spec);
    return at->second;
  }

  std::map<std::string, uint32_t> indexes_;
  std::vector<std::pair<rule::Kind, std::string>> names_;
  std::vector<std::pair<tally::TallyId, tally::Spec>> specs_;
  property::FieldPlan fields_;
  Program program_;
  tally::Plan plan_;
};

// A customer of several parts, whose events are folded one after the other.
class FoldedCustomer final : public Asked {
 public:
  FoldedCustomer(const CompiledRule& rule, const interpreter::Facts& facts, size_t parts)
      : rule_(rule), facts_(facts), parts_(parts) {}

  void fold(const Event& event, size_t part) {
    const auto* paths = rule_.fields().of(event.name_id(), event.source);
    fields_.read(event.type == EventType::kTrack ? paths : nullptr, event.properties);
    std::string out;
    const auto counted =
        folder_.fold(rule_.plan(), parts_[part], {event, fields_, facts_.source_name(event.source)}, out);
    ok_ &= counted.ok();
    if (counted.ok() && *counted) parts_[part] = out;
  }
  // All parts as one.
  std::string merged() {
    std::string all;
    for (const std::string& part : parts_) {
      std::string out;
      ok_ &= folder_.merge(rule_.plan(), all, part, out).ok();
      all = out;
    }
    return all;
  }
  Answer answer_at(Instant now) {
    now_ = now;
    std::vector<std::string_view> views(parts_.begin(), parts_.end());
    totals_.open(rule_.plan(), views);
    const Answer answer = rule_.program().answer(*this);
    ok_ &= !totals_.failed();
    return answer;
  }
  bool ok() const { return ok_; }

  Instant now() const override { return now_; }
  tally::Totals& totals() override { return totals_; }
  rule::Value trait(rule::Op op, std::string_view path) override {
    if (rule::has_several(op, path)) {
      std::vector<json::RawValue> values;
      facts_.each_trait(path, [&](const json::RawValue& value) { values.push_back(value); });
      return rule::Value::several(values);
    }
    if (op == rule::Op::kTrait) {
      const auto raw = facts_.trait(path);
      return raw ? rule::Value::of(*raw) : rule::Value();
    }
    if (rule::asks_list(op)) {
      const auto value = facts_.list_value(path);
      return op == rule::Op::kListed ? rule::Value::of(value.has_value()) : value.value_or(rule::Value());
    }
    const auto origin = facts_.origin(path);
    if (!origin) return {};
    return op == rule::Op::kTraitTime ? rule::Value::of(origin->time) : rule::Value::of(origin->source);
  }
  rule::Value result(uint32_t index) override {
    const auto& [kind, name] = rule_.names()[index];
    if (kind == rule::Kind::kTag) return facts_.tag(name);
    return facts_.in_segment(name) ? rule::Value::of(true) : rule::Value();
  }
  const rule::Cuts* cuts(std::string_view key) override { return facts_.cuts(key); }

 private:
  const CompiledRule& rule_;
  const interpreter::Facts& facts_;
  std::vector<std::string> parts_;
  property::EventFields fields_;
  tally::Folder folder_;
  tally::Totals totals_;
  Instant now_;
  bool ok_ = true;
};

}  // namespace kehu::membership
