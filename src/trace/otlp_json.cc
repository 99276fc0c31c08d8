#include "trace/otlp_json.h"

#include "json/writer.h"

namespace kehu::trace {
namespace {

constexpr int kStatusError = 2;

std::string hex(SpanId id) { return Hash128{0, id.value()}.hex().substr(16); }

void write_attribute(std::string_view name, std::string_view text, json::Writer& writer) {
  writer.begin_object().field("key", name).key("value").begin_object();
  writer.field("stringValue", text).end_object().end_object();
}

void write_attribute(std::string_view name, int64_t number, json::Writer& writer) {
  writer.begin_object().field("key", name).key("value").begin_object();
  writer.field("intValue", std::to_string(number)).end_object().end_object();
}

void write_span(const Span& span, json::Writer& writer) {
  writer.begin_object().field("traceId", span.trace.hex()).field("spanId", hex(span.id));
  if (span.parent != SpanId()) writer.field("parentSpanId", hex(span.parent));
  writer.field("name", span.name).field("kind", static_cast<int>(span.kind));
  writer.field("startTimeUnixNano", std::to_string(span.began_ns));
  writer.field("endTimeUnixNano", std::to_string(span.ended_ns));
  writer.key("attributes").begin_array();
  for (const Attribute& attribute : span.attributes) {
    std::visit([&](const auto& value) { write_attribute(attribute.name, value, writer); }, attribute.value);
  }
  writer.end_array().key("status").begin_object();
  if (span.failed) writer.field("code", kStatusError);
  writer.end_object().end_object();
}

}  // namespace

std::string otlp_json(const Resource& resource, absl::Span<const Span> spans) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("resourceSpans").begin_array().begin_object();
  writer.key("resource").begin_object().key("attributes").begin_array();
  write_attribute("service.name", resource.service_name, writer);
  write_attribute("service.version", resource.service_version, writer);
  write_attribute("service.instance.id", resource.instance_id, writer);
  writer.end_array().end_object().key("scopeSpans").begin_array().begin_object();
  writer.key("scope").begin_object().field("name", "kehu").end_object().key("spans").begin_array();
  for (const Span& span : spans) write_span(span, writer);
  writer.end_array().end_object().end_array().end_object().end_array().end_object();
  return out;
}

}  // namespace kehu::trace
