#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "model/event.h"
#include "model/settings.h"

// Random customers for the tests of this folder.
namespace kehu::profile {

struct RandomEventOptions {
  size_t count = 60;
  Instant around = Instant::from_seconds(1'793'404'800);  // 2026-10-31, near the end of summer time
  Duration spread = Duration::days(3);
  int names = 6;   // different track events beside the order events
  int values = 5;  // different property values
  int orders = 4;  // different order ids
  int traits = 5;  // different trait names
  // Of all events. More than limits::kTraitSteps for one trait would make the order matter.
  int steps = 30;
};

// Events and the texts they point to.
class RandomEvents {
 public:
  RandomEvents(uint64_t seed, const RandomEventOptions& options) : random_(seed), options_(options) {
    for (size_t i = 0; i < options.count; ++i) events_.push_back(next());
  }
  const std::vector<Event>& events() const { return events_; }

 private:
  uint64_t pick(uint64_t below) { return random_() % below; }
  std::string_view own(std::string text) { return texts_.emplace_back(std::move(text)); }

  Instant time() {
    const uint64_t span = static_cast<uint64_t>(options_.spread.micros());
    const Instant t = options_.around - Duration(static_cast<int64_t>(pick(span)));
    // Clocks of seconds and milliseconds, and few enough times that some are equal.
    const int64_t unit = pick(3) == 0 ? 1'000'000 : pick(2) == 0 ? 60'000'000 : 1'000;
    return Instant(t.micros() / unit * unit);
  }

  std::string value() {
    switch (pick(5)) {
      case 0:
        return cat("\"v", pick(static_cast<uint64_t>(options_.values)), "\"");
      case 1:
        return cat("\"\\u4e0a", pick(static_cast<uint64_t>(options_.values)), "\"");
      case 2:
        return std::to_string(pick(static_cast<uint64_t>(options_.values)));
      case 3:
        return pick(2) == 0 ? "true" : "null";
      default:
        return cat("\"", std::string(60 + pick(10), 'x'), "\"");
    }
  }

  std::string amount() {
    const int64_t cents = static_cast<int64_t>(pick(200'000)) - 20'000;
    const std::string text = cat(cents / 100, ".", cents % 100 < 0 ? -(cents % 100) : cents % 100);
    switch (pick(12)) {
      case 0:
        return cat("\"", text, "\"");
      case 1:
        return "\"many\"";
      case 2:
        return cat("\"¥1,", 100 + pick(900), ".50\"");
      case 3:
        return cat("\"", pick(100), ",50\"");
      case 4:
        return pick(2) == 0 ? "\" \"" : "true";
      default:
        return text;
    }
  }

  std::string order_id() {
    const uint64_t number = pick(static_cast<uint64_t>(options_.orders));
    switch (pick(8)) {
      case 0:
        return cat(number, pick(2) == 0 ? ".0" : "e0");
      case 1:
        return cat("\"", number, pick(2) == 0 ? ".00\"" : "\"");
      case 2:
        return cat(R"("=\"o)", number, R"(\"")");
      case 3:
        return pick(2) == 0 ? "\"3.01235E+12\"" : "-0.0";
      default:
        return cat("\"o", number, "\"");
    }
  }

  std::string properties() {
    std::string out = "{\"a\":1";
    if (pick(2) == 0) out += cat(",\"category\":", value());
    if (pick(2) == 0) out += cat(",\"price\":", amount());
    if (pick(3) == 0)
      out += cat(",\"products\":[{\"category\":", value(), ",\"price\":", amount(), ",\"quantity\":", pick(4),
                 "},{\"category\":", value(), "}]");
    if (pick(4) != 0) out += cat(pick(2) == 0 ? ",\"order_id\":" : ",\"orderId\":", order_id());
    if (pick(3) == 0) out += cat(",\"revenue\":", amount());
    if (pick(3) == 0) out += cat(",\"total\":", amount());
    if (pick(3) == 0) out += cat(",\"amount\":", amount());
    if (pick(3) == 0) out += cat(",\"quantity\":", pick(5));
    if (pick(4) == 0) out += cat(",\"order_amount\":", amount());
    if (pick(4) == 0)
      out += cat(",\"items\":[{\"item_category\":", value(), ",\"price\":", amount(),
                 "},[{\"price\":", amount(), ",\"quantity\":\"2\"}]]");
    if (pick(8) == 0) out += ",\"products\":\"[{\\\"price\\\":3,\\\"quantity\\\":2}]\"";
    static constexpr std::string_view kCurrencies[] = {"cny", "USD", "¥", "156", " CNY ", "coins", ""};
    if (pick(3) == 0) out += cat(",\"currency\":\"", kCurrencies[pick(7)], "\"");
    return out + "}";
  }

  std::string traits() {
    std::string out = "{";
    for (int i = 0; i < options_.traits; ++i) {
      if (pick(2) == 0) continue;
      if (out.size() > 1) out += ",";
      out += cat("\"trait", i, i % 2 == 0 ? "\":" : "\\u00e9\":", value());
    }
    if (pick(10) == 0) out += cat(out.size() > 1 ? "," : "", "\"long\":\"", std::string(2100, 'x'), "\"");
    if (steps_ < options_.steps && pick(2) == 0) out += cat(out.size() > 1 ? "," : "", step());
    return out + "}";
  }

  // On the same names as the values above, so that they meet texts, numbers, lists and nothing.
  std::string step() {
    ++steps_;
    const std::string name = cat("{\"trait", 2 * pick(static_cast<uint64_t>(options_.traits) / 2 + 2), "\":");
    switch (pick(9)) {
      case 0:
        return "\"$clear\":true";
      case 1:
      case 2:
        return cat("\"$set_once\":", name, value(), "}");
      case 3:
      case 4:
        return cat("\"$append\":", name, "[", value(), ",", value(), "]}");
      default:
        return cat("\"$add\":", name, static_cast<int64_t>(pick(2000)) - 700, ".25}");
    }
  }

  Event next() {
    static constexpr std::string_view kOrderNames[] = {
        "Order Completed", "Order Updated", "Order Refunded", "Order Cancelled", "Order Line", "PayOrder",
        "payOrderDetail",  "purchase",      "order_updated",  "refund",          "view_item"};
    Event event;
    event.time = event.received_at = event.original_time = time();
    event.source = SourceId(static_cast<uint32_t>(1 + pick(3)));
    event.channel = static_cast<Channel>(pick(4));
    if (pick(4) == 0) event.channel = ChannelName(own(cat("channel ", pick(20))));
    event.message_key = Hash128{random_(), random_()};
    event.properties = event.traits = event.context = "{}";
    switch (pick(8)) {
      case 0:
        event.type = EventType::kIdentify;
        event.traits = own(traits());
        break;
      case 1:
        event.type = pick(2) == 0 ? EventType::kPage : EventType::kScreen;
        event.name = own(pick(2) == 0 ? std::string() : cat("Page ", pick(3)));
        event.properties = own(properties());
        break;
      case 2:
        event.type = EventType::kGroup;
        event.traits = own(traits());
        break;
      case 3:
      case 4:
        event.name = own(std::string(kOrderNames[pick(pick(2) == 0 ? 5 : 11)]));
        event.properties = own(properties());
        break;
      default:
        event.name = own(cat("Event ", pick(static_cast<uint64_t>(options_.names))));
        event.properties = own(properties());
    }
    return event;
  }

  std::mt19937_64 random_;
  RandomEventOptions options_;
  int steps_ = 0;
  std::deque<std::string> texts_;
  std::vector<Event> events_;
};

// Shanghai, or a zone with summer time, and metrics of every kind.
inline Settings test_settings(std::string_view zone) {
  Settings settings;
  settings.time_zone = std::string(zone);
  settings.zone = *BusinessZone::load(zone);
  using Kind = Metric::Kind;
  settings.metrics = {{Kind::kSum, "Event 0", "price"},
                      {Kind::kDistinct, "Event 0", "category"},
                      {Kind::kTop, "Event 0", "category"},
                      {Kind::kTop, "Event 1", "products[].category"},
                      {Kind::kSum, "Event 1", "products[].price"},
                      {Kind::kTop, "page", "category"},
                      {Kind::kSum, "Order Completed", "revenue"},
                      {Kind::kSum, "Order Completed", "total"},
                      {Kind::kTop, "Order Completed", "products[].category"},
                      {Kind::kDistinct, "Product Viewed", "category"}};
  return settings;
}

}  // namespace kehu::profile
