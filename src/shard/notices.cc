#include "shard/notices.h"

#include "base/civil_day.h"
#include "base/text.h"
#include "json/writer.h"
#include "rule/value_json.h"

namespace kehu::shard {
namespace {

// The body of an intent up to its data: {"type","timestamp","noted","data": …
json::Writer& begin_message(json::Writer& writer, std::string_view type, Instant at, Instant tick) {
  writer.begin_object().field("type", type).field("timestamp", format_utc(at));
  return writer.field("noted", format_utc(tick)).key("data").begin_object();
}

std::string body_of(const MembershipChange& change, Instant tick) {
  const membership::Label& rule = *change.rule;
  const bool segment = rule.kind == rule::Kind::kSegment;
  const std::string_view type = !segment                      ? "tag.changed"
                                : change.change.after.known() ? "segment.entered"
                                                              : "segment.left";
  std::string out;
  json::Writer writer(out);
  begin_message(writer, type, change.change.at, tick).field("name", rule.name);
  writer.field("version", rule.version.value()).field("customer_id", change.customer.hash.hex());
  writer.field("since", format_utc(change.change.at));
  writer.raw_field("before", rule::json_of(rule.kind, change.change.before, rule.zone));
  writer.raw_field("after", rule::json_of(rule.kind, change.change.after, rule.zone));
  writer.end_object().end_object();
  return out;
}

std::string body_of(const RuleChange& change, uint64_t size, Instant tick) {
  const membership::Label& rule = *change.rule;
  std::string out;
  json::Writer writer(out);
  const std::string type = cat(rule::to_string(rule.kind), change.in_force ? ".updated" : ".deleted");
  begin_message(writer, type, change.at, tick).field("name", rule.name);
  if (change.in_force) writer.field("version", rule.version.value());
  if (change.in_force && rule.kind == rule::Kind::kSegment) writer.field("size", size);
  writer.end_object().end_object();
  return out;
}

}  // namespace

IntentKey next_intent(Sequence sequence, const Effects& effects) {
  if (effects.intents.empty() || effects.intents.back().key.sequence != sequence) return {sequence, 0};
  return {sequence, effects.intents.back().key.ordinal + 1};
}

void Notices::changed(const MembershipChange& change, Instant tick, Effects& effects) {
  std::string body;
  for (const auto& webhook : webhooks_) {
    if (!webhook->wants(rule::to_string(change.rule->kind), change.rule->name)) continue;
    if (body.empty()) body = body_of(change, tick);
    send(*webhook, change.customer, change.sequence, body, effects);
  }
}

void Notices::updated(const RuleChange& change, uint64_t size, Instant tick, Effects& effects) {
  for (const auto& webhook : webhooks_) {
    if (!webhook->wants(rule::to_string(change.rule->kind), change.rule->name)) continue;
    send(*webhook, {}, change.sequence, body_of(change, size, tick), effects);
  }
}

void Notices::send(const definition::Webhook& webhook, CustomerId customer, Sequence sequence,
                   std::string body, Effects& effects) {
  Intent intent{.key = next_intent(sequence, effects),
                .channel = webhook.channel(),
                .customer = customer,
                .body = std::move(body)};
  outbox_.add(intent);
  effects.intents.push_back(std::move(intent));
}

}  // namespace kehu::shard
