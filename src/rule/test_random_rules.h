#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "rule/nodes.h"
#include "rule/tree.h"
#include "rule/value.h"

namespace kehu::rule {

// What random rules draw from, and how large they become. Lists are never empty, except `traits`, `segments`,
// `tags` and `lists`: what is not there is not named.
struct RandomRuleWorld {
  std::vector<std::string> events = {"Product Viewed", "Product Added", "Order Completed"};
  std::vector<std::string> properties = {"revenue", "category", "cart.id", "products[].price"};
  std::vector<std::string> traits = {"city", "vip", "birthday"};
  std::vector<std::string> segments;
  std::vector<std::string> tags;
  std::vector<std::string> lists;  // uploaded ones
  std::vector<std::string> texts = {"a", "b", "12.5", "true", "2026-01-31", "北京", ""};
  std::vector<std::string> channels = {"web", "app"};
  std::vector<std::string> sources = {"shop", "crm"};
  std::vector<std::string> holidays = {"春节", "元旦", "清明节", "国庆节"};
  std::vector<std::string> patterns = {"^a", "b$", "[0-9]+", "北"};
  CivilDay first_day{20'454};  // of dates in rules; both belong to it (2026-01-01)
  CivilDay last_day{20'544};
  int64_t last_days = 40;     // the longest "last n days"
  uint32_t depth = 3;         // of conditions in conditions
  uint32_t where_depth = 2;   // the same inside of `where`
  uint32_t any_event_in = 8;  // one selector in so many takes any event; 0: none
  bool functions = true;      // over events; without them rules ask only what a customer is now
  bool sequences = true;      // sequence and stage
  bool any_sequence = false;  // also several absences behind each other, and one behind several steps
  bool birthdays = true;
  bool percentiles = true;
};

// Random trees that pass check(): the same seed and world make the same trees in every run.
class RandomRules {
 public:
  RandomRules(uint64_t seed, RandomRuleWorld world) : random_(seed), world_(std::move(world)) {}

  Definition segment(std::string name) {
    return {.kind = Kind::kSegment, .name = std::move(name), .body = condition()};
  }
  Definition tag(std::string name) { return {.kind = Kind::kTag, .name = std::move(name), .body = value()}; }

  Node condition() { return condition(world_.depth); }
  // What a tag may be.
  Node value() {
    switch (below(6)) {
      case 0:
        return number(2);
      case 1:
        return instant(1);
      case 2:
        return cases(Type::kText, world_.depth);
      case 3:
        return cases(Type::kNumber, world_.depth);
      case 4:
        return condition();
      default:
        return text(1);
    }
  }

  Node events(bool with_condition) {
    Node node{.op = Op::kEvents};
    if (world_.any_event_in == 0 || below(world_.any_event_in) > 0) node.text = pick(world_.events);
    if (with_condition) node.of.push_back(where(world_.where_depth));
    return node;
  }
  Node events() { return events(chance(2)); }

  // What one event says.
  Node where(uint32_t depth) {
    if (depth > 0 && chance(3)) return join(depth, [this](uint32_t below) { return where(below); });
    return where_test();
  }

  Window window() {
    switch (below(10)) {
      case 0:
        return {};
      case 1:
        return {.kind = Window::Kind::kToday};
      case 2:
        return {.kind = Window::Kind::kYesterday};
      case 3:
        return {.kind = Window::Kind::kThis, .span = {0, large_unit()}};
      case 4:
        return {.kind = Window::Kind::kPrevious, .span = {0, large_unit()}};
      case 5:
        return {.kind = Window::Kind::kSince, .from = day()};
      case 6: {
        const CivilDay a = day(), b = day();
        return {.kind = Window::Kind::kBetween, .from = std::min(a, b), .to = std::max(a, b)};
      }
      default:
        return {.kind = Window::Kind::kLast, .span = last_span()};
    }
  }

  uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  // One in n.
  bool chance(uint32_t n) { return below(n) == 0; }

 private:
  static Node make(Op op, std::vector<Node> of) { return {.op = op, .of = std::move(of)}; }
  static Node named(Op op, std::string text) { return {.op = op, .text = std::move(text)}; }
  const std::string& pick(const std::vector<std::string>& from) {
    return from[below(static_cast<uint32_t>(from.size()))];
  }
  Op pick_op(std::initializer_list<Op> from) {
    return from.begin()[below(static_cast<uint32_t>(from.size()))];
  }

  CivilDay day() {
    const auto days = static_cast<uint32_t>(world_.last_day.value() - world_.first_day.value() + 1);
    return CivilDay(world_.first_day.value() + static_cast<int32_t>(below(days)));
  }
  Unit large_unit() {
    constexpr Unit kUnits[] = {Unit::kWeek, Unit::kMonth, Unit::kQuarter, Unit::kYear};
    return kUnits[below(4)];
  }
  int64_t from_one(int64_t most) { return 1 + static_cast<int64_t>(below(static_cast<uint32_t>(most))); }
  // Around the lengths at which granules change.
  Span last_span() {
    switch (below(6)) {
      case 0:
        return {chance(2) ? from_one(15) : from_one(40), Unit::kMinute};
      case 1:
        return {chance(2) ? from_one(24) : from_one(60), Unit::kHour};
      case 2:
        return {from_one(2), chance(2) ? Unit::kWeek : Unit::kMonth};
      case 3:
        return {1, chance(2) ? Unit::kQuarter : Unit::kYear};
      default:
        return {from_one(world_.last_days), Unit::kDay};
    }
  }
  Span short_span() {
    constexpr Unit kUnits[] = {Unit::kSecond, Unit::kMinute, Unit::kHour, Unit::kDay, Unit::kWeek};
    return {from_one(10), kUnits[below(5)]};
  }

  Node number_literal() {
    Node node{.op = Op::kNumber};
    const auto whole = static_cast<int64_t>(below(10)) - (chance(4) ? 5 : 0);
    node.number = Decimal::from_units(whole * Decimal::kScale + (chance(4) ? below(10'000) : 0));
    return node;
  }
  Node text_literal() { return named(Op::kText, pick(world_.texts)); }
  Node date_literal() { return {.op = Op::kDate, .window = {.from = day()}}; }
  Node bool_literal() { return {.op = Op::kBool, .number = Decimal::from_units(below(2) * Decimal::kScale)}; }
  Node span_literal() { return {.op = Op::kSpan, .span = short_span()}; }
  Node literal(Type type) {
    if (type == Type::kNumber) return number_literal();
    if (type == Type::kInstant) return date_literal();
    return type == Type::kBool ? bool_literal() : text_literal();
  }
  Node list(Type type) {
    Node node{.op = Op::kList};
    for (uint32_t i = 1 + below(3); i > 0; --i) node.of.push_back(literal(type));
    return node;
  }
  Type scalar_type() {
    constexpr Type kTypes[] = {Type::kNumber, Type::kNumber,  Type::kText,
                               Type::kText,   Type::kInstant, Type::kBool};
    return kTypes[below(6)];
  }

  std::string path(bool of_events_as_well) {
    if (of_events_as_well && chance(5)) return std::string(chance(2) ? kChannelPath : kSourcePath);
    return pick(world_.properties);
  }
  // A function of events, without its window.
  Node function(Op op, bool with_path) {
    Node node = make(op, {events()});
    if (with_path) node.text = path(op < Op::kSum || op > Op::kMax);
    return node;
  }
  Node windowed(Op op, bool with_path) {
    Node node = function(op, with_path);
    node.window = window();
    return node;
  }

  // A value whose type is that of the data.
  Node data() {
    const uint32_t kind = below(4);
    if (kind == 0 && world_.functions) return function(Op::kFirst, true);
    if (kind == 1 && world_.functions) return windowed(Op::kLast, true);
    if (kind == 2 && !world_.tags.empty()) return named(Op::kTag, pick(world_.tags));
    if (!world_.lists.empty() && chance(3)) return named(Op::kListValue, pick(world_.lists));
    if (!world_.traits.empty() && chance(4)) return named(Op::kTraitSource, pick(world_.traits));
    return world_.traits.empty() ? text_literal() : named(Op::kTrait, pick(world_.traits));
  }

  // A number in bands, whose values are of one type.
  Node band(Node of, Type type) {
    Node node = make(Op::kBand, {std::move(of)});
    Decimal bound = number_literal().number;
    for (uint32_t i = 1 + below(3); i > 0; --i) {
      node.of.push_back(literal(type));
      node.of.push_back({.op = Op::kNumber, .number = bound});
      bound = Decimal::from_units(bound.units() + from_one(3 * Decimal::kScale));
    }
    if (chance(2)) node.of.push_back(literal(type));
    return node;
  }

  Node number_function() {
    switch (below(7)) {
      case 0:
        return windowed(pick_op({Op::kActiveDays, Op::kInterval}), false);
      case 1: {
        Node node = make(Op::kShare, {events(true)});
        node.window = window();
        return node;
      }
      case 2:
        return make(Op::kDaysSince, {instant(1)});
      case 3:
        return windowed(Op::kCount, false);
      case 4:
        return make(Op::kAge, {world_.traits.empty() || chance(3) ? instant(1)
                                                                  : named(Op::kTrait, pick(world_.traits))});
      default:
        return windowed(pick_op({Op::kSum, Op::kAverage, Op::kMin, Op::kMax, Op::kDistinct}), true);
    }
  }
  // Of a number that is none itself.
  Node percentile() {
    const bool had = std::exchange(world_.percentiles, false);
    Node node = make(Op::kPercentile, {number(1)});
    world_.percentiles = had;
    return node;
  }
  Node number(uint32_t depth) {
    if (world_.percentiles && chance(8)) return percentile();
    if (depth > 0 && chance(5))
      return make(pick_op({Op::kPlus, Op::kMinus}), {number(depth - 1), number(depth - 1)});
    if (!world_.functions || chance(8))
      return chance(2)                            ? number_literal()
             : world_.traits.empty()              ? number_literal()
             : !world_.lists.empty() && chance(3) ? named(Op::kListValue, pick(world_.lists))
                                                  : named(Op::kTrait, pick(world_.traits));
    return number_function();
  }

  Node stage() {
    Node node{.op = Op::kStage, .window = window()};
    for (uint32_t i = 2 + below(3); i > 0; --i) {
      Node of = events();
      if (of.text.empty()) of.text = pick(world_.events);
      node.of.push_back(make(Op::kStep, {std::move(of)}));
    }
    return node;
  }
  Node top_n() {
    Node node = windowed(Op::kTopN, true);
    node.number = Decimal::from_units(static_cast<int64_t>(kTopLeast + below(2)) * Decimal::kScale);
    return node;
  }
  Node rfm() {
    Node node = windowed(Op::kRfm, false);
    node.text = pick(world_.properties);
    return node;
  }
  Node text(uint32_t depth) {
    if (depth > 0 && chance(8)) return cases(Type::kText, depth - 1);
    if (chance(8)) return band(number(1), Type::kText);
    const uint32_t kind = below(4);
    if (kind == 0 && world_.functions && world_.sequences) return stage();
    if (kind == 1 && world_.functions) return chance(2) ? top_n() : windowed(Op::kTop, true);
    if (world_.percentiles && world_.functions && chance(6)) return rfm();
    return data();
  }

  Node instant(uint32_t depth) {
    if (depth > 0 && chance(4))
      return make(pick_op({Op::kPlus, Op::kMinus}), {instant(depth - 1), span_literal()});
    if (!world_.traits.empty() && chance(10)) return named(Op::kTraitTime, pick(world_.traits));
    const uint32_t kind = below(8);
    if (kind == 0) return {.op = Op::kToday};
    if (kind < 3 || !world_.functions) return date_literal();
    if (kind == 3) {
      Node node = function(Op::kNth, false);
      node.number = Decimal::from_units(from_one(4) * Decimal::kScale);
      return node;
    }
    return kind < 6 ? function(Op::kFirst, false) : windowed(Op::kLast, false);
  }

  // Stands in comparisons only, beside what does not move.
  Node moving(uint32_t depth) {
    if (depth == 0 || chance(3)) return {.op = Op::kNow};
    return make(pick_op({Op::kPlus, Op::kMinus}), {moving(depth - 1), span_literal()});
  }
  Node instants_test() {
    const Op op = comparison(Type::kInstant);
    switch (below(6)) {
      case 0:
        return make(op, {moving(2), instant(1)});
      case 1:
        return make(op, {instant(1), moving(2)});
      case 2:
        return make(Op::kBetween, {instant(1), moving(2), chance(2) ? moving(2) : instant(1)});
      default:
        return make(op, {instant(1), instant(1)});
    }
  }

  Node cases(Type type, uint32_t depth) {
    Node node{.op = Op::kCase};
    const auto value = [&] {
      return type == Type::kNumber ? (chance(3) ? number(1) : number_literal()) : text_literal();
    };
    for (uint32_t i = 1 + below(3); i > 0; --i) {
      node.of.push_back(condition(depth > 0 ? depth - 1 : 0));
      node.of.push_back(value());
    }
    if (chance(2)) node.of.push_back(value());
    return node;
  }

  template <class Make>
  Node join(uint32_t depth, Make make_one) {
    if (chance(3)) return make(Op::kNot, {make_one(depth - 1)});
    Node node{.op = pick_op({Op::kAnd, Op::kOr})};
    for (uint32_t i = 2 + below(2); i > 0; --i) node.of.push_back(make_one(depth - 1));
    return node;
  }

  Op comparison(Type type) {
    if (type == Type::kBool) return pick_op({Op::kEqual, Op::kNotEqual});
    return pick_op({Op::kEqual, Op::kNotEqual, Op::kLess, Op::kAtMost, Op::kGreater, Op::kAtLeast});
  }
  // A value of data against literals of one type.
  Node compared(Node value, Type type) {
    const uint32_t kind = below(6);
    if (kind == 0 && type != Type::kBool)
      return make(Op::kBetween, {std::move(value), literal(type), literal(type)});
    if (kind == 1) return make(Op::kIn, {std::move(value), list(type)});
    return make(comparison(type), {std::move(value), literal(type)});
  }
  Node text_test(Node value) {
    switch (below(5)) {
      case 0:
        return make(Op::kMatches, {std::move(value), named(Op::kText, pick(world_.patterns))});
      case 1:
        return make(Op::kIsKnown, {std::move(value)});
      case 2:
        return make(pick_op({Op::kContains, Op::kStartsWith, Op::kEndsWith}),
                    {std::move(value), text_literal()});
      default:
        return compared(std::move(value), Type::kText);
    }
  }

  Node where_test() {
    Node property = named(Op::kProperty, pick(world_.properties));
    switch (below(12)) {
      case 9:
        return chance(4) ? make(Op::kIsKnown, {{.op = Op::kEventHoliday}})
                         : make(comparison(Type::kText),
                                {{.op = Op::kEventHoliday}, named(Op::kText, pick(world_.holidays))});
      case 10:
        return {.op = Op::kEventWorkday};
      case 11:
        return chance(2) ? compared(band(std::move(property), Type::kText), Type::kText)
                         : make(Op::kIsKnown, {band(std::move(property), Type::kNumber)});
      case 0:
        return make(pick_op({Op::kEqual, Op::kNotEqual}),
                    {{.op = Op::kChannel}, named(Op::kText, pick(world_.channels))});
      case 1:
        return make(Op::kEqual, {{.op = Op::kSource}, named(Op::kText, pick(world_.sources))});
      case 2:
        return clock_test(Op::kEventHour, 24);
      case 3:
        return clock_test(Op::kEventWeekday, 8);
      case 4:
        return text_test(std::move(property));
      case 5:
        return make(comparison(Type::kText),
                    {std::move(property), named(Op::kProperty, pick(world_.properties))});
      case 6:
        return make(comparison(Type::kNumber),
                    {make(Op::kPlus, {std::move(property), number_literal()}), number_literal()});
      default:
        return compared(std::move(property), scalar_type());
    }
  }
  Node clock_test(Op op, uint32_t most) {
    const auto whole = [&] {
      return Node{.op = Op::kNumber, .number = Decimal::from_units(below(most) * Decimal::kScale)};
    };
    if (chance(2)) return make(Op::kBetween, {{.op = op}, whole(), whole()});
    return make(comparison(Type::kNumber), {{.op = op}, whole()});
  }

  // Positive steps, between two of which others are excluded; or one that something does not follow in time.
  Node sequence() {
    Node node{.op = Op::kSequence, .window = window()};
    const auto add = [&](Op op) { node.of.push_back(make(op, {events()})); };
    add(Op::kStep);
    if (chance(3)) {
      if (world_.any_sequence && chance(2)) add(Op::kStep);
      add(Op::kNotStep);
      if (world_.any_sequence && chance(3)) add(Op::kNotStep);
      node.span = short_span();
    } else {
      for (uint32_t i = 1 + below(3); i > 0; --i) {
        if (chance(4)) add(Op::kNotStep);
        if (world_.any_sequence && node.of.size() < 5 && chance(6)) add(Op::kNotStep);
        add(Op::kStep);
      }
      if (chance(2)) node.span = short_span();
    }
    if (chance(4)) node.text = path(true);
    return node;
  }
  Node condition(uint32_t depth) {
    if (depth > 0 && chance(3)) return join(depth, [this](uint32_t below) { return condition(below); });
    return world_.functions && !chance(4) ? events_test() : customer_test();
  }
  Node events_test() {
    switch (below(8)) {
      case 0:
      case 1:
        return windowed(Op::kDid, false);
      case 2:
        return world_.sequences ? sequence() : windowed(Op::kDid, false);
      case 3:
        return {.op = Op::kWithin, .window = window(), .of = {instant(1)}};
      case 4:
        return instants_test();
      case 5:
        return text_test(text(1));
      default:
        return make(comparison(Type::kNumber), {number(1), number(1)});
    }
  }
  Node customer_test() {
    if (!world_.lists.empty() && chance(4)) return named(Op::kListed, pick(world_.lists));
    const uint32_t kind = below(8);
    if (kind < 2 && !world_.segments.empty()) return named(Op::kSegment, pick(world_.segments));
    if (world_.traits.empty()) return compared(data(), Type::kText);
    if (kind == 2 && world_.birthdays) {
      return {.op = Op::kBirthday,
              .span = {from_one(40), Unit::kDay},
              .of = {named(Op::kTrait, pick(world_.traits))}};
    }
    if (kind == 3) return named(Op::kTrait, pick(world_.traits));
    if (chance(6)) return several();
    if (kind == 4) return make(comparison(Type::kText), {data(), data()});
    if (chance(2)) return text_test(data());
    Node value = data();
    const Type type = static_type(value).value_or(scalar_type());
    return compared(std::move(value), type);
  }

  // What holds of one element of a list.
  Node several() {
    Node elements = named(Op::kTrait, pick(world_.traits) + "[]");
    if (chance(4)) return make(Op::kIsKnown, {std::move(elements)});
    if (chance(3)) return text_test(std::move(elements));
    return compared(std::move(elements), scalar_type());
  }

  std::mt19937_64 random_;
  RandomRuleWorld world_;
};

}  // namespace kehu::rule
