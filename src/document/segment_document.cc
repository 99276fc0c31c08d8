#include "document/segment_document.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.h"
#include "definition/backfill_pause.h"
#include "document/customer_document.h"
#include "notation/format.h"
#include "rule/nodes.h"
#include "seal/opener.h"
#include "text/near_word.h"

namespace kehu::document {
namespace {

using membership::Plan;

absl::StatusOr<const Plan::Rule*> rule_of(replica::Replica& replica, rule::Kind kind, std::string_view name) {
  const Plan& rules = replica.shard().rules();
  if (const auto index = rules.find(kind, name)) return &rules.at(*index);
  std::vector<std::string> names;
  for (const uint32_t index : rules.all()) {
    const rule::Definition& definition = rules.at(index).version.definition;
    if (definition.kind == kind) names.push_back(definition.name);
  }
  return failure(absl::StatusCode::kNotFound, "there is no ", rule::to_string(kind), " ", name,
                 text::did_you_mean(name, names));
}

absl::StatusOr<const Plan::Rule*> segment_of(replica::Replica& replica, std::string_view name) {
  return rule_of(replica, rule::Kind::kSegment, name);
}

// Tokens are hashes, so how far a round has come among them says how many parts there are in all.
uint64_t parts_total(replica::Replica& replica, const membership::Registry::Round& round) {
  const double share = static_cast<double>(round.after.hash.high) / 0x1p64;
  if (round.parts == 0 || share <= 0)
    return static_cast<uint64_t>(std::max<int64_t>(0, replica.totals().customers));
  return std::max(round.parts, static_cast<uint64_t>(std::llround(static_cast<double>(round.parts) / share)));
}

// The members of a document that say how far what is being filled in has come.
void write_round(json::Writer& writer, replica::Replica& replica, const FillingPace& pace) {
  const auto round = replica.shard().registry().next_round();
  const bool paused = definition::is_backfill_paused(*replica.project());
  const bool none = round.kind == BackfillRound::kNone;
  writer.field("state", paused ? "paused" : none ? "idle" : "running");
  if (none) return;
  writer.field("step", round.kind == BackfillRound::kAsk ? "asking customers" : "counting events");
  writer.field("parts_done", round.parts).field("parts_total", parts_total(replica, round));
  writer.field("events_per_second", static_cast<uint64_t>(pace.events_per_second));
  writer.field("parts_per_second", static_cast<uint64_t>(pace.parts_per_second));
  if (!pace.trouble.empty()) writer.field("error", pace.trouble);
}

// A version that is being filled in while this one is in force, or this one itself.
void write_filling(json::Writer& writer, replica::Replica& replica, const Plan::Rule& rule,
                   const FillingPace& pace) {
  const rule::Definition& definition = rule.version.definition;
  const auto& known = replica.shard().registry().rules();
  const auto next = std::ranges::find_if(known, [&](const membership::Registry::Rule& other) {
    return other.kind == definition.kind && other.name == definition.name &&
           other.state != membership::Registry::State::kLive;
  });
  if (next == known.end()) return;
  writer.key("backfill").begin_object().field("version", next->version.value());
  write_round(writer, replica, pace);
  writer.end_object();
}

// How fresh is what the rule asks of all customers together.
void write_measured(json::Writer& writer, replica::Replica& replica, const Plan::Rule& rule) {
  const auto measures = rule::measures_of(rule.version.definition.body, rule.version.zone);
  if (measures.empty()) return;
  writer.key("measured").begin_array();
  for (const rule::Measure& measure : measures) {
    writer.begin_object().field("of", notation::format(measure.number, notation::Language::kEnglish));
    const measure::MeasuredCuts* known = replica.shard().measurements().cuts(measure.key);
    if (known == nullptr) {
      writer.raw_field("as_of", "null");
    } else {
      writer.field("as_of", format_utc(known->taken.as_of)).field("customers", known->taken.customers);
      writer.field("took_ms", known->taken.took.micros() / 1000);
    }
    writer.end_object();
  }
  writer.end_array();
}

// What became of the statement that fills a tag.
void write_run(json::Writer& writer, replica::Replica& replica, const Plan::Rule& rule) {
  if (!rule.program.is_batch()) return;
  const measure::MeasuredRun* run = replica.shard().measurements().run(membership::batch_key(rule.version));
  writer.key("run").begin_object();
  if (run == nullptr || !run->taken) {
    writer.raw_field("as_of", "null");
  } else {
    writer.field("as_of", format_utc(run->taken->as_of)).field("customers", run->taken->customers);
    writer.field("took_ms", run->taken->took.micros() / 1000);
  }
  if (run != nullptr && !run->error.empty()) {
    writer.field("failed_at", format_utc(run->failed_at)).field("error", run->error);
  }
  writer.end_object();
}

void write_rule(json::Writer& writer, replica::Replica& replica, const Plan::Rule& rule,
                const FillingPace& pace) {
  const rule::Definition& definition = rule.version.definition;
  writer.begin_object().field("name", definition.name);
  if (definition.kind == rule::Kind::kSegment) {
    writer.field("size", rule.is_live() ? replica.shard().index().size(rule.id) : 0);
  }
  writer.field("state", rule.is_live() ? "live" : "backfilling")
      .field("version", rule.version.version.value());
  write_filling(writer, replica, rule, pace);
  if (!definition.owner.empty()) writer.field("owner", definition.owner);
  if (!definition.description.empty()) writer.field("description", definition.description);
  writer.field("time_zone", rule.version.zone);
  writer.field("rule", notation::format(definition.body, notation::Language::kEnglish));
  write_measured(writer, replica, rule);
  write_run(writer, replica, rule);
  writer.field("as_of", format_utc(replica.tick())).end_object();
}

}  // namespace

void write_value(json::Writer& writer, std::string_view name, const rule::Value& value,
                 const BusinessZone& zone) {
  switch (value.kind) {
    case rule::Value::Kind::kUnknown:
      writer.raw_field(name, "null");
      return;
    case rule::Value::Kind::kBool:
      writer.field(name, value.truth);
      return;
    case rule::Value::Kind::kNumber:
      writer.raw_field(name, sum_to_string(value.number));
      return;
    case rule::Value::Kind::kList:
      writer.raw_field(name, value.text);
      return;
    default:
      writer.field(name, rule::as_text(value, zone).value_or(""));
  }
}

namespace {

std::string rules_document(replica::Replica& replica, rule::Kind kind, std::string_view list,
                           const FillingPace& pace) {
  const Plan& rules = replica.shard().rules();
  std::vector<const Plan::Rule*> all;
  for (uint32_t index = 0; index < rules.size(); ++index) {
    const Plan::Rule& rule = rules.at(index);
    const rule::Definition& definition = rule.version.definition;
    const bool in_force = rules.find(definition.kind, definition.name) == index;
    if (definition.kind == kind && in_force) all.push_back(&rule);
  }
  std::ranges::sort(all, {}, [](const Plan::Rule* rule) { return rule->version.definition.name; });
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key(list).begin_array();
  for (const Plan::Rule* rule : all) write_rule(writer, replica, *rule, pace);
  writer.end_array().end_object();
  return out;
}

absl::StatusOr<std::string> rule_document(replica::Replica& replica, rule::Kind kind, std::string_view name,
                                          const FillingPace& pace) {
  const auto rule = rule_of(replica, kind, name);
  if (!rule.ok()) return rule.status();
  std::string out;
  json::Writer writer(out);
  write_rule(writer, replica, **rule, pace);
  return out;
}

}  // namespace

std::string backfill_document(replica::Replica& replica, const FillingPace& pace) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  write_round(writer, replica, pace);
  writer.key("rules").begin_array();
  for (const membership::Registry::Rule& rule : replica.shard().registry().rules()) {
    if (rule.state == membership::Registry::State::kLive) continue;
    writer.begin_object().field(rule::to_string(rule.kind), rule.name).field("version", rule.version.value());
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

std::string segments_document(replica::Replica& replica, const FillingPace& pace) {
  return rules_document(replica, rule::Kind::kSegment, "segments", pace);
}
absl::StatusOr<std::string> segment_document(replica::Replica& replica, std::string_view name,
                                             const FillingPace& pace) {
  return rule_document(replica, rule::Kind::kSegment, name, pace);
}
std::string tags_document(replica::Replica& replica, const FillingPace& pace) {
  return rules_document(replica, rule::Kind::kTag, "tags", pace);
}
absl::StatusOr<std::string> tag_document(replica::Replica& replica, std::string_view name,
                                         const FillingPace& pace) {
  return rule_document(replica, rule::Kind::kTag, name, pace);
}

absl::StatusOr<std::string> members_document(engine::Engine& engine, replica::Replica& replica,
                                             std::string_view name, const MembersPage& wanted) {
  const auto rule = segment_of(replica, name);
  if (!rule.ok()) return rule.status();
  // Nobody is in a segment before all customers were asked.
  membership::Index::Page page;
  if ((*rule)->is_live()) page = replica.shard().index().page((*rule)->id, wanted.from, wanted.limit);
  const auto project = replica.project();
  seal::Opener opener(engine.key(), engine.ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("segment", name).key("members").begin_array();
  for (const CustomerId customer : page.customers) {
    const auto members = replica.shard().members(customer);
    if (!members.ok()) return members.status();
    writer.begin_object().field("customer_id", customer.hash.hex());
    if (const auto* entry = members->find((*rule)->id)) writer.field("since", format_utc(entry->since));
    write_identifiers(writer, replica.shard().identities().identifiers_of(customer), *project->settings(),
                      opener);
    writer.end_object();
  }
  writer.end_array();
  if (page.next != 0) writer.field("next", cat(page.next));
  writer.end_object();
  return out;
}

absl::StatusOr<std::string> overlap_document(replica::Replica& replica, absl::Span<const std::string> names) {
  const membership::Index& index = replica.shard().index();
  std::vector<membership::RuleId> rules;
  bool all_live = true;
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("segments").begin_array();
  for (const std::string& name : names) {
    const auto rule = segment_of(replica, name);
    if (!rule.ok()) return rule.status();
    rules.push_back((*rule)->id);
    all_live = all_live && (*rule)->is_live();
    writer.begin_object().field("name", name).field("size", (*rule)->is_live() ? index.size((*rule)->id) : 0);
    writer.end_object();
  }
  writer.end_array().field("overlap", all_live ? index.overlap(rules) : 0);
  writer.field("as_of", format_utc(replica.tick())).end_object();
  return out;
}

namespace {

// Of a trait that is unknown to rules because of who wrote it, and of a list that nobody is on to them.
void write_disbelief(json::Writer& writer, replica::Replica& replica, const rule::Node& node,
                     CustomerId customer) {
  if (replica.shard().quarantines().empty()) return;
  if (rule::asks_list(node.op)) {
    const auto* quarantine = replica.shard().quarantine_of_list(node.text);
    if (quarantine != nullptr) write_quarantine(writer.key("quarantined"), *quarantine);
    return;
  }
  if (node.op != rule::Op::kTrait) return;
  const auto profile = replica.shard().profile(customer, replica.tick());
  if (!profile.ok()) return;
  const std::string_view name = rule::trait_of(node.text);
  const auto trait = std::ranges::find(profile->traits, name, &TraitView::name);
  if (trait == profile->traits.end()) return;
  const auto* quarantine = replica.shard().quarantine_of(name, replica.project()->name_of(trait->source));
  if (quarantine == nullptr) return;
  writer.key("quarantined");
  write_quarantine(writer, *quarantine);
}

}  // namespace

absl::StatusOr<std::string> why_document(engine::Engine& engine, replica::Replica& replica,
                                         std::string_view name, CustomerId customer) {
  const auto rule = segment_of(replica, name);
  if (!rule.ok()) return rule.status();
  const auto members = replica.shard().members(customer);
  if (!members.ok()) return members.status();
  const auto parts = replica.shard().parts(customer);
  if (!parts.ok()) return parts.status();
  std::vector<membership::Reason> reasons;
  if (!parts->empty()) {
    auto asked = replica.shard().why(customer, **rule, engine.clock().now());
    if (!asked.ok()) return asked.status();
    reasons = *std::move(asked);
  }
  const BusinessZone zone = BusinessZone::load((*rule)->version.zone).value_or(BusinessZone());
  const auto* entry = members->find((*rule)->id);
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("segment", name).field("customer_id", customer.hash.hex());
  writer.field("in", entry != nullptr);
  if (entry != nullptr) writer.field("since", format_utc(entry->since));
  if (parts->empty()) writer.field("note", "the customer has no events, and of those no rule is asked");
  writer.field("time_zone", (*rule)->version.zone).key("reasons").begin_array();
  for (const membership::Reason& reason : reasons) {
    writer.begin_object().field("rule", notation::format(*reason.node, notation::Language::kEnglish));
    writer.field("depth", reason.depth);
    write_value(writer, "value", reason.value, zone);
    write_disbelief(writer, replica, *reason.node, customer);
    if (reason.until != kLastInstant) writer.field("until", format_utc(reason.until));
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

void write_memberships(json::Writer& writer, replica::Replica& replica, CustomerId customer) {
  const Plan& rules = replica.shard().rules();
  const auto members = replica.shard().members(customer);
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, const membership::Members::Entry*>> tags;
  if (members.ok()) {
    for (const membership::Members::Entry& entry : members->entries()) {
      const rule::Definition& definition = rules.at(*rules.find(entry.rule)).version.definition;
      if (definition.kind == rule::Kind::kSegment) {
        segments.push_back(definition.name);
      } else {
        tags.emplace_back(definition.name, &entry);
      }
    }
  }
  std::ranges::sort(segments);
  std::ranges::sort(tags, {}, &decltype(tags)::value_type::first);
  writer.key("segments").begin_array();
  for (const std::string& name : segments) writer.value(name);
  writer.end_array().key("tags").begin_object();
  for (const auto& [name, entry] : tags) {
    write_value(writer, name, entry->value, replica.project()->settings()->zone);
  }
  writer.end_object();
}

}  // namespace kehu::document
