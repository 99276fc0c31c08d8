#include "server/request_span.h"

#include "base/text.h"
#include "trace/trace_parent.h"

namespace kehu::server {
namespace {

// A request that names two callers is of neither (W3C Trace Context, 3.2.1).
std::optional<trace::TraceParent> caller_of(const Head& head) {
  const http::Header* found = nullptr;
  for (const http::Header& header : head.headers) {
    if (!http::equals_ignore_case(header.name, "traceparent")) continue;
    if (found != nullptr) return std::nullopt;
    found = &header;
  }
  return found == nullptr ? std::nullopt : trace::parse_trace_parent(found->value);
}

bool is_literal(std::string_view pattern) {
  return pattern.find("/:") == std::string_view::npos && pattern.find("/*") == std::string_view::npos;
}

}  // namespace

trace::ActiveSpan begin_span(trace::Tracer& tracer, const Head& head, const RequestScheme& scheme) {
  const bool known = http::parse_method(head.method).has_value();
  trace::ActiveSpan span = tracer.request(known ? head.method : "HTTP", caller_of(head));
  if (!span) return span;
  span.set("http.request.method", std::string(known ? head.method : "_OTHER"));
  span.set("url.scheme", scheme.secure ? "https" : "http");
  span.set("network.protocol.version", scheme.http11 ? "1.1" : "1.0");
  if (head.content_length > 0) {
    span.set("http.request.body.size", static_cast<int64_t>(head.content_length));
  }
  return span;
}

void name_route(const http::Route& route, trace::ActiveSpan& span) {
  if (!span) return;
  span.rename(cat(to_string(route.method), " ", route.pattern));
  span.set("http.route", route.pattern);
  if (is_literal(route.pattern)) span.set("url.path", route.pattern);
}

void end_span(int status, trace::ActiveSpan& span) {
  if (!span) return;
  span.set("http.response.status_code", status);
  if (status >= 500) {
    span.set("error.type", std::to_string(status));
    span.fail();
  }
  span.end();
}

}  // namespace kehu::server
