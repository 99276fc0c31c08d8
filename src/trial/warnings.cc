#include "trial/warnings.h"

#include <algorithm>
#include <string>

#include "replica/replica.h"
#include "rule/check.h"
#include "rule/nodes.h"
#include "shard/name_table.h"

namespace kehu::trial {
namespace {

struct Names {
  std::vector<std::string> events;
  std::vector<std::string> traits;
};

void add(std::vector<std::string>& names, std::string name) {
  if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
}

void collect(const rule::Node& node, Names& names) {
  if (node.op == rule::Op::kEvents) add(names.events, node.text);
  if (rule::asks_trait(node.op)) add(names.traits, std::string(rule::trait_of(node.text)));
  for (const rule::Node& child : node.of) collect(child, names);
}

}  // namespace

absl::StatusOr<std::vector<rule::Problem>> warnings_of(engine::Engine& engine,
                                                       const rule::Definition& definition) {
  Names names;
  collect(definition.body, names);
  const auto seen = engine.ask<Names>([&names](replica::Replica& replica) {
    const shard::NameTable& table = replica.shard().names();
    return Names{table.known_or_near(names.events), table.known_or_near(names.traits)};
  });
  if (!seen.ok()) return seen.status();
  std::vector<rule::Problem> warnings;
  rule::check(definition, {.events = seen->events, .traits = seen->traits}, &warnings);
  return warnings;
}

void write_warnings(json::Writer& writer, absl::Span<const rule::Problem> warnings) {
  writer.key("warnings").begin_array();
  for (const rule::Problem& warning : warnings) {
    writer.begin_object().field("line", warning.place.line).field("column", warning.place.column);
    writer.field("message", warning.message).field("suggestion", warning.suggestion).end_object();
  }
  writer.end_array();
}

}  // namespace kehu::trial
