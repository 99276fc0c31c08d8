#include "query/rule_functions.h"

#include <optional>

#include "base/hash.h"
#include "base/text.h"
#include "json/fields.h"
#include "rule/value.h"
#include "rule/wall_clock.h"
#include "rule/window.h"
#include "translation/functions.h"
#include "translation/tagged.h"

// Paths and zones are the same in all rows of a statement, so each vector reads them once, from its first row.
namespace kehu::query {
namespace {

using duck::Answers;
using duck::Arguments;
using duck::ColumnType;
using duck::ResultShape;
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
int64_t weekday(Instant t, const BusinessZone& zone) { return rule::weekday_of(t, zone); }

absl::Status plus(const Arguments& arguments, Answers& answers) {
  const auto zone = zone_of(arguments, 3);
  if (!zone.ok()) return zone.status();
  return each_integer(arguments, answers, [&](size_t row) -> std::optional<int64_t> {
    const rule::Span span = {arguments.integer(1, row), static_cast<rule::Unit>(arguments.integer(2, row))};
    return rule::plus(Instant(arguments.integer(0, row)), span, *zone).micros();
  });
}

}  // namespace

absl::Status add_rule_functions(duck::Database& database) {
  constexpr ColumnType kText = ColumnType::kText;
  constexpr ColumnType kLong = ColumnType::kLong;
  const duck::ScalarFunction functions[] = {
      {translation::kValueFunction, {kText, kText}, ResultShape::kText, value_at},
      {translation::kValuesFunction, {kText, kText}, ResultShape::kTexts, values_at},
      {translation::kNumberFunction, {kText}, ResultShape::kInteger, number},
      {translation::kTextFunction, {kText, kText}, ResultShape::kText, text},
      {translation::kInstantFunction, {kText, kText}, ResultShape::kInteger, instant},
      {translation::kDayFunction, {kLong, kText}, ResultShape::kInteger, in_zone<day>},
      {translation::kHourFunction, {kLong, kText}, ResultShape::kInteger, in_zone<hour>},
      {translation::kWeekdayFunction, {kLong, kText}, ResultShape::kInteger, in_zone<weekday>},
      {translation::kPlusFunction, {kLong, kLong, kLong, kText}, ResultShape::kInteger, plus},
  };
  for (const duck::ScalarFunction& function : functions) {
    if (absl::Status status = database.add_scalar(function); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace kehu::query
