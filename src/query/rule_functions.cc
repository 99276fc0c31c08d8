#include "query/rule_functions.h"

#include <algorithm>
#include <optional>

#include "base/hash.h"
#include "base/text.h"
#include "json/fields.h"
#include "json/writer.h"
#include "rule/compare.h"
#include "rule/value.h"
#include "rule/wall_clock.h"
#include "rule/window.h"
#include "translation/functions.h"
#include "translation/step_walk.h"
#include "translation/tagged.h"

// Paths and zones are the same in all rows of a statement, so each vector reads them once, from its first
// row.
namespace kehu::query {
namespace {

using duck::Answers;
using duck::Arguments;
using duck::ScalarType;
using rule::Value;

absl::StatusOr<BusinessZone> zone_of(const Arguments& arguments, size_t column) {
  if (arguments.rows() == 0) return BusinessZone();
  const auto zone = BusinessZone::load(arguments.text(column, 0));
  if (zone) return *zone;
  return failure(absl::StatusCode::kInvalidArgument, "no time zone ", arguments.text(column, 0));
}

// One answer for each row without a null; nullopt is null.
template <class Make>
absl::Status each_integer(const Arguments& arguments, Answers& answers, Make make) {
  for (size_t row = 0; row < arguments.rows(); ++row) {
    const std::optional<int64_t> value = arguments.any_null(row) ? std::nullopt : make(row);
    if (value) {
      answers.set_integer(row, *value);
    } else {
      answers.set_null(row);
    }
  }
  return absl::OkStatus();
}

template <class Make>
absl::Status each_text(const Arguments& arguments, Answers& answers, Make make) {
  for (size_t row = 0; row < arguments.rows(); ++row) {
    const std::optional<std::string> value = arguments.any_null(row) ? std::nullopt : make(row);
    if (value) {
      answers.set_text(row, *value);
    } else {
      answers.set_null(row);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<json::FieldPath> path_of(const Arguments& arguments) {
  for (size_t row = 0; row < arguments.rows(); ++row) {
    if (!arguments.any_null(row)) return json::FieldPath::parse(arguments.text(1, row));
  }
  return json::FieldPath();
}

absl::Status value_at(const Arguments& arguments, Answers& answers) {
  const auto path = path_of(arguments);
  if (!path.ok()) return path.status();
  return each_text(arguments, answers, [&](size_t row) {
    std::optional<std::string> found;
    path->visit(arguments.text(0, row), [&](const json::RawValue& raw) {
      if (!found) found = translation::tagged(Value::of(raw));
    });
    return found;
  });
}

absl::Status values_at(const Arguments& arguments, Answers& answers) {
  const auto path = path_of(arguments);
  if (!path.ok()) return path.status();
  std::vector<std::string> found;
  for (size_t row = 0; row < arguments.rows(); ++row) {
    found.clear();
    if (!arguments.any_null(row)) {
      path->visit(arguments.text(0, row), [&](const json::RawValue& raw) {
        if (auto value = translation::tagged(Value::of(raw))) found.push_back(*std::move(value));
      });
    }
    answers.set_list(row, found);
  }
  return absl::OkStatus();
}

absl::Status elements(const Arguments& arguments, Answers& answers) {
  std::vector<std::string> found;
  for (size_t row = 0; row < arguments.rows(); ++row) {
    found.clear();
    if (!arguments.any_null(row)) {
      for (const Value& value : rule::elements(translation::untagged(arguments.text(0, row)))) {
        if (auto one = translation::tagged(value)) found.push_back(*std::move(one));
      }
    }
    answers.set_list(row, found);
  }
  return absl::OkStatus();
}

absl::Status origins(const Arguments& arguments, Answers& answers) {
  return each_text(arguments, answers, [&](size_t row) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object();
    json::FieldReader reader(arguments.text(0, row));
    for (json::Field field; reader.next(field);) {
      writer.key(field.key);
      if (field.value.kind == json::Kind::kNull) {
        writer.raw("null");
        continue;
      }
      writer.begin_object().field("time", std::to_string(arguments.integer(1, row)));
      writer.field("source", arguments.text(2, row)).end_object();
    }
    writer.end_object();
    return std::optional(std::move(out));
  });
}

absl::Status quoted(const Arguments& arguments, Answers& answers) {
  return each_text(arguments, answers, [&](size_t row) {
    std::string out;
    json::Writer(out).value(arguments.text(0, row));
    return std::optional(std::move(out));
  });
}

absl::Status number(const Arguments& arguments, Answers& answers) {
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    const auto sum = rule::as_number(translation::untagged(arguments.text(0, row)));
    if (!sum) return std::nullopt;
    return static_cast<int64_t>(*sum);
  });
}

absl::Status text(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 1);
  if (!zone.ok()) return zone.status();
  return each_text(arguments, answers, [&](size_t row) {
    return rule::as_text(translation::untagged(arguments.text(0, row)), *zone);
  });
}

absl::Status instant(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 1);
  if (!zone.ok()) return zone.status();
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    const auto time = rule::as_instant(translation::untagged(arguments.text(0, row)), *zone);
    if (!time) return std::nullopt;
    return time->micros();
  });
}

// What a zone makes of an instant.
template <int64_t (*of)(Instant, const BusinessZone&)>
absl::Status in_zone(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 1);
  if (!zone.ok()) return zone.status();
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    return of(Instant(arguments.integer(0, row)), *zone);
  });
}

int64_t day(Instant t, const BusinessZone& zone) { return zone.day_of(t).value(); }
int64_t hour(Instant t, const BusinessZone& zone) { return rule::hour_of(t, zone); }
int64_t workday(Instant t, const BusinessZone& zone) { return rule::is_workday(t, zone) ? 1 : 0; }
int64_t weekday(Instant t, const BusinessZone& zone) { return rule::weekday_of(t, zone); }

absl::Status holiday(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 1);
  if (!zone.ok()) return zone.status();
  return each_text(arguments, answers, [&](size_t row) -> std::optional<std::string> {
    const Value name = rule::holiday(Instant(arguments.integer(0, row)), *zone);
    return name.known() ? std::optional(name.text) : std::nullopt;
  });
}

absl::Status plus(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 3);
  if (!zone.ok()) return zone.status();
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    const rule::Span span = {arguments.integer(1, row), static_cast<rule::Unit>(arguments.integer(2, row))};
    return rule::plus(Instant(arguments.integer(0, row)), span, *zone).micros();
  });
}

absl::Status kept(const Arguments& arguments, Answers& answers) {
  return each_text(arguments, answers, [&](size_t row) {
    const std::string_view text = arguments.text(0, row);
    return std::optional(std::string(text.starts_with('"') ? cut_utf8(text, rule::kValueBytes + 1) : text));
  });
}

absl::Status hash(const Arguments& arguments, Answers& answers) {
  constexpr uint64_t kMask = 0xffff'ffff'ffff;
  return each_integer(arguments, answers, [&](size_t row) {
    return std::optional(static_cast<int64_t>(hash64(arguments.text(0, row)) & kMask));
  });
}

struct KeyedEvent {
  int64_t key = 0;
  translation::StepEvent event;
};

// Three numbers stand for an event: its time, the steps that it can take, and the hash of what all events of
// a sequence have in common.
std::vector<KeyedEvent> keyed_events(absl::Span<const int64_t> numbers) {
  std::vector<KeyedEvent> events;
  for (size_t i = 0; i + 2 < numbers.size(); i += 3) {
    events.push_back({numbers[i + 2], {Instant(numbers[i]), static_cast<uint32_t>(numbers[i + 1])}});
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const KeyedEvent& a, const KeyedEvent& b) { return a.key < b.key; });
  return events;
}

bool any_sequence(const translation::StepWalk& walk, absl::Span<const int64_t> numbers) {
  const std::vector<KeyedEvent> events = keyed_events(numbers);
  std::vector<translation::StepEvent> of_key;
  for (size_t i = 0; i < events.size(); ++i) {
    of_key.push_back(events[i].event);
    if (i + 1 < events.size() && events[i + 1].key == events[i].key) continue;
    if (translation::sequence_happened(walk, absl::MakeSpan(of_key))) return true;
    of_key.clear();
  }
  return false;
}

absl::Status sequence(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 7);
  if (!zone.ok()) return zone.status();
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    const auto instant_at = [&](size_t column) { return Instant(arguments.integer(column, row)); };
    const translation::StepWalk walk = {
        .steps = arguments.text(1, row),
        .within = {arguments.integer(2, row), static_cast<rule::Unit>(arguments.integer(3, row))},
        .window = {instant_at(4), instant_at(5)},
        .now = instant_at(6),
        .zone = *zone};
    return any_sequence(walk, arguments.integers(0, row)) ? 1 : 0;
  });
}

absl::Status stage(const Arguments& arguments, Answers& answers) {
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    std::vector<translation::StepEvent> events;
    for (const KeyedEvent& one : keyed_events(arguments.integers(0, row))) events.push_back(one.event);
    const auto steps = static_cast<size_t>(arguments.integer(1, row));
    return static_cast<int64_t>(translation::steps_taken(steps, absl::MakeSpan(events)));
  });
}

}  // namespace

absl::Status add_rule_functions(duck::Database& database) {
  constexpr ScalarType kText = ScalarType::kText;
  constexpr ScalarType kInteger = ScalarType::kInteger;
  constexpr ScalarType kIntegers = ScalarType::kIntegers;
  const duck::ScalarFunction functions[] = {
      {translation::kValueFunction, {kText, kText}, kText, value_at},
      {translation::kValuesFunction, {kText, kText}, ScalarType::kTexts, values_at},
      {translation::kOriginsFunction, {kText, kInteger, kText}, kText, origins},
      {translation::kElementsFunction, {kText}, ScalarType::kTexts, elements},
      {translation::kQuotedFunction, {kText}, kText, quoted},
      {translation::kKeptFunction, {kText}, kText, kept},
      {translation::kNumberFunction, {kText}, kInteger, number},
      {translation::kTextFunction, {kText, kText}, kText, text},
      {translation::kInstantFunction, {kText, kText}, kInteger, instant},
      {translation::kDayFunction, {kInteger, kText}, kInteger, in_zone<day>},
      {translation::kHourFunction, {kInteger, kText}, kInteger, in_zone<hour>},
      {translation::kWeekdayFunction, {kInteger, kText}, kInteger, in_zone<weekday>},
      {translation::kHolidayFunction, {kInteger, kText}, kText, holiday},
      {translation::kWorkdayFunction, {kInteger, kText}, kInteger, in_zone<workday>},
      {translation::kPlusFunction, {kInteger, kInteger, kInteger, kText}, kInteger, plus},
      {translation::kHashFunction, {kText}, kInteger, hash},
      {translation::kSequenceFunction,
       {kIntegers, kText, kInteger, kInteger, kInteger, kInteger, kInteger, kText},
       kInteger,
       sequence},
      {translation::kStageFunction, {kIntegers, kInteger}, kInteger, stage},
  };
  for (const duck::ScalarFunction& function : functions) {
    if (absl::Status status = database.add_scalar(function); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace kehu::query
