#include "translation/event_rows.h"

#include <algorithm>

#include "base/text.h"
#include "translation/functions.h"

namespace kehu::translation {
namespace {

// An open window ends behind every instant that there is; one that is "ever" begins before.
bool has_beginning(const rule::Extent& bounds) { return bounds.from > kFirstInstant; }
bool has_end(const rule::Extent& bounds) { return bounds.to <= kLastInstant; }

std::string names(const std::set<std::string>& events) {
  std::string list;
  for (const std::string& event : events) list += cat(list.empty() ? "" : ", ", sql_literal(event));
  return cat("type = 'track' AND event IN (", list, ")");
}

bool any_event(const std::set<std::string>& events) { return events.contains(""); }

void add_condition(std::string& to, const std::string& condition) {
  to += cat(to.empty() ? "" : " AND ", condition);
}

}  // namespace

Term EventRows::property(const std::string& path, const std::string& event) {
  const bool several = path.find("[]") != path.npos;
  auto [found, is_new] = properties_.try_emplace(path);
  Property& property = found->second;
  if (is_new) {
    property.name = cat("p", properties_.size() - 1);
    property.call = cat(several ? kValuesFunction : kValueFunction, "(properties, ", sql_literal(path), ")");
  }
  property.events.insert(event);
  return {Form::kTagged, property.name, several};
}

std::string EventRows::flag(const std::string& event, const rule::Extent& bounds,
                            const std::string& condition) {
  events_.insert(event);
  first_ = std::min(first_.value_or(bounds.from), bounds.from);
  std::string cheap;
  if (!event.empty()) add_condition(cheap, names({event}));
  if (has_beginning(bounds)) add_condition(cheap, cat("t >= ", bounds.from.micros()));
  if (has_end(bounds)) add_condition(cheap, cat("t < ", bounds.to.micros()));
  if (cheap.empty()) cheap = "true";
  const std::string sql =
      condition.empty() ? cheap : cat("CASE WHEN ", cheap, " THEN ", condition, " ELSE false END");
  return flags_.try_emplace(sql, cat("m", flags_.size())).first->second;
}

std::string EventRows::total(const std::string& aggregate) {
  return totals_.try_emplace(aggregate, cat("a", totals_.size())).first->second;
}

// What the scan itself can leave out, by the statistics of files and row groups.
std::string EventRows::bounds_of_all(const std::string& key) const {
  std::string condition = cat(key, " IS NOT NULL");
  if (!any_event(events_)) add_condition(condition, names(events_));
  if (first_ && *first_ > kFirstInstant) {
    add_condition(condition, cat("time >= TIMESTAMPTZ ", sql_literal(format_utc(*first_))));
  }
  return condition;
}

std::string EventRows::walk(const std::string& events, const std::string& key) const {
  std::string properties, flags, any;
  for (const auto& [path, property] : properties_) {
    const std::string call = any_event(property.events)
                                 ? property.call
                                 : cat("CASE WHEN ", names(property.events), " THEN ", property.call, " END");
    properties += cat(", ", call, " AS ", property.name);
  }
  for (const auto& [sql, name] : flags_) {
    flags += cat(", ", sql, " AS ", name);
    any += cat(any.empty() ? "" : " OR ", name);
  }
  return cat("(SELECT * FROM (SELECT *", flags, " FROM (SELECT *", properties, " FROM (SELECT ", key,
             ", epoch_us(time) AS t, type, event, channel, source, properties FROM ", events, " WHERE ",
             bounds_of_all(key), "))) WHERE ", any, ")");
}

std::string EventRows::sql(const std::string& events) const {
  std::string totals;
  for (const auto& [aggregate, name] : totals_) totals += cat(", ", aggregate, " AS ", name);
  return cat("SELECT customer_id", totals, " FROM ", walk(events, "customer_id"), " GROUP BY customer_id");
}

}  // namespace kehu::translation
