#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/text.h"
#include "interpreter/interpreter.h"
#include "json/fields.h"
#include "list/standing.h"
#include "rule/window.h"

// Random histories of customers, for tests that compare what rules come to. The lists fit those of
// rule::RandomRuleWorld.
namespace kehu::interpreter {

struct RandomHistoryWorld {
  std::vector<std::string> events = {"Product Viewed", "Product Added", "Order Completed"};
  std::vector<std::string> properties = {"revenue", "category", "cart.id", "products[].price"};
  std::vector<std::string> traits = {"city", "vip", "birthday"};
  std::vector<std::string> segments = {};
  std::vector<std::string> tags = {};
  std::vector<std::string> lists = {};  // uploaded ones, most of them in force
  std::vector<std::string> texts = {"a", "b", "12.5", "true", "2026-01-31", "北京", ""};
  std::vector<std::string> channels = {"web", "app"};
  std::vector<std::string> sources = {"shop", "crm"};  // SourceId 1, 2, …
  std::vector<std::string> zones = {"Asia/Shanghai", "America/New_York", "Europe/Berlin",
                                    "Australia/Lord_Howe"};
  // Days near which `now` lies: changes of clocks, ends of months and of the year.
  std::vector<std::string> days = {"2026-01-01", "2026-01-31", "2026-02-28", "2026-03-08",
                                   "2026-03-29", "2026-03-31", "2026-04-05"};
  size_t customers = 1;
  size_t events_most = 40;  // of all customers; from none
  int64_t days_back = 60;   // of most events
  uint32_t values = 6;      // different plain numbers and ids
};

// What was measured of numbers, each time the same for one key; of some nothing.
class RandomCuts {
 public:
  const rule::Cuts* of(std::string_view key) const {
    std::mt19937_64 random(hash64(key));
    if (random() % 6 == 0) return nullptr;
    const auto [at, is_new] = cuts_.try_emplace(std::string(key));
    if (!is_new) return &at->second;
    // Near the numbers that rules come to; some of many ties, or far away.
    const int64_t most = random() % 4 == 0 ? 3 : 40;
    for (size_t i = 0; i < rule::kCuts; ++i) {
      const auto number = static_cast<int64_t>(random() % static_cast<uint64_t>(2 * most));
      at->second.push_back(Sum{number - most / 2} * Decimal::kScale / (random() % 5 == 0 ? 3 : 1));
    }
    std::ranges::sort(at->second);
    if (random() % 10 == 0) at->second.back() = Sum{1} << 100;
    return &at->second;
  }

 private:
  mutable std::map<std::string, rule::Cuts, std::less<>> cuts_;
};

// The facts of one customer.
class PlainFacts : public Facts {
 public:
  std::string traits = "{}";
  std::map<std::string, Origin, std::less<>> origins;
  std::set<std::string, std::less<>> segments;
  std::map<std::string, rule::Value, std::less<>> tags;
  std::vector<std::string> sources = {"shop", "crm"};
  list::Standings lists;
  RandomCuts random_cuts;

  std::optional<json::RawValue> trait(std::string_view path) const override {
    std::optional<json::RawValue> found;
    each_trait(path, [&](const json::RawValue& raw) { found = raw; });
    return found;
  }
  void each_trait(std::string_view path,
                  absl::FunctionRef<void(const json::RawValue& value)> visit) const override {
    const auto parsed = json::FieldPath::parse(path);
    if (parsed.ok()) parsed->visit(traits, visit);
  }
  std::optional<Origin> origin(std::string_view trait) const override {
    const auto found = origins.find(trait);
    return found == origins.end() ? std::nullopt : std::optional(found->second);
  }
  bool in_segment(std::string_view name) const override { return segments.contains(name); }
  rule::Value tag(std::string_view name) const override {
    const auto found = tags.find(name);
    return found == tags.end() ? rule::Value() : found->second;
  }
  std::optional<rule::Value> list_value(std::string_view name) const override {
    const list::Standing* standing = list::find(lists, name);
    const auto nonce = standing == nullptr ? std::nullopt : trait(standing->nonce_path());
    if (!nonce || rule::Value::of(*nonce).text != standing->nonce) return std::nullopt;
    const auto value = trait(standing->value_path());
    return value ? rule::Value::of(*value) : rule::Value();
  }
  std::string_view source_name(SourceId source) const override {
    const size_t place = source.value() - 1;
    return place < sources.size() ? std::string_view(sources[place]) : std::string_view();
  }
  const rule::Cuts* cuts(std::string_view key) const override { return random_cuts.of(key); }
};

struct RandomArrival {
  size_t customer = 0;
  Event event;
};

// One moment, and what customers did before it. The same seed and world make the same histories in every run.
class RandomHistory {
 public:
  RandomHistory(uint64_t seed, RandomHistoryWorld world)
      : random_(seed), world_(std::move(world)), moment_(random_moment()) {
    for (const std::string& name : world_.lists) {
      if (!chance(6))
        lists_[name] = {.trait = cat(list::kTraitPrefix, name, "/", 1 + below(2)), .nonce = "a1"};
    }
    for (size_t i = 0; i < world_.customers; ++i) facts_.push_back(random_facts());
    look_for_changes_of_clocks();
    for (uint32_t i = below(static_cast<uint32_t>(world_.events_most) + 1); i > 0; --i) add_event();
    std::stable_sort(arrivals_.begin(), arrivals_.end(), [](const RandomArrival& a, const RandomArrival& b) {
      return a.event.received_at < b.event.received_at;
    });
  }
  RandomHistory(const RandomHistory&) = delete;

  const Moment& moment() const { return moment_; }
  // In the order in which they came in, all before `now`. A few are ahead of their time, many late.
  const std::vector<RandomArrival>& arrivals() const { return arrivals_; }
  std::vector<Event> events_of(size_t customer) const {
    std::vector<Event> out;
    for (const RandomArrival& arrival : arrivals_) {
      if (arrival.customer == customer) out.push_back(arrival.event);
    }
    return out;
  }
  const list::Standings& lists() const { return lists_; }
  const PlainFacts& facts_of(size_t customer) const { return facts_[customer]; }

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  bool chance(uint32_t n) { return below(n) == 0; }

 private:
  const std::string& pick(const std::vector<std::string>& from) {
    return from[below(static_cast<uint32_t>(from.size()))];
  }
  std::string_view own(std::string text) { return texts_.emplace_back(std::move(text)); }

  // Exactly, or a very little beside it.
  Instant beside(Instant t) {
    static constexpr int64_t kMicros[] = {0, 0, 0, 1, -1, 1000, -1000, 1'000'000, -1'000'000};
    return t + Duration(kMicros[below(9)]);
  }
  Duration some(int64_t micros) {
    return Duration(static_cast<int64_t>(random_() % static_cast<uint64_t>(micros)));
  }

  Moment random_moment() {
    Moment moment{Instant(), *BusinessZone::load(pick(world_.zones))};
    const CivilDay near = BusinessZone().day_of(*parse_iso8601(pick(world_.days)));
    const Instant midnight =
        moment.zone.start_of(CivilDay(near.value() + static_cast<int32_t>(below(4)) - 1));
    moment.now = chance(3)   ? beside(midnight)
                 : chance(2) ? beside(midnight + Duration::minutes(30 * below(8)))
                             : midnight + some(86'400'000'000);
    return moment;
  }

  void look_for_changes_of_clocks() {
    const BusinessZone& zone = moment_.zone;
    const int32_t today = zone.day_of(moment_.now).value();
    for (int32_t day = today - static_cast<int32_t>(world_.days_back); day <= today; ++day) {
      const Instant start = zone.start_of(CivilDay(day));
      if (zone.start_of(CivilDay(day + 1)) - start != Duration::days(1)) changes_.push_back(start);
    }
  }

  // On the edge of a window, or of a granule.
  Instant near_edge() {
    static constexpr rule::Unit kUnits[] = {rule::Unit::kSecond, rule::Unit::kMinute, rule::Unit::kHour,
                                            rule::Unit::kDay,    rule::Unit::kWeek,   rule::Unit::kMonth};
    const rule::Window window{rule::Window::Kind::kLast, {1 + below(30), kUnits[below(6)]}, {}, {}};
    const Instant from = rule::extent(window, moment_.now, moment_.zone).from;
    const rule::Span back{-window.span.count, window.span.unit};
    return beside(chance(2) ? from : rule::plus(moment_.now, back, moment_.zone));
  }

  // As much behind an earlier event as sequences ask for, or at its time.
  Instant near_other() {
    static constexpr rule::Unit kUnits[] = {rule::Unit::kSecond, rule::Unit::kMinute, rule::Unit::kHour,
                                            rule::Unit::kDay};
    const Instant other = arrivals_[below(static_cast<uint32_t>(arrivals_.size()))].event.time;
    if (chance(3)) return other;
    return beside(rule::plus(other, {1 + below(10), kUnits[below(4)]}, moment_.zone));
  }

  Instant any_time() {
    if (!arrivals_.empty() && chance(3)) return near_other();
    if (!changes_.empty() && chance(6)) {
      const Instant day = changes_[below(static_cast<uint32_t>(changes_.size()))];
      return beside(day + Duration::minutes(15 * below(16)));
    }
    switch (below(5)) {
      case 0:
        return beside(moment_.now + Duration::seconds(chance(3) ? below(3600) : 0));
      case 1:
        return near_edge();
      case 2:
        return moment_.now - some(3'600'000'000);
      default: {
        const Instant t = moment_.now - some(world_.days_back * 86'400'000'000);
        return chance(2) ? t : Instant(t.micros() / 60'000'000 * 60'000'000);
      }
    }
  }

  Instant arrival_of(Instant time) {
    const Duration late = chance(2) ? Duration() : chance(2) ? some(10'000'000) : some(10 * 86'400'000'000);
    return std::min(moment_.now, time + late);
  }

  std::string literal(std::string_view text) {
    std::string out;
    json::append_literal(text, out);
    if (chance(6) && !text.empty() && text[0] >= 'a' && text[0] <= 'z') {
      out.replace(1, 1,
                  cat("\\u00", static_cast<char>('0' + (text[0] >> 4)), "0123456789abcdef"[text[0] & 15]));
    }
    return out;
  }

  std::string number() {
    static constexpr std::string_view kOdd[] = {
        "-0", "12.50", "0.00005", "1e2", "-1.5E-1", "1e20", "99999999999999.9999", "0.33333"};
    if (chance(6)) return std::string(kOdd[below(8)]);
    const std::string whole = std::to_string(below(world_.values));
    return chance(3) ? cat(whole, ".", below(100)) : whole;
  }

  std::string scalar() {
    static constexpr std::string_view kOdd[] = {
        "null",
        "true",
        "false",
        R"("007")",
        R"("1e2")",
        R"("+5")",
        R"(" 3")",
        R"("12.50")",
        R"("-1")",
        R"("2026-03-29")",
        R"("2026-03-08T02:30:00")",
        R"("2026-01-31T10:00:00.123Z")",
        R"("2026-02-28 23:59:59+08:00")",
        R"("\u5317\u4eac")",
        R"("\"\\\n")",
        R"("\ud83d\ude00")",
        R"("这是一段很长的文字，超过了六十四个字节，所以只有它的开头会被记住，后面的都会丢掉")"};
    if (chance(4)) return std::string(kOdd[below(17)]);
    if (chance(2)) return number();
    return chance(3) ? cat("\"", number(), "\"") : literal(pick(world_.texts));
  }

  // What no path expects.
  std::string odd_shape() {
    static constexpr std::string_view kShapes[] = {
        "null", "{}", "[]", "[1,2]", "[[{\"price\":1}]]", "{\"id\":[1]}", "\"a\"", "7"};
    return std::string(kShapes[below(8)]);
  }

  // An object that has values at some of the paths.
  std::string object(const std::vector<std::string>& paths) {
    std::map<std::string, std::vector<std::string>> members;
    for (const std::string& path : paths) {
      const size_t dot = path.find('.');
      std::vector<std::string>& rest = members[path.substr(0, dot)];
      if (dot != path.npos) rest.push_back(path.substr(dot + 1));
    }
    std::string out = "{";
    const auto put = [&out](std::string_view member) { out += cat(out.size() > 1 ? "," : "", member); };
    if (chance(4)) put(R"("other": {"revenue": 5})");
    for (const auto& [name, rest] : members) {
      if (chance(4)) continue;
      const bool each = name.ends_with("[]");
      const std::string key = each ? name.substr(0, name.size() - 2) : name;
      put(cat(literal(key), chance(4) ? " : " : ":", each ? list(rest) : member(rest)));
    }
    return out + "}";
  }
  std::string member(const std::vector<std::string>& rest) {
    if (chance(10)) return odd_shape();
    return rest.empty() ? scalar() : object(rest);
  }
  std::string list(const std::vector<std::string>& rest) {
    if (chance(10)) return odd_shape();
    std::string out = "[";
    for (uint32_t i = below(4); i > 0; --i) out += cat(out.size() > 1 ? ", " : "", member(rest));
    return out + "]";
  }

  std::string birthday() {
    const CivilDay today = moment_.zone.day_of(moment_.now);
    const CivilDay near(today.value() - 365 * (20 + static_cast<int32_t>(below(8))) +
                        static_cast<int32_t>(below(60)) - 30);
    if (chance(5)) return "\"2000-02-29\"";
    return cat("\"", BusinessZone().format(BusinessZone().start_of(near)).substr(0, 10), "\"");
  }

  PlainFacts random_facts() {
    PlainFacts out;
    out.sources = world_.sources;
    out.traits = "{";
    for (const std::string& trait : world_.traits) {
      if (chance(4)) continue;
      const std::string value = trait == "birthday" && !chance(4) ? birthday()
                                : chance(4)                       ? list({})
                                                                  : member({});
      out.traits += cat(out.traits.size() > 1 ? "," : "", literal(trait), ":", value);
      out.origins[trait] = {any_time(), pick(world_.sources)};
    }
    // By this upload, one before, or none.
    out.lists = lists_;
    for (const std::string& name : world_.lists) {
      for (int slot = 1; slot <= 2; ++slot) {
        if (chance(3)) continue;
        const std::string trait = cat(list::kTraitPrefix, name, "/", slot);
        out.traits +=
            cat(out.traits.size() > 1 ? "," : "", literal(trait), ":{\"upload\":\"", chance(3) ? "b2" : "a1",
                "\",\"text\":", chance(4) ? "null" : literal(pick(world_.texts)), "}");
      }
    }
    out.traits += "}";
    for (const std::string& segment : world_.segments) {
      if (chance(2)) out.segments.insert(segment);
    }
    for (const std::string& tag : world_.tags) {
      if (chance(3)) continue;
      const std::string first = pick(world_.texts);
      out.tags[tag] = chance(2) ? rule::Value::of(std::string_view(first))
                                : rule::Value::list({std::vector<std::string>{first, pick(world_.texts)}});
    }
    return out;
  }

  ChannelName channel() {
    if (chance(5)) return Channel::kUnknown;
    const ChannelReading reading = read_channel(pick(world_.channels));
    return reading.other.empty() ? ChannelName(reading.channel) : ChannelName(own(reading.other));
  }

  EventType type() {
    static constexpr EventType kOthers[] = {EventType::kIdentify, EventType::kPage, EventType::kScreen,
                                            EventType::kGroup};
    return chance(8) ? kOthers[below(4)] : EventType::kTrack;
  }

  void add_event() {
    Event event;
    event.project = ProjectId(1);
    event.source = SourceId(1 + below(static_cast<uint32_t>(world_.sources.size())));
    event.type = type();
    event.channel = channel();
    event.time = event.original_time = std::min(any_time(), moment_.now + Duration::hours(1));
    event.received_at = arrival_of(event.time);
    event.message_key = Hash128{random_(), random_()};
    event.body_hash = random_();
    event.message_id = own(cat("m", arrivals_.size()));
    if (event.type != EventType::kIdentify) event.name = pick_name();
    event.properties = own(object(world_.properties));
    event.traits = event.context = "{}";
    arrivals_.push_back({below(static_cast<uint32_t>(world_.customers)), event});
  }
  std::string_view pick_name() {
    return chance(10) ? "Something Else" : std::string_view(pick(world_.events));
  }

  std::mt19937_64 random_;
  const RandomHistoryWorld world_;
  const Moment moment_;
  std::deque<std::string> texts_;
  std::vector<Instant> changes_;  // beginnings of days with a change of clocks
  list::Standings lists_;
  std::vector<PlainFacts> facts_;
  std::vector<RandomArrival> arrivals_;
};

}  // namespace kehu::interpreter
