#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "rule/window.h"
#include "translation/terms.h"

namespace kehu::translation {

// The one walk over the events that a rule costs: what is read of each event, which selectors it belongs to,
// and what they add up to for each customer. Everything that is asked for twice stands there once.
//
//   SELECT customer_id, <aggregates> FROM
//     (SELECT *, <flags> FROM
//       (SELECT *, <properties> FROM events WHERE <names and bounds of all selectors>))
//   GROUP BY customer_id
class EventRows {
 public:
  // A column with the values of a path, tagged; read for events of this name only (empty: any).
  Term property(const std::string& path, const std::string& event);
  // A column that tells whether an event is one of the name (empty: any) within the bounds for which the
  // condition holds (empty: always).
  std::string flag(const std::string& event, const rule::Extent& bounds, const std::string& condition);
  // A column of the customers: an aggregate over columns of events. NULL for a customer without events.
  std::string total(const std::string& aggregate);

  bool empty() const { return totals_.empty(); }
  std::string sql(const std::string& events) const;
  // The walk alone: in parentheses, with `key`, t (microseconds) and all columns that were asked for, events
  // of no selector left out.
  std::string walk(const std::string& events, const std::string& key) const;

 private:
  struct Property {
    std::string name;
    std::string call;
    std::set<std::string> events;  // that are asked for it; with an empty one all are
  };

  std::string bounds_of_all(const std::string& key) const;

  std::map<std::string, Property> properties_;  // by path
  std::map<std::string, std::string> flags_;    // by text: its column
  std::map<std::string, std::string> totals_;
  std::set<std::string> events_;  // that selectors name
  std::optional<Instant> first_;  // the earliest bound
};

}  // namespace kehu::translation
