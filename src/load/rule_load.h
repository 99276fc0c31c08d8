#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "engine/engine.h"

// Rules for benchmarks: segments and tags over demo::LoadProfile's mixed events.
namespace kehu::load {

// The n-th of them, as text of a *.kehu file. Ten kinds take turns over all names of events, with other
// bounds each time, so that few of them can share what they count.
std::string bench_rule(size_t n);

// A tag of one name of events, with one of three values or none.
std::string bench_tag(size_t n);

// Makes the first `count` of one kind.
absl::Status define_rules(engine::Engine& engine, size_t count, std::string (*rule)(size_t n) = bench_rule);

}  // namespace kehu::load
