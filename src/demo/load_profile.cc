#include "demo/load_profile.h"

#include "base/check.h"

namespace kehu::demo {

LoadProfile::LoadProfile(const Options& options)
    : run_(mix(options.seed ^ 0x6c6f6164)),
      customers_(options.customers),
      mixed_(options.mixed),
      catalog_(options.seed),
      population_(options.seed),
      random_(mix(options.seed)) {
  KEHU_CHECK(options.customers > 0 && options.customers <= 90'000'000);
}

void LoadProfile::next_batch(size_t events, Instant now, std::string& body) {
  body.assign("{\"batch\":[");
  for (size_t i = 0; i < events; ++i) {
    if (i > 0) body.push_back(',');
    append_event(now, body);
  }
  body.append("]}");
}

void LoadProfile::next_call(Instant now, std::string& body) {
  body.clear();
  append_event(now, body);
}

void LoadProfile::append_event(Instant now, std::string& out) {
  out.append("{\"type\":\"track\",\"event\":\"");
  out.append(kMixedEvents[mixed_ ? random_.below(kMixedEvents.size()) : 0]);
  out.append("\",\"userId\":\"");
  population_.append_member_no(random_.below(customers_), out);
  out.append("\",\"messageId\":\"");
  append_message_id(run_, ++number_, out);
  out.append("\",\"timestamp\":\"");
  time_.append(now, out);
  out.append(
      "\",\"channel\":\"app\",\"context\":{\"app\":{\"version\":\"8.2.1\"},\"os\":{\"name\":\"Android\"}},"
      "\"properties\":{");
  const uint32_t products = static_cast<uint32_t>(catalog_.product_count());
  out.append(catalog_.product(random_.below(products)).json);
  out.append(",\"quantity\":1,\"currency\":\"CNY\",\"position\":3}}");
}

}  // namespace kehu::demo
