#include "profile/plan.h"

#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace kehu::profile {
namespace {

// The property's own name comes first.
void add_path(const std::string& text, std::string_view property, std::vector<json::FieldPath>& paths) {
  auto path = json::FieldPath::parse(text);
  if (path.ok()) paths.insert(text == property ? paths.begin() : paths.end(), *std::move(path));
}

// Adds the paths under which an event that means a standard one has a property of it, none when its words do
// not speak of that: "total" is in its
// amounts, "products[].category" in the categories of its products, "category" there or, where the event
// is about one product, beside them. The event is stored as it was sent and only read in the words of its
// source (docs/decisions/vocabulary.md).
void add_instead(std::string_view property, const EventMeaning& meaning,
                 std::vector<json::FieldPath>& paths) {
  const std::string products = cat(standard_property(Role::kProducts), "[].");
  const bool in_products = property.starts_with(products);
  const std::string_view name = in_products ? property.substr(products.size()) : property;
  for (size_t i = 0; i < kRoleCount; ++i) {
    const Role role = static_cast<Role>(i);
    if (name != standard_property(role) || (in_products && !is_of_product(role))) continue;
    if (!in_products) {
      for (const std::string& candidate : meaning.of(role)) add_path(candidate, property, paths);
    }
    if (!is_of_product(role)) continue;
    for (const std::string& list : meaning.of(Role::kProducts)) {
      for (const std::string& candidate : meaning.of(role)) {
        add_path(cat(list, "[].", candidate), property, paths);
      }
    }
  }
}

}  // namespace

NameId counter_key(EventType type) { return NameId(static_cast<uint64_t>(type)); }

NameId counter_key(const Event& event) {
  return event.type == EventType::kTrack ? event.name_id() : counter_key(event.type);
}

NameId metric_id(const Metric& metric) {
  const char kind = static_cast<char>('0' + static_cast<int>(metric.kind));
  return name_id(cat(kind, "\n", metric.event, "\n", metric.property));
}

// Meanings are worked out once for each version of the settings, and an event looks up its name in one
// table. A source with words of its own has a table of its own, in which the project's words are
// contained, so that an event never asks two.
Plan::Plan(const Settings& settings, absl::Span<const SourceName> sources, property::FieldPlan fields)
    : zone_(settings.zone), fields_(std::move(fields)), rules_(compile(settings, nullptr)) {
  for (const Vocabulary::OfSource& words : settings.vocabulary.sources) {
    for (const SourceName& source : sources) {
      if (source.name == words.source) of_source_[source.id.value()] = compile(settings, &source);
    }
  }
}

Plan::Table Plan::compile(const Settings& settings, const SourceName* source) {
  Table table;
  const auto events = [source](NameId name) {
    return property::Events{name, source == nullptr ? std::nullopt : std::optional(source->id)};
  };
  const std::vector<EventMeaning> words =
      meanings(settings.vocabulary, source == nullptr ? "" : source->name);
  for (const EventMeaning& meaning : words) {
    if (order::order_step(meaning.means) == order::OrderStep::kNone) continue;
    const NameId name = name_id(meaning.event);
    table[name.value()].order = std::make_shared<const order::OrderWords>(
        meaning, [&](const json::FieldPath& path) { return fields_.want(events(name), path); });
  }
  for (const Metric& metric : settings.metrics) {
    const auto path = json::FieldPath::parse(metric.property);
    if (!path.ok()) continue;
    const auto add = [&](NameId name, absl::Span<const json::FieldPath> paths) {
      add_metric(metric, paths, events(name), table[name.value()].metrics);
    };
    add(name_id(metric.event), {*path});
    for (const EventType type : {EventType::kPage, EventType::kScreen}) {
      if (metric.event == to_string(type)) add(counter_key(type), {*path});
    }
    for (const EventMeaning& meaning : words) {
      if (meaning.means != metric.event || meaning.event == metric.event) continue;
      std::vector<json::FieldPath> paths;
      add_instead(metric.property, meaning, paths);
      if (paths.empty()) paths.push_back(*path);
      add(name_id(meaning.event), paths);
    }
  }
  return table;
}

// A metric that is declared twice counts once.
void Plan::add_metric(const Metric& metric, absl::Span<const json::FieldPath> paths,
                      const property::Events& events, std::vector<MetricRule>& to) {
  MetricRule rule{metric_id(metric), metric.kind, {}};
  for (const MetricRule& known : to) {
    if (known.id == rule.id) return;
  }
  for (const json::FieldPath& path : paths) rule.slots.push_back(fields_.want(events, path));
  to.push_back(std::move(rule));
}

const property::PathTree* Plan::fields(const Event& event) const {
  return fields_.of(counter_key(event), event.source);
}

const Plan::Rules* Plan::rules(NameId counter_key, SourceId source) const {
  const Table* table = &rules_;
  if (!of_source_.empty()) {
    const auto own = of_source_.find(source.value());
    if (own != of_source_.end()) table = &own->second;
  }
  const auto found = table->find(counter_key.value());
  return found == table->end() ? nullptr : &found->second;
}

}  // namespace kehu::profile
