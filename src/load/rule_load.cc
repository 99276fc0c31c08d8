#include "load/rule_load.h"

#include <vector>

#include "base/text.h"
#include "definition/rules.h"
#include "demo/load_profile.h"
#include "notation/parse.h"

namespace kehu::load {

std::string bench_rule(size_t n) {
  constexpr auto& kEvents = demo::LoadProfile::kMixedEvents;
  const auto event = [n](size_t offset) {
    return cat("\"", kEvents[(n / 10 + offset) % kEvents.size()], "\"");
  };
  const std::string days = cat(7 + n % 83);
  const std::string name = cat(n % 10 == 5 || n % 10 == 8 ? "tag t" : "segment s", n, " = ");
  switch (n % 10) {
    case 0:
      return cat(name, "count(", event(0), " where category = \"snacks\", last ", days, " days) >= 3");
    case 1:
      return cat(name, "sum(price of ", event(0), ", last ", days, " days) > 5000");
    case 2:
      return cat(name, "ever(", event(0), ") and not did(", event(1), ", last ", days, " days)");
    case 3:
      return cat(name, "share(", event(0), " where price > ", n, ", last ", days, " days) > 0.5");
    case 4:
      return cat(name, "sequence(", event(0), " then not ", event(1), " within ", 10 + n % 50,
                 n == 4 ? " seconds)" : " minutes)");
    case 5:
      return cat(name, "top(category of ", event(0), ", last ", days, " days)");
    case 6:
      return cat(name, "avg(price of ", event(0), ") >= ", n);
    case 7:
      return cat(name, "days_since(last ", event(0), ") >= ", days);
    case 8:
      return cat(name, "stage(", event(0), " then ", event(1), " then ", event(2), ", last ", days, " days)");
    default:
      return cat(name, "count(", event(0), " where brand contains \"a\" and quantity >= 1, last ", 1 + n % 23,
                 " hours) >= 2");
  }
}

std::string bench_tag(size_t n) {
  const std::string_view event = demo::LoadProfile::kMixedEvents[n % demo::LoadProfile::kMixedEvents.size()];
  return cat("tag t", n, " = case when count(\"", event, "\", last 30 days) >= 3 then \"often\" when did(\"",
             event, "\", last 90 days) then \"now and then\" when ever(\"", event,
             "\") then \"long ago\" end");
}

absl::Status define_rules(engine::Engine& engine, size_t count, std::string (*rule)(size_t n)) {
  std::string text;
  for (size_t n = 0; n < count; ++n) text += rule(n) + "\n";
  std::vector<rule::Definition> rules;
  if (const auto problem = notation::parse_file(text, rules)) {
    return failure(absl::StatusCode::kInternal, "line ", problem->place.line, ": ", problem->message);
  }
  const definition::RuleChanges record(rules, "bench", Sequence());
  return rules.empty() ? absl::OkStatus() : engine.define(record.changes()).status();
}

}  // namespace kehu::load
