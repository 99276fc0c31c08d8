#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/engine.h"
#include "json/writer.h"
#include "rule/problem.h"
#include "rule/tree.h"

// What is no error in a rule, and yet hardly meant: an event or a trait that never was, while one of nearly
// that name was, and a condition that never holds.
namespace kehu::trial {

// In the order of the tree, at most rule::kWarnings. The definition has passed rule::check(). What was seen
// is asked on the apply thread: some microseconds for each name, and a pass over all names if one is unknown.
absl::StatusOr<std::vector<rule::Problem>> warnings_of(engine::Engine& engine,
                                                       const rule::Definition& definition);

// The member "warnings": [{"line", "column", "message", "suggestion"}]; suggestion is empty where nothing is
// near.
void write_warnings(json::Writer& writer, absl::Span<const rule::Problem> warnings);

}  // namespace kehu::trial
