#include "tally/folder.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace kehu::tally {
namespace {

absl::Status damaged() {
  return failure(
      absl::StatusCode::kDataLoss,
      "the stored state of a customer is damaged (tallies of rules): run kehu check; a copy of the "
      "data directory or a replay of the log restores it");
}

}  // namespace

// Of damage nothing is left that could be counted with.
bool State::read(const Counter& counter, std::string_view payload) {
  if (read_payload(counter, payload)) return true;
  read_payload(counter, {});
  return false;
}

bool State::read_payload(const Counter& counter, std::string_view payload) {
  switch (counter.spec.kind) {
    case Kind::kAmounts:
      return amounts.read(counter.spec, payload);
    case Kind::kTexts:
      return texts.read(counter.spec, payload);
    case Kind::kEndValues:
      return ends.read(counter.spec, payload);
    case Kind::kMoments:
      return moments.read(payload);
    case Kind::kSteps:
      return steps.read(payload);
  }
  return false;
}

bool State::merge(const Counter& counter, const State& other) {
  switch (counter.spec.kind) {
    case Kind::kAmounts:
      amounts.merge(counter.spec, other.amounts);
      return true;
    case Kind::kTexts:
      texts.merge(counter.spec, other.texts);
      return true;
    case Kind::kEndValues:
      ends.merge(counter.spec, other.ends);
      return true;
    case Kind::kMoments:
      moments.merge(other.moments, counter.spec.first);
      return true;
    case Kind::kSteps:
      steps.merge(*counter.pattern, other.steps);
      return true;
  }
  return false;
}

void State::write(const Counter& counter, aggregate::WireBuffer& out) const {
  switch (counter.spec.kind) {
    case Kind::kAmounts:
      return amounts.write(counter.spec, out);
    case Kind::kTexts:
      return texts.write(counter.spec, out);
    case Kind::kEndValues:
      return ends.write(counter.spec, out);
    case Kind::kMoments:
      return moments.write(out);
    case Kind::kSteps:
      return steps.write(out);
  }
}

bool Reader::next(TallyId& id, std::string_view& payload) {
  if (in_.failed() || in_.at_end()) return false;
  last_ += static_cast<uint32_t>(in_.varint());
  id = TallyId(last_);
  payload = in_.text();
  return !in_.failed();
}

void Folder::put(TallyId id, std::string_view payload) {
  if (payload.empty()) return;
  body_.varint(id.value() - last_);
  body_.text(payload);
  last_ = id.value();
}

// Walks what is there and what the event counts for side by side, both in the order of ids, so that each
// tally is read and written at most once, whatever their number; one whose condition does not hold is copied.
absl::StatusOr<bool> Folder::fold(const Plan& plan, std::string_view bytes, const Seen& seen,
                                  std::string& out) {
  counted_.clear();
  moved_.clear();
  const auto touched = plan.touched(seen.event);
  if (touched.empty()) return false;
  if (states_.size() < plan.size()) states_.resize(plan.size());
  answers_.assign(plan.conditions(), Answer::kNotAsked);
  body_.clear();
  last_ = 0;
  Reader reader(bytes);
  TallyId id;
  std::string_view payload;
  bool has = reader.next(id, payload);
  for (const uint32_t index : touched) {
    const Counter& counter = plan.at(index);
    if (!is_wanted(plan, counter, seen)) continue;
    for (; has && id < counter.id; has = reader.next(id, payload)) {
      if (plan.find(id)) put(id, payload);
    }
    const bool here = has && id == counter.id;
    payload_.clear();
    if (here && is_appended(counter, seen, payload)) {
      counted_.push_back(index);
      put(counter.id, payload_.view());
      has = reader.next(id, payload);
      continue;
    }
    State& state = states_[index];
    if (!state.read(counter, here ? payload : std::string_view())) return damaged();
    const Done done = add(counter, seen, state);
    if (done == Done::kMoved) moved_.push_back(index);
    if (done != Done::kNothing) {
      counted_.push_back(index);
      state.write(counter, payload_);
      put(counter.id, payload_.view());
    } else if (here) {
      put(id, payload);
    }
    if (here) has = reader.next(id, payload);
  }
  if (counted_.empty()) return reader.failed() ? absl::StatusOr<bool>(damaged()) : false;
  for (; has; has = reader.next(id, payload)) {
    if (plan.find(id)) put(id, payload);
  }
  if (reader.failed()) return damaged();
  out.assign(body_.view());
  return true;
}

// Whether the event is one that the tally counts, as far as this can be told without the tally.
bool Folder::is_wanted(const Plan& plan, const Counter& counter, const Seen& seen) {
  if (counter.spec.kind != Kind::kSteps) {
    if (counter.spec.period && !counter.spec.period->contains(seen.event.time)) return false;
    return counts(plan, counter.selectors[0], seen);
  }
  mask_ = 0;
  for (size_t i = 0; i < counter.selectors.size(); ++i) {
    if (counts(plan, counter.selectors[i], seen)) mask_ |= static_cast<uint8_t>(1 << i);
  }
  return mask_ != 0;
}

bool Folder::counts(const Plan& plan, const Counter::Selector& selector, const Seen& seen) {
  const bool named =
      selector.name.empty() || (seen.event.type == EventType::kTrack && seen.event.name == selector.name);
  if (!named || !selector.condition) return named;
  Answer& answer = answers_[*selector.condition];
  if (answer == Answer::kNotAsked) {
    answer = plan.condition(*selector.condition).holds(seen) ? Answer::kYes : Answer::kNo;
  }
  return answer == Answer::kYes;
}

bool Folder::is_appended(const Counter& counter, const Seen& seen, std::string_view payload) {
  return counter.spec.kind == Kind::kSteps && counter.spec.events.text.empty() &&
         Steps::append(*counter.pattern, payload, {.time = seen.event.time, .mask = mask_}, payload_);
}

// Of an event that is wanted.
Folder::Done Folder::add(const Counter& counter, const Seen& seen, State& state) {
  const Spec& spec = counter.spec;
  const Instant time = seen.event.time;
  if (spec.kind == Kind::kSteps) return add_step(counter, seen, state);
  if (spec.kind == Kind::kMoments) {
    state.moments.add(time, spec.first);
    return Done::kMoved;
  }
  const int64_t number = rule::granule_of(time, spec.granule, counter.zone);
  if (spec.path.empty()) {
    state.amounts.add(spec, time, number, std::nullopt);
    return Done::kMoved;
  }
  bool changed = false;
  counter.value.any(seen, [&](const rule::Value& value) {
    if (spec.kind == Kind::kAmounts) {
      const auto units = rule::as_number(value);
      if (units) state.amounts.add(spec, time, number, static_cast<int64_t>(*units));
      changed |= units.has_value();
    } else if (spec.kind == Kind::kTexts) {
      const auto text = rule::as_text(value, counter.zone);
      if (text) state.texts.add(spec, *text, number);
      changed |= text.has_value();
    } else {
      state.ends.add(spec, time, number, value);
      changed |= value.known();
    }
    return false;
  });
  return changed ? Done::kMoved : Done::kNothing;
}

Folder::Done Folder::add_step(const Counter& counter, const Seen& seen, State& state) {
  Steps::Event event{.time = seen.event.time, .mask = mask_};
  const auto add = [&] { return state.steps.add(*counter.pattern, event) ? Done::kMoved : Done::kCounted; };
  if (counter.spec.events.text.empty()) return add();
  // Without the property that all have in common it belongs to no sequence; with several values, to several.
  keys_.clear();
  Done done = Done::kNothing;
  counter.key.any(seen, [&](const rule::Value& value) {
    if (const auto text = rule::as_text(value, counter.zone)) {
      event.key = (hash64(*text) & aggregate::kKeyMask) | 1;
      if (std::ranges::find(keys_, event.key) == keys_.end()) {
        keys_.push_back(event.key);
        done = std::max(done, add());
      }
    }
    return false;
  });
  return done;
}

absl::Status Folder::merge(const Plan& plan, std::string_view a, std::string_view b, std::string& out) {
  body_.clear();
  last_ = 0;
  Reader left(a), right(b);
  TallyId x, y;
  std::string_view payload_x, payload_y;
  bool has_x = left.next(x, payload_x);
  bool has_y = right.next(y, payload_y);
  while (has_x || has_y) {
    const bool take_x = has_x && (!has_y || x <= y);
    const bool take_y = has_y && (!has_x || y <= x);
    const TallyId id = take_x ? x : y;
    if (const auto index = plan.find(id)) {
      const Counter& counter = plan.at(*index);
      if (!state_.read(counter, take_x ? payload_x : payload_y)) return damaged();
      if (take_x && take_y) {
        if (!second_.read(counter, payload_y)) return damaged();
        state_.merge(counter, second_);
      }
      payload_.clear();
      state_.write(counter, payload_);
      put(id, payload_.view());
    }
    if (take_x) has_x = left.next(x, payload_x);
    if (take_y) has_y = right.next(y, payload_y);
  }
  if (left.failed() || right.failed()) return damaged();
  out.assign(body_.view());
  return absl::OkStatus();
}

namespace {

Specs joined(Specs specs, const Specs& others) {
  specs.insert(specs.end(), others.begin(), others.end());
  std::ranges::sort(specs, {}, &std::pair<TallyId, Spec>::first);
  return specs;
}

}  // namespace

PartCounter::PartCounter(const Specs& counted, const Specs& given)
    : plan_(counted, fields_), all_(joined(counted, given), all_fields_) {
  for (const auto& [id, spec] : joined({}, given)) given_.push_back({id, spec});
  for (const auto& [id, spec] : given) {
    places_.push_back(static_cast<size_t>(std::ranges::find(given_, id, &Given::id) - given_.begin()));
  }
}

absl::Status PartCounter::add(const Event& event, std::string_view source) {
  const bool is_track = event.type == EventType::kTrack;
  values_.read(is_track ? fields_.of(event.name_id(), event.source) : nullptr, event.properties);
  const auto counted = folder_.fold(plan_, counted_, {event, values_, source}, folded_);
  if (!counted.ok()) return counted.status();
  if (*counted) std::swap(counted_, folded_);
  return absl::OkStatus();
}

void PartCounter::add(size_t which, int64_t number, const Amount& amount) {
  Given& given = given_[places_[which]];
  given.amounts.add(given.spec, number, amount);
}

absl::StatusOr<std::string_view> PartCounter::tallies() {
  body_.clear();
  uint32_t last = 0;
  for (const Given& given : given_) {
    if (given.amounts.empty()) continue;
    payload_.clear();
    given.amounts.write(given.spec, payload_);
    body_.varint(given.id.value() - last);
    body_.text(payload_.view());
    last = given.id.value();
  }
  if (body_.empty()) return std::string_view(counted_);
  if (counted_.empty()) return body_.view();
  given_bytes_.assign(body_.view());
  if (auto status = folder_.merge(all_, counted_, given_bytes_, folded_); !status.ok()) return status;
  return std::string_view(folded_);
}

void PartCounter::clear() {
  counted_.clear();
  for (Given& given : given_) given.amounts.clear();
}

}  // namespace kehu::tally
