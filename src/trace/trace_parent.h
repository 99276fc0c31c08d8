#pragma once

#include <optional>
#include <string_view>

#include "trace/span.h"

namespace kehu::trace {

// The trace that a caller says it is in, and whether it records it.
struct TraceParent {
  TraceId trace = {};
  SpanId span = {};
  bool sampled = false;
};

// Of a header `traceparent` (W3C Trace Context, level 1; later versions as far as they are compatible).
// nullopt: it is to be ignored.
std::optional<TraceParent> parse_trace_parent(std::string_view header);

}  // namespace kehu::trace
