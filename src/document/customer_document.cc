#include "document/customer_document.h"

#include <algorithm>

#include "base/civil_day.h"
#include "base/money.h"
#include "base/text.h"
#include "document/segment_document.h"
#include "json/document.h"
#include "json/writer.h"
#include "list/standing.h"
#include "seal/masks.h"
#include "seal/opener.h"

namespace kehu::document {
namespace {

std::string_view to_string(Metric::Kind kind) {
  switch (kind) {
    case Metric::Kind::kSum:
      return "sum";
    case Metric::Kind::kDistinct:
      return "distinct";
    case Metric::Kind::kTop:
      return "top";
  }
  return "unknown";
}

void write_seen(json::Writer& writer, const ProfileView& profile) {
  writer.field("events", profile.events);
  if (profile.events > 0) {
    writer.field("first_seen", format_utc(profile.first_seen));
    writer.field("last_seen", format_utc(profile.last_seen));
  }
  writer.key("channels").begin_array();
  for (const SeenView& seen : profile.channels) {
    writer.begin_object().field("channel", seen.channel);
    writer.field("first_seen", format_utc(seen.first)).field("last_seen", format_utc(seen.last)).end_object();
  }
  writer.end_array();
}

bool is_list(const TraitView& trait) { return trait.name.starts_with(list::kTraitPrefix); }

// What lists say of the customer; those that it is not on are left out.
void write_lists(json::Writer& writer, const ProfileView& profile, replica::Replica& replica,
                 seal::Opener& opener) {
  writer.key("lists").begin_object();
  for (const auto& [name, standing] : replica.shard().uploaded_lists()) {
    const auto trait = std::ranges::find(profile.traits, standing.trait, &TraitView::name);
    if (trait == profile.traits.end()) continue;
    const auto document = json::Document::parse(trait->value);
    if (!document.ok() || document->root().find(list::kNonceMember).as_string() != standing.nonce) continue;
    const json::Value value = document->root().find(list::kValueMember);
    writer.key(name).begin_object();
    writer.raw_field("value",
                     seal::mask_json(value.raw(), opener, {.json_key = list::kValueMember, .owner = {}}));
    writer.field("since", format_utc(trait->time)).field("source", replica.project()->name_of(trait->source));
    if (const auto* quarantine = replica.shard().quarantine_of_list(name)) {
      writer.key("quarantined");
      write_quarantine(writer, *quarantine);
    }
    writer.end_object();
  }
  writer.end_object();
}

// Values by name, and beside them where each came from.
void write_traits(json::Writer& writer, const ProfileView& profile, replica::Replica& replica,
                  seal::Opener& opener) {
  writer.key("traits").begin_object();
  for (const TraitView& trait : profile.traits) {
    if (is_list(trait)) continue;
    writer.raw_field(trait.name, seal::mask_json(trait.value, opener, {.json_key = trait.name, .owner = {}}));
  }
  writer.end_object().key("trait_sources").begin_object();
  for (const TraitView& trait : profile.traits) {
    if (is_list(trait)) continue;
    writer.key(trait.name).begin_object().field("time", format_utc(trait.time));
    const std::string source(replica.project()->name_of(trait.source));
    writer.field("source", source);
    if (const auto* quarantine = replica.shard().quarantine_of(trait.name, source)) {
      writer.key("quarantined");
      write_quarantine(writer, *quarantine);
    }
    writer.end_object();
  }
  writer.end_object();
  writer.field("traits_left_out", profile.traits_left_out).field("traits_too_long", profile.traits_too_long);
}

template <class T, class Write>
void each_window(const Windows<T>& days, Write&& write) {
  write("today", days.today);
  write("last_7d", days.last_7d);
  write("last_30d", days.last_30d);
  write("last_90d", days.last_90d);
  write("last_365d", days.last_365d);
}

void write_counters(json::Writer& writer, const ProfileView& profile) {
  writer.key("counters").begin_array();
  for (const CounterView& counter : profile.counters) {
    writer.begin_object().field("type", kehu::to_string(counter.type)).field("event", counter.name);
    writer.field("total", counter.total);
    writer.field("first", format_utc(counter.first)).field("last", format_utc(counter.last));
    writer.field("last_hour", counter.last_hour).field("last_24h", counter.last_24h);
    each_window(counter.days, [&](const char* name, uint64_t n) { writer.field(name, n); });
    writer.end_object();
  }
  writer.end_array();
}

void write_metrics(json::Writer& writer, const ProfileView& profile) {
  writer.key("metrics").begin_array();
  for (const MetricView& metric : profile.metrics) {
    writer.begin_object().field("kind", to_string(metric.kind)).field("event", metric.event);
    writer.field("property", metric.property).field("count", metric.count);
    if (metric.kind == Metric::Kind::kSum) {
      writer.raw_field("sum", sum_to_string(metric.sum)).raw_field("min", sum_to_string(metric.min));
      writer.raw_field("max", sum_to_string(metric.max));
      if (metric.unread > 0) writer.field("unread", metric.unread);
      each_window(metric.days,
                  [&](const char* name, Sum sum) { writer.raw_field(name, sum_to_string(sum)); });
    } else {
      writer.field("distinct", metric.distinct).field("exact", metric.exact);
    }
    if (metric.kind == Metric::Kind::kTop) {
      writer.key("top").begin_array();
      for (const TopValue& top : metric.top) {
        writer.begin_object().field("value", top.value).field("count", top.count).end_object();
      }
      writer.end_array();
    }
    writer.end_object();
  }
  writer.end_array();
}

void write_orders(json::Writer& writer, const ProfileView& profile) {
  writer.key("revenue").begin_array();
  for (const RevenueView& revenue : profile.revenue) {
    writer.begin_object().field("currency", revenue.currency).field("orders", revenue.orders);
    writer.raw_field("revenue", sum_to_string(revenue.revenue));
    writer.raw_field("refunded", sum_to_string(revenue.refunded));
    if (revenue.estimated) writer.field("refunded_estimated", true);
    writer.end_object();
  }
  writer.end_array().key("orders").begin_array();
  for (const OrderView& order : profile.orders) {
    writer.begin_object().field("order_id", order.id).field("status", kehu::to_string(order.status));
    writer.field("currency", order.currency).key("amount");
    if (order.amount) {
      writer.raw(sum_to_string(*order.amount));
    } else {
      writer.null();
    }
    writer.raw_field("refunded", sum_to_string(order.refunded)).field("lines", order.lines);
    if (order.amount_unread) writer.field("amount_unread", true);
    if (order.currency_unread) writer.field("currency_unread", true);
    writer.field("first", format_utc(order.first)).field("last", format_utc(order.last)).end_object();
  }
  writer.end_array().field("orders_sampled", profile.orders_sampled);
  writer.field("amounts_unread", profile.amounts_unread);
  writer.field("currencies_unread", profile.currencies_unread);
}

void write_recent(json::Writer& writer, const ProfileView& profile, const engine::Project& project) {
  writer.key("recent_events").begin_array();
  for (const RecentEventView& recent : profile.recent) {
    writer.begin_object().field("time", format_utc(recent.time)).field("type", kehu::to_string(recent.type));
    writer.field("event", recent.name).field("channel", recent.channel);
    writer.field("source", project.name_of(recent.source)).end_object();
  }
  writer.end_array();
}

}  // namespace

void write_identifiers(json::Writer& writer, const std::vector<identity::KnownIdentifier>& identifiers,
                       const Settings& settings, seal::Opener& opener) {
  writer.key("identifiers");
  write_identifier_list(writer, identifiers, settings, opener);
}

void write_identifier_list(json::Writer& writer, const std::vector<identity::KnownIdentifier>& identifiers,
                           const Settings& settings, seal::Opener& opener) {
  writer.begin_array();
  for (const identity::KnownIdentifier& known : identifiers) {
    writer.begin_object().field("type", settings.rule(known.type).name);
    writer.field("value", known.sealed ? seal::mask_identifier(known.value, opener) : known.value);
    writer.field("masked", known.sealed).field("shared", known.shared).field("token", known.token.hash.hex());
    writer.field("first_seen", format_utc(known.first_time)).field("first_record", known.first_seen.value());
    writer.end_object();
  }
  writer.end_array();
}

absl::StatusOr<std::string> customer_document(engine::Engine& engine, replica::Replica& replica,
                                              CustomerId customer) {
  const Instant now = engine.clock().now();
  const auto profile = replica.shard().profile(customer, now);
  if (!profile.ok()) return profile.status();
  const auto project = replica.project();
  seal::Opener opener(engine.key(), engine.ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("customer_id", customer.hash.hex()).field("as_of", format_utc(now));
  writer.field("time_zone", project->settings()->time_zone).field("log_position", replica.applied().value());
  write_identifiers(writer, replica.shard().identities().identifiers_of(customer), *project->settings(),
                    opener);
  write_seen(writer, *profile);
  write_traits(writer, *profile, replica, opener);
  write_lists(writer, *profile, replica, opener);
  write_counters(writer, *profile);
  write_metrics(writer, *profile);
  write_orders(writer, *profile);
  write_recent(writer, *profile, *project);
  write_memberships(writer, replica, customer);
  writer.end_object();
  return out;
}

namespace {

std::string_view to_string(identity::LinkKind kind) {
  switch (kind) {
    case identity::LinkKind::kEvidence:
      return "evidence";
    case identity::LinkKind::kAlias:
      return "alias";
    case identity::LinkKind::kManual:
      return "manual";
  }
  return "unknown";
}

std::string_view to_string(identity::ChangeKind kind) {
  switch (kind) {
    case identity::ChangeKind::kJoined:
      return "joined";
    case identity::ChangeKind::kSeparated:
      return "separated";
    case identity::ChangeKind::kTakenOut:
      return "taken_out";
    case identity::ChangeKind::kSplit:
      return "split";
  }
  return "unknown";
}

}  // namespace

void write_link(json::Writer& writer, const identity::Link& link, const engine::Project& project) {
  writer.begin_object().field("link", link.sequence.value()).field("kind", to_string(link.kind));
  writer.field("a", link.a.hash.hex()).field("b", link.b.hash.hex()).field("time", format_utc(link.time));
  if (link.kind == identity::LinkKind::kManual) {
    writer.field("actor", link.actor).field("reason", link.reason);
  } else {
    writer.field("source", project.name_of(link.source)).field("message_id", link.message_id);
  }
  if (!link.absorbed.hash.is_zero()) writer.field("absorbed_customer", link.absorbed.hash.hex());
  writer.end_object();
}

std::string identity_document(engine::Engine& engine, replica::Replica& replica, CustomerId customer) {
  const auto project = replica.project();
  const identity::Graph& graph = replica.shard().identities();
  seal::Opener opener(engine.key(), engine.ring());
  std::string out;
  json::Writer writer(out);
  writer.begin_object().field("customer_id", customer.hash.hex());
  write_identifiers(writer, graph.identifiers_of(customer), *project->settings(), opener);
  writer.key("links").begin_array();
  for (const identity::Link& link : graph.links(customer)) write_link(writer, link, *project);
  writer.end_array().key("separations").begin_array();
  for (const identity::Separation& separation : graph.separations(customer)) {
    writer.begin_object().field("own", separation.own.hash.hex()).field("other", separation.other.hash.hex());
    writer.field("record", separation.sequence.value()).field("time", format_utc(separation.time));
    writer.field("actor", separation.actor).field("reason", separation.reason).end_object();
  }
  writer.end_array().key("refusals").begin_array();
  for (const identity::Refusal& refusal : graph.refusals(customer)) {
    writer.begin_object().field("type", project->settings()->rule(refusal.type).name);
    writer.field("reason", kehu::to_string(refusal.reason)).field("record", refusal.sequence.value());
    writer.field("token", refusal.token.hash.hex()).end_object();
  }
  writer.end_array().key("history").begin_array();
  for (const identity::Change& change : graph.history(customer)) {
    writer.begin_object().field("change", to_string(change.kind)).field("record", change.sequence.value());
    writer.field("time", format_utc(change.time)).field("token", change.token.hash.hex());
    writer.field("other_customer", change.other.hash.hex()).end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace kehu::document
