#include "load/protocol_load.h"

#include <utility>

#include "base/text.h"
#include "coding/packing.h"
#include "json/document.h"
#include "os/random.h"
#include "sensors/body.h"

namespace kehu::load {
namespace {

// What a call of the load says, as JSON texts.
struct Call {
  explicit Call(const std::string& text) : document(*json::Document::parse(text)) {}

  std::string_view raw(std::string_view member) const { return document.root().find(member).raw(); }
  // The members of the properties, without their braces.
  std::string_view properties() const {
    const std::string_view object = raw("properties");
    return object.substr(1, object.size() - 2);
  }

  json::Document document;
};

// As the SDK for Android writes it.
void append_sensors(const Call& call, Instant now, uint64_t number, std::string& out) {
  const int64_t ms = now.micros() / 1000;
  const std::string_view user = call.raw("userId");
  out += cat(
      R"({"distinct_id":)", user, R"(,"login_id":)", user, R"(,"identities":{"$identity_login_id":)", user,
      R"(},"lib":{"$lib":"Android","$lib_version":"6.7.1","$app_version":"2.1","$lib_method":"code"},)",
      R"("type":"track","event":"ProductViewed","_track_id":)", number, R"(,"time":)", ms,
      R"(,"_flush_time":)", ms,
      R"(,"properties":{"$lib":"Android","$lib_version":"6.7.1","$os":"Android","$os_version":"12",)"
      R"("$model":"P40","$brand":"HUAWEI","$manufacturer":"HUAWEI","$screen_width":1080,"$screen_height":2340,)"
      R"("$wifi":true,"$network_type":"WIFI","$carrier":"中国移动","$app_version":"2.1","$app_id":"cn.shop",)"
      R"("$timezone_offset":-480,"$is_first_day":false,)",
      call.properties(), "}}");
}

void append_posthog(const Call& call, std::string& out) {
  out += cat(R"({"event":)", call.raw("event"), R"(,"distinct_id":)", call.raw("userId"), R"(,"uuid":)",
             call.raw("messageId"), R"(,"timestamp":)", call.raw("timestamp"),
             R"(,"properties":{"$lib":"posthog-node","$lib_version":"5.70.0",)", call.properties(), "}}");
}

void append_cloud_event(const Call& call, std::string& out) {
  out += cat(R"({"specversion":"1.0","source":"/shop","id":)", call.raw("messageId"), R"(,"type":)",
             call.raw("event"), R"(,"time":)", call.raw("timestamp"), R"(,"data":{"user_id":)",
             call.raw("userId"), ",", call.properties(), "}}");
}

}  // namespace

std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kSegment:
      return "segment";
    case Protocol::kRudder:
      return "rudder";
    case Protocol::kSensors:
      return "sensors";
    case Protocol::kPostHog:
      return "posthog";
    case Protocol::kCloudEvents:
      return "cloud_events";
    case Protocol::kPlain:
      break;
  }
  return "plain";
}

std::string_view packing_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::kRudder:
      return "gzip";
    case Protocol::kSensors:
      return "form, base64, gzip";
    case Protocol::kPlain:
      return "lines";
    default:
      return "JSON";
  }
}

ProtocolLoad::ProtocolLoad(Protocol protocol, std::string write_key, uint32_t customers)
    : protocol_(protocol),
      write_key_(std::move(write_key)),
      profile_({.seed = os::random_u64(), .customers = customers}) {}

void ProtocolLoad::prepare(size_t requests, size_t events, Instant now) {
  events_ = events;
  requests_.reserve(requests);
  while (requests_.size() < requests) requests_.push_back(body(events, now));
}

size_t ProtocolLoad::next(std::string& out) {
  if (requests_.empty()) return 0;
  out = std::move(requests_.back());
  requests_.pop_back();
  return events_;
}

std::string ProtocolLoad::body(size_t events, Instant now) {
  std::string call, out;
  const auto each = [&](auto append) {
    for (size_t i = 0; i < events; ++i) {
      profile_.next_call(now, call);
      append(i == 0 ? "" : ",");
    }
  };
  switch (protocol_) {
    case Protocol::kSegment:
      profile_.next_batch(events, now, out);
      return request("/v1/batch", "Content-Type: application/json\r\n", out);
    case Protocol::kRudder:
      profile_.next_batch(events, now, out);
      return request("/v1/batch", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                     coding::gzipped(out));
    case Protocol::kSensors: {
      out = "[";
      each([&](const char* comma) {
        out += comma;
        append_sensors(Call(call), now, os::random_u64() >> 12, out);
      });
      const std::string data = coding::base64(coding::gzipped(out + "]"));
      return request("/sa", "Content-Type: application/x-www-form-urlencoded\r\n",
                     cat("crc=", sensors::java_hash(data), "&gzip=1&data_list=", coding::escaped(data)));
    }
    case Protocol::kPostHog:
      out = cat(R"({"api_key":")", write_key_, R"(","batch":[)");
      each([&](const char* comma) { append_posthog(Call(call), out += comma); });
      return request("/batch/", "Content-Type: application/json\r\n", out + "]}");
    case Protocol::kCloudEvents:
      out = "[";
      each([&](const char* comma) { append_cloud_event(Call(call), out += comma); });
      return request("/api/v1/cloudevents", "Content-Type: application/cloudevents-batch+json\r\n",
                     out + "]");
    case Protocol::kPlain:
      break;
  }
  each([&](const char*) { out += call + "\n"; });
  return request("/api/v1/events", "Content-Type: application/x-ndjson\r\n", out);
}

std::string ProtocolLoad::request(std::string_view path, std::string_view headers,
                                  std::string_view body) const {
  const std::string_view key = protocol_ == Protocol::kSensors ? "?project=default&token=" : "?writeKey=";
  return cat("POST ", path, key, write_key_, " HTTP/1.1\r\nHost: kehu\r\n", headers,
             "Content-Length: ", body.size(), "\r\n\r\n", body);
}

}  // namespace kehu::load
