#include "rule/tree.h"

#include <array>

#include "base/check.h"

namespace kehu::rule {
namespace {

// In the order of Op.
constexpr std::array<std::string_view, 70> kOps = {
    "bool",       "number",       "text",     "date",       "span",     "list",       "trait",
    "trait_time", "trait_source", "tag",      "segment",    "in_list",  "list_value", "now",
    "today",      "property",     "channel",  "source",     "hour",     "weekday",    "holiday",
    "workday",    "and",          "or",       "not",        "equal",    "not_equal",  "less",
    "at_most",    "greater",      "at_least", "between",    "in",       "contains",   "starts_with",
    "ends_with",  "matches",      "is_known", "within",     "birthday", "plus",       "minus",
    "did",        "count",        "sum",      "average",    "min",      "max",        "distinct",
    "top",        "top_n",        "first",    "last",       "nth",      "share",      "active_days",
    "interval",   "days_since",   "age",      "sequence",   "stage",    "step",       "not_step",
    "events",     "band",         "case",     "percentile", "rfm",      "sql",        "agrees",
};
static_assert(kOps[static_cast<size_t>(kLastOp)] == "agrees");

}  // namespace

std::string_view to_string(Op op) {
  KEHU_CHECK(op <= kLastOp);
  return kOps[static_cast<size_t>(op)];
}

bool is_comparison(Op op) { return Op::kEqual <= op && op <= Op::kAtLeast; }
bool is_condition(Op op) { return Op::kAnd <= op && op <= Op::kBirthday; }
bool is_aggregate(Op op) {
  return Op::kDid <= op && op <= Op::kStage && op != Op::kDaysSince && op != Op::kAge;
}

std::string_view to_string(Kind kind) {
  if (kind == Kind::kCheck) return "check";
  return kind == Kind::kSegment ? "segment" : "tag";
}

}  // namespace kehu::rule
