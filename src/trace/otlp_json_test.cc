#include "trace/otlp_json.h"

#include <gtest/gtest.h>

namespace kehu::trace {
namespace {

Span span_of(SpanId parent) {
  Span span;
  span.name = "POST /v1/batch";
  span.kind = Kind::kServer;
  span.trace = {0x5b8efff798038103, 0xd269b633813fc60c};
  span.id = SpanId(0x00eee19b7ec3c1b1);
  span.parent = parent;
  span.began_ns = 1'544'712'660'000'000'001;
  span.ended_ns = 1'544'712'661'000'000'000;
  return span;
}

constexpr std::string_view kBegin =
    R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},)"
    R"({"key":"service.version","value":{"stringValue":"1.2"}},)"
    R"({"key":"service.instance.id","value":{"stringValue":"i1"}}]},)"
    R"("scopeSpans":[{"scope":{"name":"kehu"},"spans":[)";
constexpr std::string_view kIds =
    R"({"traceId":"5b8efff798038103d269b633813fc60c","spanId":"00eee19b7ec3c1b1",)";
constexpr std::string_view kTimes =
    R"("startTimeUnixNano":"1544712660000000001","endTimeUnixNano":"1544712661000000000",)";
constexpr std::string_view kEnd = R"(]}]}]})";

std::string expected(std::string_view span) { return std::string(kBegin).append(span).append(kEnd); }

const Resource kResource{.service_name = "shop", .service_version = "1.2", .instance_id = "i1"};

TEST(OtlpJson, RootSpan) {
  const Span span = span_of({});
  EXPECT_EQ(otlp_json(kResource, {&span, 1}), expected(std::string(kIds)
                                                           .append(R"("name":"POST /v1/batch","kind":2,)")
                                                           .append(kTimes)
                                                           .append(R"("attributes":[],"status":{}})")));
}

TEST(OtlpJson, ChildWithAttributesThatFailed) {
  Span span = span_of(SpanId(0xabc));
  span.kind = Kind::kInternal;
  span.failed = true;
  span.attributes = {{"http.route", "/v1/\"x\""}, {"http.response.status_code", int64_t{503}}};
  EXPECT_EQ(otlp_json(kResource, {&span, 1}),
            expected(std::string(kIds)
                         .append(R"("parentSpanId":"0000000000000abc","name":"POST /v1/batch","kind":1,)")
                         .append(kTimes)
                         .append(R"("attributes":[{"key":"http.route","value":{"stringValue":"/v1/\"x\""}},)")
                         .append(R"({"key":"http.response.status_code","value":{"intValue":"503"}}],)")
                         .append(R"("status":{"code":2}})")));
}

}  // namespace
}  // namespace kehu::trace
