#include "mapping/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/civil_day.h"
#include "base/text.h"
#include "json/index.h"
#include "mapping/number_text.h"

namespace kehu::mapping {
namespace {

const Cell& cell_of(const Row& row, ColumnId column) { return row.cells[column.value()]; }

std::optional<double> number_of(const Cell& cell) {
  std::string text;
  if (cell.kind == CellKind::kNull || !append_number(cell.text, std::nullopt, text)) return std::nullopt;
  return std::strtod(text.c_str(), nullptr);
}

bool compares(const Condition& condition, double number) {
  switch (condition.kind) {
    case Condition::Kind::kAbove:
      return number > condition.number;
    case Condition::Kind::kBelow:
      return number < condition.number;
    case Condition::Kind::kAtLeast:
      return number >= condition.number;
    default:
      return number <= condition.number;
  }
}

bool test(const Condition& condition, const Cell& cell) {
  switch (condition.kind) {
    case Condition::Kind::kEmpty:
      return cell.kind == CellKind::kNull;
    case Condition::Kind::kOneOf:
      return std::find(condition.texts.begin(), condition.texts.end(), cell.text) != condition.texts.end();
    case Condition::Kind::kMatches:
      return condition.pattern->found_in(cell.text);
    default:
      break;
  }
  const auto number = number_of(cell);
  return number && compares(condition, *number);
}

}  // namespace

bool holds(const Condition& condition, const Row& row) {
  return test(condition, cell_of(row, condition.column)) != condition.negated;
}

bool all_hold(const std::vector<Condition>& conditions, const Row& row) {
  return std::all_of(conditions.begin(), conditions.end(), [&](const Condition& c) { return holds(c, row); });
}

bool any_holds(const std::vector<Condition>& conditions, const Row& row) {
  return std::any_of(conditions.begin(), conditions.end(), [&](const Condition& c) { return holds(c, row); });
}

std::optional<Cell> Evaluator::value(const Choice& choice, const Row& row) {
  for (const Value& alternative : choice) {
    if (!all_hold(alternative.when, row)) continue;
    const auto cell = value(alternative, row);
    if (!cell || cell->kind != CellKind::kNull) return cell;
  }
  return Cell{};
}

std::optional<Cell> Evaluator::value(const Value& value, const Row& row) {
  auto cell = source(value, row);
  if (!cell) return std::nullopt;
  if (cell->kind == CellKind::kNull) {
    if (value.required) return reject(Reason::kMissingColumn, value, "the value is required, but empty");
    return cell;
  }
  if (!value.table.empty() && !(cell = replaced(value, *cell))) return std::nullopt;
  if (!(cell = typed(value, *cell))) return std::nullopt;
  if (value.prefix.empty()) return cell;
  prefixed_.assign(value.prefix).append(cell->text);
  return Cell{CellKind::kText, prefixed_};
}

std::optional<Cell> Evaluator::source(const Value& value, const Row& row) {
  switch (value.from) {
    case Value::From::kColumn:
      return cell_of(row, value.columns.front());
    case Value::From::kConstant:
      return Cell{value.constant_kind, value.constant};
    case Value::From::kProduct:
      return product(value, row);
    case Value::From::kJoined:
      return joined(value, row);
  }
  return Cell{};
}

std::optional<Cell> Evaluator::product(const Value& value, const Row& row) {
  std::string result = "1";
  for (const ColumnId column : value.columns) {
    const Cell& factor = cell_of(row, column);
    if (factor.kind == CellKind::kNull) return Cell{};
    std::string text;
    const std::string& name = mapping_.columns[column.value()];
    if (!append_number(factor.text, value.thousands, text)) {
      rejection_ = {Reason::kInvalidField, name, "a number is expected"};
      return std::nullopt;
    }
    auto next = product_text(result, text);
    if (!next) {
      rejection_ = {Reason::kAmountOutOfRange, name, "the product is larger than 100,000,000,000,000"};
      return std::nullopt;
    }
    result = *std::move(next);
  }
  scratch_ = std::move(result);
  return Cell{CellKind::kNumber, scratch_};
}

Cell Evaluator::joined(const Value& value, const Row& row) {
  scratch_.clear();
  for (const ColumnId column : value.columns) {
    const Cell& part = cell_of(row, column);
    if (part.kind == CellKind::kNull) return {};
    if (column != value.columns.front()) scratch_.append(value.separator);
    scratch_.append(part.text);
  }
  return {CellKind::kText, scratch_};
}

std::optional<Cell> Evaluator::replaced(const Value& value, Cell cell) {
  const auto found = value.table.find(to_absl(cell.text));
  if (found != value.table.end()) return Cell{CellKind::kText, found->second};
  if (value.otherwise) return Cell{CellKind::kText, *value.otherwise};
  return reject(Reason::kInvalidField, value, "the value is not in the mapping's table");
}

std::optional<Cell> Evaluator::typed(const Value& value, Cell cell) {
  if (value.whole && cell.kind != CellKind::kJson) {
    // Only numbers are cleaned: a member number such as "V1.0" is left alone.
    std::string number;
    if (append_number(cell.text, value.thousands, number)) {
      scratch_ = std::move(number);
      cell.text = scratch_;
    }
  }
  switch (value.type) {
    case ValueType::kAuto:
      return cell;
    case ValueType::kText:
      return Cell{CellKind::kText, cell.text};
    case ValueType::kNumber:
      return number(value, cell);
    case ValueType::kBool:
      if (cell.text == "true" || cell.text == "1" || cell.text == "TRUE" || cell.text == "True" ||
          cell.text == "t") {
        return Cell{CellKind::kBool, "true"};
      }
      if (cell.text == "false" || cell.text == "0" || cell.text == "FALSE" || cell.text == "False" ||
          cell.text == "f") {
        return Cell{CellKind::kBool, "false"};
      }
      return reject(Reason::kInvalidField, value, "true or false is expected");
    case ValueType::kJson:
      break;
  }
  json::Index index;
  if (const auto error = index.scan(cell.text)) {
    return reject(Reason::kInvalidField, value, cat("JSON is expected; ", error->to_string()));
  }
  // An event is one line; between the values of a JSON text a line feed is only a blank.
  if (cell.text.find('\n') == std::string_view::npos) return Cell{CellKind::kJson, cell.text};
  scratch_.assign(cell.text);
  std::replace(scratch_.begin(), scratch_.end(), '\n', ' ');
  return Cell{CellKind::kJson, scratch_};
}

std::optional<Cell> Evaluator::number(const Value& value, Cell cell) {
  std::string text;
  if (!append_number(cell.text, value.thousands, text)) {
    return reject(Reason::kInvalidField, value, "a number is expected");
  }
  if (std::isinf(std::strtod(text.c_str(), nullptr))) {
    return reject(Reason::kInvalidField, value, "the number is too large: nothing can calculate with it");
  }
  scratch_ = std::move(text);
  return Cell{CellKind::kNumber, scratch_};
}

std::optional<Instant> Evaluator::time(const TimeSpec& spec, const Row& row) {
  scratch_.clear();
  const std::string& name = mapping_.columns[spec.columns.front().value()];
  for (const ColumnId column : spec.columns) {
    const Cell& part = cell_of(row, column);
    if (part.kind == CellKind::kNull) {
      rejection_ = {Reason::kInvalidTime, mapping_.columns[column.value()], "the time is empty"};
      return std::nullopt;
    }
    if (!scratch_.empty()) scratch_.push_back(' ');
    scratch_.append(part.text);
  }
  const auto time = spec.format.parse(scratch_);
  if (!time) {
    rejection_ = {Reason::kInvalidTime, name, cat(spec.format.expectation(), " is expected")};
    return std::nullopt;
  }
  if (spec.from && *time < *spec.from) {
    rejection_ = {Reason::kTimeOutOfRange, name, cat("the time lies before ", format_utc(*spec.from))};
    return std::nullopt;
  }
  if (spec.until && *time >= *spec.until) {
    rejection_ = {Reason::kTimeOutOfRange, name, cat("the time is not before ", format_utc(*spec.until))};
    return std::nullopt;
  }
  return time;
}

std::nullopt_t Evaluator::reject(Reason reason, const Value& value, std::string detail) {
  rejection_ = {reason, column_name(value), std::move(detail)};
  return std::nullopt;
}

const std::string& Evaluator::column_name(const Value& value) const {
  static const std::string kNone;
  return value.columns.empty() ? kNone : mapping_.columns[value.columns.front().value()];
}

}  // namespace kehu::mapping
