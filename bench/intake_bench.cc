// The hot path of the door: a Segment batch of 100 events, request bytes to encoded records, and its parts.
#include <string>

#include "base/check.h"
#include "base/text.h"
#include "benchmark/benchmark.h"
#include "coding/packing.h"
#include "intake/bulk.h"
#include "intake/segment.h"
#include "intake/test_door.h"
#include "json/fields.h"
#include "json/index.h"
#include "protocol/cloud_events.h"
#include "protocol/posthog.h"
#include "sensors/decoder.h"
#include "simdjson.h"

namespace kehu::intake {
namespace {

std::string track_event(int i, bool with_email) {
  return cat(
      R"({"type":"track","event":"Product Viewed","userId":"u)", 100000 + i * 7,
      R"(","anonymousId":"5f3b2c1d-8e4a-4b6f-9c7d-0123456789)", 10 + i % 90, R"(","messageId":"m-20261122-)",
      1000000 + i, R"(","timestamp":"2026-11-22T00:49:32.846Z","properties":{"product_id":"p)",
      1000 + i % 500, R"(","category":"shoes","brand":"Acme","price":129.50,"quantity":1,"currency":"CNY")",
      with_email ? R"(,"email":"someone@example.com")" : "",
      R"(},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"},"ip":"1.2.3.4"}})");
}

std::string batch(int events, bool with_email = false) {
  std::string body = "{\"batch\":[";
  for (int i = 0; i < events; ++i) body.append(i == 0 ? "" : ",").append(track_event(i, with_email));
  return body + R"(],"sentAt":"2026-11-22T00:49:33.000Z"})";
}

void per_event(benchmark::State& state, size_t events, size_t bytes) {
  state.counters["ns/event"] =
      benchmark::Counter(static_cast<double>(events) * static_cast<double>(state.iterations()) * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/event"] = static_cast<double>(bytes) / static_cast<double>(events);
}

void segment_batch(benchmark::State& state) {
  TestDoor door;
  SegmentDecoder decoder;
  Intake intake;
  const int events = static_cast<int>(state.range(0));
  const std::string body = batch(events, state.range(1) != 0);
  for (auto _ : state) {
    intake.clear();
    KEHU_CHECK(!decoder.open(SegmentCall::kBatch, body));
    decoder.decode(door.sender, intake);
    KEHU_CHECK(intake.rejected == 0);
    benchmark::DoNotOptimize(intake.records.bytes.data());
  }
  per_event(state, static_cast<size_t>(events), body.size());
}
BENCHMARK(segment_batch)->ArgNames({"events", "email"})->Args({100, 0})->Args({1, 0})->Args({100, 1});

void bulk_lines(benchmark::State& state) {
  TestDoor door;
  Intake intake;
  std::string body;
  for (int i = 0; i < 1000; ++i) body.append(track_event(i, false)).append("\n");
  for (auto _ : state) {
    BulkDecoder decoder(door.sender);
    std::string_view rest = body;
    while (!rest.empty()) {
      intake.clear();
      decoder.feed(rest.substr(0, 65536), intake);
      rest.remove_prefix(std::min<size_t>(65536, rest.size()));
      KEHU_CHECK(intake.rejected == 0);
    }
    decoder.finish(intake);
  }
  per_event(state, 1000, body.size());
}
BENCHMARK(bulk_lines);

// What PostHogDecoder and CloudEventDecoder add is the translation.
void posthog_batch(benchmark::State& state) {
  TestDoor door;
  protocol::PostHogDecoder decoder;
  Intake intake;
  std::string body = R"({"api_key":"k","sent_at":"2026-11-22T00:49:33.000Z","batch":[)";
  for (int i = 0; i < 50; ++i) {
    body += cat(i == 0 ? "" : ",", R"({"event":"Clicked","uuid":"01a200bf-fc2c-70bc-93ef-bc6d84eb)", 1000 + i,
                R"(","timestamp":"2026-11-22T00:49:32.846Z","distinct_id":"u)", i,
                R"(","properties":{"i":1,"$lib":"posthog-node","$lib_version":"5.70.0","$is_server":true}})");
  }
  body += "]}";
  for (auto _ : state) {
    intake.clear();
    KEHU_CHECK(!decoder.open(body));
    decoder.decode(door.sender, intake);
    KEHU_CHECK(intake.rejected == 0);
  }
  per_event(state, 50, body.size());
}
BENCHMARK(posthog_batch);

void cloud_event_batch(benchmark::State& state) {
  TestDoor door;
  protocol::CloudEventDecoder decoder;
  Intake intake;
  std::string body = "[";
  for (int i = 0; i < 50; ++i) {
    body += cat(i == 0 ? "" : ",", R"({"specversion":"1.0","id":")", i,
                R"(","source":"/shop","type":"order.paid","time":"2026-11-22T00:49:32.846Z",)",
                R"("data":{"user_id":"u)", i, R"(","total":12.5,"currency":"CNY","order_id":"o1"}})");
  }
  body += "]";
  for (auto _ : state) {
    intake.clear();
    KEHU_CHECK(!decoder.open(protocol::CloudEventDecoder::Mode::kBatch, body));
    decoder.decode(door.sender, intake);
    KEHU_CHECK(intake.rejected == 0);
  }
  per_event(state, 50, body.size());
}
BENCHMARK(cloud_event_batch);

// As the Android SDK writes them.
std::string sensors_records(int events) {
  std::string out = "[";
  for (int i = 0; i < events; ++i) {
    out += cat(
        i == 0 ? "" : ",", R"({"distinct_id":"u)", 100000 + i * 7, R"(","login_id":"u)", 100000 + i * 7,
        R"(","anonymous_id":"5f3b2c1d8e4a)", 10 + i % 90, R"(","identities":{"$identity_login_id":"u)",
        100000 + i * 7, R"(","$identity_anonymous_id":"5f3b2c1d8e4a)", 10 + i % 90,
        R"("},"lib":{"$lib":"Android","$lib_version":"6.7.1","$app_version":"2.1","$lib_method":"code"},)"
        R"("type":"track","event":"BuyOrder","_track_id":)",
        981375612 + i, R"(,"time":)", 1795308540000 + i,
        R"(,"_flush_time":1795308599000,)"
        R"("properties":{"$lib":"Android","$lib_version":"6.7.1","$os":"Android","$os_version":"12",)"
        R"("$model":"P40","$brand":"HUAWEI","$manufacturer":"HUAWEI","$screen_width":1080,"$screen_height":2340,)"
        R"("$wifi":true,"$network_type":"WIFI","$carrier":"中国移动","$app_version":"2.1","$app_id":"cn.shop",)"
        R"("$timezone_offset":-480,"$is_first_day":false,"sku":"s)",
        1000 + i % 500, R"(","price":129.50,"category":"shoes"}})");
  }
  return out + "]";
}

void sensors_gzip(benchmark::State& state) {
  TestDoor door;
  door.sender.user_agent = "Agent/1";
  sensors::Decoder decoder;
  Intake intake;
  const int events = static_cast<int>(state.range(0));
  const std::string records = sensors_records(events);
  const std::string data = coding::base64(coding::gzipped(records));
  const std::string body = cat("crc=", sensors::java_hash(data), "&gzip=1&data_list=", coding::escaped(data));
  for (auto _ : state) {
    intake.clear();
    decoder.open("project=default", body);
    while (decoder.decode(door.sender, intake)) continue;
    KEHU_CHECK(intake.accepted == static_cast<uint32_t>(events) && intake.rejected == 0);
    benchmark::DoNotOptimize(intake.records.bytes.data());
  }
  per_event(state, static_cast<size_t>(events), records.size());
  state.SetItemsProcessed(state.iterations() * events);
}
BENCHMARK(sensors_gzip)->ArgNames({"events"})->Args({50})->Args({1})->Threads(1);
BENCHMARK(sensors_gzip)->ArgNames({"events"})->Args({50})->Threads(2)->UseRealTime();

void json_index(benchmark::State& state) {
  const std::string body = batch(100);
  json::Index index;
  for (auto _ : state) {
    KEHU_CHECK(!index.scan(body));
    benchmark::DoNotOptimize(index.size());
  }
  per_event(state, 100, body.size());
}
BENCHMARK(json_index);

// Yardstick: simdjson's DOM gives a verdict on every value too, but no source text and no place of an error.
void simdjson_dom(benchmark::State& state) {
  const simdjson::padded_string body(batch(100));
  simdjson::dom::parser parser;
  for (auto _ : state) {
    KEHU_CHECK(parser.parse(body).error() == simdjson::SUCCESS);
  }
  per_event(state, 100, body.size());
}
BENCHMARK(simdjson_dom);

void json_fields(benchmark::State& state) {
  const std::string object =
      R"({"order_id":"o-123456789","revenue":1299.50,"shipping":0,"tax":77.97,"discount":100,"coupon":"NOV22",)"
      R"("currency":"CNY","products":[{"product_id":"p1","sku":"s1","category":"shoes","name":"Runner","price":499.75,)"
      R"("quantity":2},{"product_id":"p2","sku":"s2","category":"socks","name":"Sock","price":300,"quantity":1}],)"
      R"("channel":"mini_program","store":"Shanghai Nanjing Road","payment_method":"wechat","first_order":false,"n":17})";
  json::FieldReader reader;
  for (auto _ : state) {
    reader.open(object);
    size_t count = 0;
    for (json::Field field; reader.next(field);) count += field.key.size();
    benchmark::DoNotOptimize(count);
  }
  state.counters["bytes"] = static_cast<double>(object.size());
}
BENCHMARK(json_fields);

}  // namespace
}  // namespace kehu::intake
