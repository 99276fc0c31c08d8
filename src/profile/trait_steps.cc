#include "profile/trait_steps.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "base/limits.h"
#include "json/fields.h"

// A plain trait is the newest value and needs nothing else. A step such as $add depends on what stands
// below it, and a value with an older time may still come. So steps are not carried out at the fold but
// kept in the order of their times, and value_of() takes them for the reader. Everything here serves two
// ends: that any order of arrival gives the same bytes, and that a customer's steps stay bounded. Where
// both cannot be had, beyond limits::kTraitSteps, the bound wins (trait_steps.h).
namespace kehu::profile {
namespace {

using Kind = TraitStep::Kind;

constexpr uint64_t kMinStepBytes = 4;

auto place(const TraitStep& step) { return std::tie(step.name, step.stamp, step.kind, step.operand); }

bool comes_before(const TraitStep& a, const TraitStep& b) { return place(a) < place(b); }

// Two additions of one moment are one, as nothing can come between them. A repeated $set_once or $append
// of one moment changes nothing, and its operand is part of its place, so it joins its equal.
bool joins(const TraitStep& a, const TraitStep& b) { return place(a) == place(b); }

// A list holds the elements of its arrays, each once and in the order in which they came first.
class Elements {
 public:
  void append(std::string_view array) {
    json::FieldReader reader(array);
    for (json::Field field; reader.next(field);) {
      if (known_.insert(field.value.raw).second) order_.push_back(field.value.raw);
    }
  }

  // Gives as many of the newest elements as fit, since a list that grows for ever must lose its oldest
  // ones.
  std::string array() const {
    size_t bytes = 1;
    auto first = order_.end();
    while (first != order_.begin() && bytes + (first - 1)->size() + 1 <= limits::kTraitBytes)
      bytes += (--first)->size() + 1;
    std::string out = "[";
    for (auto at = first; at != order_.end(); ++at) out.append(at == first ? "" : ",").append(*at);
    return out + "]";
  }

 private:
  std::vector<std::string_view> order_;
  std::unordered_set<std::string_view> known_;
};

bool is_array(std::string_view text) { return !text.empty() && text.front() == '['; }

// The value of a trait while its steps are taken, oldest first. It stays in the form of the last step, a
// number or a list, and becomes text only at the end: a trait with 32 additions is parsed once and printed
// once. A step that does not fit the value leaves it and its stamp alone.
class Walk {
 public:
  explicit Walk(const Trait* base) {
    if (base == nullptr || base->value.empty()) return;
    text_ = base->value;
    stamp_ = base->stamp;
  }

  void take(const TraitStep& step) {
    const bool fits = step.kind == Kind::kOnce  ? take_once(step.operand)
                      : step.kind == Kind::kAdd ? take_add(step.amount)
                                                : take_append(step.operand);
    if (fits) stamp_ = step.stamp;
  }

  std::optional<TraitValue> value() {
    if (number_) return TraitValue{sum_to_string(*number_), stamp_};
    if (is_list_) return TraitValue{elements_.array(), stamp_};
    if (text_.empty()) return std::nullopt;
    return TraitValue{std::string(text_), stamp_};
  }

 private:
  bool is_absent() const { return text_.empty() && !number_ && !is_list_; }

  bool take_once(std::string_view operand) {
    if (!is_absent()) return false;
    text_ = operand;
    return true;
  }
  bool take_add(Sum amount) {
    if (is_absent()) number_ = 0;
    if (!number_ && !is_list_) {
      if (const auto number = Decimal::parse(text_)) number_ = number->units();
    }
    if (number_) number_ = aggregate::wrapping_add(*number_, amount);
    return number_.has_value();
  }
  bool take_append(std::string_view array) {
    if (is_absent()) is_list_ = true;
    if (!is_list_ && !number_ && is_array(text_)) {
      elements_.append(text_);
      is_list_ = true;
    }
    if (is_list_) elements_.append(array);
    return is_list_;
  }

  std::string_view text_;
  std::optional<Sum> number_;
  bool is_list_ = false;
  Elements elements_;
  Stamp stamp_;
};

}  // namespace

absl::Span<const TraitStep> TraitSteps::of(NameId name) const {
  const auto begin =
      std::lower_bound(steps_.begin(), steps_.end(), name,
                       [](const TraitStep& step, NameId wanted) { return step.name < wanted; });
  const size_t first = static_cast<size_t>(begin - steps_.begin());
  if (begin == steps_.end() || begin->name != name) return {};
  return absl::MakeConstSpan(steps_).subspan(first, end_of_name(first) - first);
}

size_t TraitSteps::end_of_name(size_t begin) const {
  size_t end = begin + 1;
  while (end < steps_.size() && steps_[end].name == steps_[begin].name) ++end;
  return end;
}

bool TraitSteps::add(const TraitStep& step) {
  added_.push_back(step);
  return of(step.name).empty();
}

// Added steps wait unsorted, since one event may bring thousands, and inserting each at its place would
// cost the square of their number. They are sorted once and merged with the others, which are sorted
// already; equals then stand beside each other and join.
void TraitSteps::absorb_added() {
  if (added_.empty()) return;
  const auto middle = static_cast<ptrdiff_t>(steps_.size());
  std::sort(added_.begin(), added_.end(), comes_before);
  steps_.insert(steps_.end(), added_.begin(), added_.end());
  added_.clear();
  std::inplace_merge(steps_.begin(), steps_.begin() + middle, steps_.end(), comes_before);
  size_t kept = 0;
  for (size_t i = 1; i < steps_.size(); ++i) {
    if (joins(steps_[kept], steps_[i])) {
      steps_[kept].amount = aggregate::wrapping_add(steps_[kept].amount, steps_[i].amount);
    } else {
      steps_[++kept] = steps_[i];
    }
  }
  steps_.resize(kept + 1);
}

void TraitSteps::clear(Stamp stamp) {
  if (!cleared_ || *cleared_ < stamp) cleared_ = stamp;
}

void TraitSteps::merge(const TraitSteps& other) {
  added_.insert(added_.end(), other.steps_.begin(), other.steps_.end());
  if (other.cleared_) clear(*other.cleared_);
}

// The order of the three cuts matters. Clearing comes first, for it empties values that then bound steps
// from below; names beyond the limit go before their steps are looked at; and each name is settled against
// the newest of its value and the clearing.
void TraitSteps::settle(Traits& traits, aggregate::TextPool& pool) {
  if (empty()) return;
  absorb_added();
  if (cleared_) traits.empty_until(*cleared_);
  trim(traits);
  settled_.clear();
  for (size_t begin = 0; begin < steps_.size();) {
    const size_t end = end_of_name(begin);
    const Trait* base = traits.find(steps_[begin].name);
    const auto set = base == nullptr ? std::nullopt : std::optional(base->stamp);
    settle_name(begin, end, std::max(set, cleared_), pool);
    begin = end;
  }
  steps_.swap(settled_);
}

// The smallest names stay, of all that have a value or steps, as in Traits::trim: both lists are walked
// together, because a name that has both counts once.
void TraitSteps::trim(Traits& traits) {
  size_t names = 0;
  size_t value = 0;
  size_t step = 0;
  const auto& values = traits.values();
  for (; names < limits::kTraitsPerCustomer && (value < values.size() || step < steps_.size()); ++names) {
    const bool from_value =
        step == steps_.size() || (value < values.size() && values[value].name <= steps_[step].name);
    const NameId name = from_value ? values[value].name : steps_[step].name;
    if (from_value) ++value;
    if (step < steps_.size() && steps_[step].name == name) step = end_of_name(step);
  }
  if (value == values.size() && step == steps_.size()) return;
  traits.trim_to(value);
  steps_.resize(step);
}

// Additions and appends below a newer value are gone for good, as that value replaced them. Of $set_once
// the first and the last are kept: the first decides while nothing newer stands above it, and the last is
// what remains when a deletion that is still to come supersedes the first.
void TraitSteps::settle_name(size_t begin, size_t end, std::optional<Stamp> lower,
                             aggregate::TextPool& pool) {
  tail_.clear();
  const TraitStep* last = nullptr;
  for (size_t i = begin; i < end; ++i) {
    TraitStep& step = steps_[i];
    const bool superseded = lower && step.stamp <= *lower;
    if (step.kind != Kind::kOnce) {
      if (!superseded) tail_.push_back(step);
      continue;
    }
    // What stands below a newer value is kept as a moment, so that the first stays the first.
    if (superseded) step.operand = {};
    if (last == nullptr) settled_.push_back(step);
    last = &step;
  }
  const size_t first_of_name = settled_.size() - (last == nullptr ? 0 : 1);
  if (last != nullptr && !joins(*last, settled_.back())) settled_.push_back(*last);
  combine_oldest(tail_, pool);
  settled_.insert(settled_.end(), tail_.begin(), tail_.end());
  std::sort(settled_.begin() + static_cast<ptrdiff_t>(first_of_name), settled_.end(), comes_before);
}

// Two steps of one kind become one at the time of the newer one, so nothing of their sum is lost, but a
// set whose time lies between them can no longer part them. The oldest are combined, because a set so late
// is the least likely.
void TraitSteps::combine_oldest(std::vector<TraitStep>& steps, aggregate::TextPool& pool) const {
  const auto too_much = [&steps] {
    size_t bytes = 0;
    for (const TraitStep& step : steps) bytes += step.operand.size();
    return steps.size() > limits::kTraitSteps || (steps.size() > 1 && bytes > limits::kTraitBytes);
  };
  while (too_much()) {
    size_t second = 1;
    while (steps[second].kind != steps[0].kind && second + 1 < steps.size()) ++second;
    TraitStep& newer = steps[second];
    if (newer.kind != steps[0].kind) {
      // One addition below nothing but lists, or the reverse: it is the one that does not fit.
      steps.erase(steps.begin());
      continue;
    }
    if (newer.kind == Kind::kAdd) {
      newer.amount = aggregate::wrapping_add(newer.amount, steps[0].amount);
    } else {
      Elements elements;
      elements.append(steps[0].operand);
      elements.append(newer.operand);
      newer.operand = pool.keep(elements.array());
    }
    steps.erase(steps.begin());
  }
}

void TraitSteps::write(aggregate::WireBuffer& out) const {
  if (empty()) return;
  out.byte(cleared_ ? 1 : 0);
  const auto stamp = [&out](const Stamp& written) {
    out.instant(written.time);
    out.varint(written.source.value());
  };
  if (cleared_) stamp(*cleared_);
  for (size_t begin = 0; begin < steps_.size();) {
    const size_t end = end_of_name(begin);
    out.key(steps_[begin].name.value());
    out.varint(end - begin);
    for (; begin < end; ++begin) {
      const TraitStep& step = steps_[begin];
      out.byte(static_cast<uint8_t>(step.kind));
      stamp(step.stamp);
      if (step.kind == Kind::kAdd) {
        out.wide(step.amount);
      } else {
        out.text(step.operand);
      }
    }
  }
}

bool TraitSteps::read(std::string_view section) {
  steps_.clear();
  added_.clear();
  cleared_.reset();
  if (section.empty()) return true;
  aggregate::WireReader in(section);
  const auto stamp = [&in] {
    const Instant time = in.instant();
    const uint64_t source = in.varint();
    if (source > UINT32_MAX) in.fail();
    return Stamp{time, SourceId(static_cast<uint32_t>(source))};
  };
  const uint8_t flags = in.byte();
  if (flags > 1) return false;
  if (flags == 1) cleared_ = stamp();
  while (!in.failed() && !in.at_end()) {
    const NameId name(in.key());
    const uint64_t count = in.varint();
    if (count == 0 || count > in.rest().size() / kMinStepBytes) return false;
    for (uint64_t i = 0; i < count; ++i) {
      TraitStep step;
      step.name = name;
      const uint8_t kind = in.byte();
      if (kind > static_cast<uint8_t>(Kind::kAppend)) return false;
      step.kind = static_cast<Kind>(kind);
      step.stamp = stamp();
      if (step.kind == Kind::kAdd) {
        step.amount = in.wide();
      } else {
        step.operand = in.text();
      }
      if (in.failed() || (!steps_.empty() && !comes_before(steps_.back(), step))) return false;
      steps_.push_back(step);
    }
  }
  return in.complete() && !empty();
}

// Of the $set_once above the newest value only the first counts: it gave the trait a value, or found one
// there.
std::optional<TraitValue> value_of(const Trait* base, absl::Span<const TraitStep> steps,
                                   const std::optional<Stamp>& cleared) {
  const auto set = base == nullptr ? std::nullopt : std::optional(base->stamp);
  const auto lower = std::max(set, cleared);
  Walk walk(base);
  bool once = false;
  for (const TraitStep& step : steps) {
    if (lower && step.stamp <= *lower) continue;
    if (step.kind == Kind::kOnce && std::exchange(once, true)) continue;
    walk.take(step);
  }
  return walk.value();
}

}  // namespace kehu::profile
