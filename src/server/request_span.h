#pragma once

#include "http/router.h"
#include "server/framing.h"
#include "trace/tracer.h"

// Spans of requests, by OpenTelemetry's semantic conventions for HTTP servers. Left out is what may name a
// person or open a door: addresses, user agents, queries, and paths with a parameter in them.
namespace kehu::server {

struct RequestScheme {
  bool secure = false;
  bool http11 = true;
};

// From the whole header on; empty, as mostly, when it is not recorded. `traceparent` makes it a child.
trace::ActiveSpan begin_span(trace::Tracer& tracer, const Head& head, const RequestScheme& scheme);
void name_route(const http::Route& route, trace::ActiveSpan& span);
void end_span(int status, trace::ActiveSpan& span);

}  // namespace kehu::server
