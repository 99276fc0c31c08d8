#include "tally/spec.h"

#include <charconv>

#include "base/civil_day.h"
#include "base/text.h"
#include "rule/nodes.h"

namespace kehu::tally {
namespace {

using rule::Granule;
using rule::Node;
using rule::Op;
using rule::Unit;
using rule::Window;

// Clocks may be an hour ahead (limits::kFutureTolerance). Such an event is the newest, and must not push out
// what the window of the present still needs.
uint32_t ahead(Granule granule) {
  switch (granule) {
    case Granule::kSecond:
      return 3600;
    case Granule::kMinute:
      return 60;
    case Granule::kHour:
    case Granule::kDay:
      return 1;
    case Granule::kNone:
      return 0;
  }
  return 0;
}

// At most.
uint32_t days_of(Unit unit) {
  switch (unit) {
    case Unit::kWeek:
      return 7;
    case Unit::kMonth:
      return 31;
    case Unit::kQuarter:
      return 92;
    case Unit::kYear:
      return 366;
    default:
      return 1;
  }
}

// How many granules before the newest one a window may contain.
uint32_t reach(const Window& window) {
  switch (window.kind) {
    case Window::Kind::kLast:
      if (const auto granules = rule::granules(window)) return static_cast<uint32_t>(*granules);
      return static_cast<uint32_t>(window.span.count) * days_of(window.span.unit);
    case Window::Kind::kToday:
      return 1;
    case Window::Kind::kYesterday:
      return 2;
    case Window::Kind::kThis:
      return days_of(window.span.unit);
    case Window::Kind::kPrevious:
      return 2 * days_of(window.span.unit);
    default:
      return 0;
  }
}

// Names of tallies are stored: what is there never changes. A text stands behind its size, so that no two
// trees have one name.
void append_name(const Node& node, std::string& out) {
  const Window& window = node.window;
  out.append(cat("(", rule::to_string(node.op), " ", node.text.size(), ":", node.text, " ",
                 node.number.units(), " ", node.span.count, "*", static_cast<int>(node.span.unit), " ",
                 static_cast<int>(window.kind), ",", window.span.count, "*",
                 static_cast<int>(window.span.unit), ",", window.from.value(), ",", window.to.value()));
  for (const Node& child : node.of) append_name(child, out);
  out.push_back(')');
}

bool is_closed(const Window& window) {
  return window.kind != Window::Kind::kEver && window.kind != Window::Kind::kLast &&
         window.kind != Window::Kind::kSince;
}

void set_window(const Window& window, Spec& spec) {
  if (window.kind == Window::Kind::kSince || window.kind == Window::Kind::kBetween) {
    const auto zone = BusinessZone::load(spec.zone);
    spec.period = rule::extent(window, Instant(), zone ? *zone : BusinessZone());
    return;
  }
  spec.granule = rule::granule(window);
  if (spec.granule != Granule::kNone) spec.length = reach(window) + ahead(spec.granule);
}

Spec steps_of(const Node& sequence, const std::string& zone) {
  // What is counted does not depend on comments.
  Spec spec{.kind = Kind::kSteps, .events = rule::without_comments(sequence), .zone = zone};
  spec.events.window = {};
  return spec;
}

}  // namespace

std::string name_of(const Node& node) {
  std::string name;
  append_name(node, name);
  return name;
}

std::string Spec::key() const {
  std::string key = cat(static_cast<int>(kind), "|", zone, "|", static_cast<int>(granule), "|", length, "|",
                        extremes ? 1 : 0, ends ? 1 : 0, "|", first, "|");
  if (period) key.append(cat(period->from.micros(), "-", period->to.micros()));
  key.append("|").append(path).append("|");
  append_name(events, key);
  return key;
}

namespace {

// Takes a number and the bar behind it from the beginning of a key.
std::optional<uint32_t> take_number(std::string_view& key) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end == key.data() + key.size() || *end != '|') return std::nullopt;
  key.remove_prefix(static_cast<size_t>(end - key.data()) + 1);
  return number;
}

}  // namespace

Cover::Cover(const Spec& spec) : spec_(spec), key_(spec.key()) {
  if (spec.kind != Kind::kAmounts) return;
  head_ = cat(static_cast<int>(spec.kind), "|", spec.zone, "|").size();
  const std::string numbers = cat(static_cast<int>(spec.granule), "|", spec.length, "|");
  tail_ = std::string_view(key_).substr(head_ + numbers.size() + 2);
}

std::optional<Spec> Cover::by(std::string_view key) const {
  if (key == key_) return spec_;
  if (spec_.kind != Kind::kAmounts || !key.starts_with(std::string_view(key_).substr(0, head_)))
    return std::nullopt;
  std::string_view rest = key.substr(head_);
  const auto granule = take_number(rest), length = take_number(rest);
  if (!granule || !length || rest.size() < 2 || rest.substr(2) != tail_) return std::nullopt;
  Spec other = spec_;
  other.granule = static_cast<Granule>(*granule);
  other.length = *length;
  other.extremes = rest[0] == '1';
  other.ends = rest[1] == '1';
  const bool granules =
      spec_.granule == Granule::kNone || (spec_.granule == other.granule && spec_.length <= other.length);
  const bool flags = other.extremes >= spec_.extremes && other.ends >= spec_.ends;
  return granules && flags ? std::optional(other) : std::nullopt;
}

std::vector<Spec> specs_of(const Node& aggregate, const std::string& zone) {
  if (aggregate.op == Op::kSequence || aggregate.op == Op::kStage) return {steps_of(aggregate, zone)};
  Spec spec{.events = rule::without_comments(aggregate.of[0]), .path = aggregate.text, .zone = zone};
  set_window(aggregate.window, spec);
  switch (aggregate.op) {
    case Op::kMin:
    case Op::kMax:
      spec.extremes = true;
      return {spec};
    case Op::kDistinct:
    case Op::kTop:
    case Op::kTopN:
      spec.kind = Kind::kTexts;
      return {spec};
    case Op::kFirst:
    case Op::kLast:
      // With an open window the last of all is the last of the window, if it lies there at all.
      if (!spec.path.empty()) spec.kind = Kind::kEndValues;
      if (!is_closed(aggregate.window) && !spec.period) spec.granule = Granule::kNone, spec.length = 0;
      spec.ends = spec.granule != Granule::kNone;
      return {spec};
    case Op::kInterval:
      spec.ends = spec.granule != Granule::kNone;
      return {spec};
    case Op::kActiveDays:
      // Days are counted one by one, also where the window has no granule. An hour may belong to two days, in
      // zones whose days begin in the middle of one.
      if (spec.granule == Granule::kNone) spec.granule = Granule::kDay, spec.length = rule::kWindowDays;
      spec.ends = spec.granule == Granule::kHour;
      return {spec};
    case Op::kNth:
      spec.kind = Kind::kMoments;
      spec.first = static_cast<uint32_t>(aggregate.number.units() / Decimal::kScale);
      return {spec};
    case Op::kShare: {
      Spec all = spec;
      all.events.of.clear();
      return {spec, all};
    }
    default:
      return {spec};
  }
}

}  // namespace kehu::tally
