#include "profile/plan.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"

namespace kehu::profile {
namespace {

// A path of one plain step is looked up while walking the object once for all metrics.
std::string plain_key(const json::FieldPath& path) {
  return path.text().find_first_of(".[]\\\"") == std::string::npos ? path.text() : std::string();
}

// A metric that is declared twice counts once.
void add(const Plan::MetricRule& rule, std::vector<Plan::MetricRule>& metrics) {
  const bool known = std::any_of(metrics.begin(), metrics.end(),
                                 [&](const Plan::MetricRule& other) { return other.id == rule.id; });
  if (!known) metrics.push_back(rule);
}

void add_path(const std::string& text, std::string_view property, std::vector<json::FieldPath>& paths) {
  auto path = json::FieldPath::parse(text);
  if (path.ok() && text != property) paths.push_back(*std::move(path));
}

// Where an event has the property of a standard event: "total" is in its amounts, "products[].category" in
// the categories of its products, "category" there or, where the event is about one product, beside them.
std::vector<json::FieldPath> instead_of(std::string_view property, const EventMeaning& meaning) {
  std::vector<json::FieldPath> paths;
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
  return paths;
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

Plan::Plan(const Settings& settings, absl::Span<const SourceName> sources)
    : zone_(settings.zone), rules_(compile(settings, "")) {
  for (const Vocabulary::OfSource& words : settings.vocabulary.sources) {
    for (const SourceName& source : sources) {
      if (source.name == words.source) of_source_[source.id.value()] = compile(settings, source.name);
    }
  }
}

Plan::Table Plan::compile(const Settings& settings, std::string_view source) {
  Table table;
  const std::vector<EventMeaning> words = meanings(settings.vocabulary, source);
  for (const EventMeaning& meaning : words) {
    if (order::order_step(meaning.means) == order::OrderStep::kNone) continue;
    table[name_id(meaning.event).value()].order = std::make_shared<const order::OrderWords>(meaning);
  }
  for (const Metric& metric : settings.metrics) {
    auto path = json::FieldPath::parse(metric.property);
    if (!path.ok()) continue;
    MetricRule rule{metric_id(metric), metric.kind, plain_key(*path), *path, {}};
    add(rule, table[name_id(metric.event).value()].metrics);
    for (const EventType type : {EventType::kPage, EventType::kScreen}) {
      if (metric.event == to_string(type)) add(rule, table[counter_key(type).value()].metrics);
    }
    for (const EventMeaning& meaning : words) {
      if (meaning.means != metric.event || meaning.event == metric.event) continue;
      rule.instead = instead_of(metric.property, meaning);
      add(rule, table[name_id(meaning.event).value()].metrics);
    }
  }
  return table;
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
