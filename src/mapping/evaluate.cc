#include "mapping/evaluate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/check.h"
#include "base/civil_day.h"
#include "base/text.h"
#include "json/index.h"
#include "mapping/row_mapper.h"
#include "text/number_text.h"

namespace kehu::mapping {
namespace {

constexpr const char* kTooLargeAnAmount = "the result is larger than 100,000,000,000,000";

bool is_treated(const Value& value) {
  return !value.table.empty() || value.type != ValueType::kAuto || value.whole || !value.prefix.empty();
}

bool compares(const Condition& condition, std::strong_ordering order) {
  switch (condition.kind) {
    case Condition::Kind::kAbove:
      return order > 0;
    case Condition::Kind::kBelow:
      return order < 0;
    case Condition::Kind::kAtLeast:
      return order >= 0;
    default:
      return order <= 0;
  }
}

// A number of the row is compared as a number, however it is spelt; a text only with what the mapping wrote
// as a number.
bool is_one_of(const Condition& condition, const rows::Cell& cell) {
  std::string scratch;
  const std::string_view text = rows::plain_text(cell, scratch);
  const auto& texts = condition.texts;
  if (std::find(texts.begin(), texts.end(), text) != texts.end()) return true;
  if (cell.kind != rows::CellKind::kNumber && !condition.numeric) return false;
  const auto number = text::read_number(cell.text, condition.value.thousands);
  return number && std::any_of(texts.begin(), texts.end(), [&](const std::string& wanted) {
           std::string other;
           return text::append_number(wanted, std::nullopt, other) &&
                  text::compare_numbers(*number, other) == 0;
         });
}

}  // namespace

void Evaluator::begin_row(const rows::Row& row) {
  for (size_t i = 0; i < computed_.size(); ++i) {
    computed_[i] = {};
    if (mapping_.computed[i].kind != Computed::Kind::kRowNumber) continue;
    if (item_texts_.size() < computed_.size()) item_texts_.resize(computed_.size());
    item_texts_[i] = cat(row.number);
    computed_[i] = {rows::CellKind::kNumber, item_texts_[i]};
  }
}

void Evaluator::begin_item(const rows::Cell& element, uint32_t number) {
  if (item_texts_.size() < computed_.size()) item_texts_.resize(computed_.size());
  std::string literal;
  json::RawValue value{json::Kind::kString, element.text};
  if (element.kind == rows::CellKind::kText) {
    literal.push_back('[');
    rows::append_element(element, literal);
    value.raw = std::string_view(literal).substr(1);
  } else if (element.kind == rows::CellKind::kJson) {
    value.kind = element.text.starts_with('[') ? json::Kind::kArray : json::Kind::kObject;
  } else {
    value.kind = element.kind == rows::CellKind::kNumber ? json::Kind::kNumber : json::Kind::kBool;
  }
  for (size_t i = 0; i < computed_.size(); ++i) {
    const Computed& column = mapping_.computed[i];
    if (column.kind == Computed::Kind::kItemNumber) {
      item_texts_[i] = cat(number);
      computed_[i] = {rows::CellKind::kNumber, item_texts_[i]};
    } else if (column.kind == Computed::Kind::kItem) {
      computed_[i] = column.path.cell(mapping_.file, value, item_texts_[i]);
      if (computed_[i].kind != rows::CellKind::kText || computed_[i].text.data() == item_texts_[i].data())
        continue;
      // A text without escapes is a view of `literal`.
      item_texts_[i].assign(computed_[i].text);
      computed_[i].text = item_texts_[i];
    }
  }
}

const rows::Cell& Evaluator::cell(ColumnId column, const rows::Row& row) const {
  const uint32_t id = column.value();
  return id < kFirstComputed ? row.cells[id] : computed_[id - kFirstComputed];
}

// Cells are views, so every text that is computed on the way to a value needs a place that stays until the
// value is written. The places are kept from value to value and row to row, and a mapping soon has all that
// it needs.
std::string& Evaluator::fresh() {
  if (texts_used_ == texts_.size()) texts_.emplace_back();
  std::string& text = texts_[texts_used_++];
  text.clear();
  return text;
}

std::optional<rows::Cell> Evaluator::value(const Choice& choice, const rows::Row& row) {
  texts_used_ = 0;
  for (const Value& alternative : choice) {
    const auto wanted = all_hold(alternative.when, row);
    if (!wanted) return std::nullopt;
    if (!*wanted) continue;
    const auto cell = value(alternative, row);
    if (!cell || cell->kind != rows::CellKind::kNull) return cell;
  }
  return rows::Cell{};
}

std::optional<rows::Cell> Evaluator::single(const Choice& choice, const rows::Row& row) {
  const auto cell = value(choice, row);
  if (!cell || !rows::is_list(*cell)) return cell;
  const auto& columns = choice.front().columns;
  return only_element(*cell, columns.empty() ? "" : mapping_.column_name(columns.front()));
}

std::optional<rows::Cell> Evaluator::only_element(const rows::Cell& list, const std::string& column) {
  rows::Cell only;
  size_t count = 0;
  std::string& text = fresh();
  rows::Elements elements(mapping_.file, list);
  for (rows::Cell element; elements.next(element);) {
    if (element.kind == rows::CellKind::kNull) continue;
    const bool again = count > 0 && element.kind == only.kind && element.text == only.text;
    if (again || ++count > 1) continue;
    text.assign(element.text);
    only = {element.kind, text};
  }
  if (count <= 1) return only;
  rejection_ = {
      Reason::kInvalidField, column,
      cat("one value is expected, and the list has ", count,
          " different ones: say which with { first = … }, { last = … } or an index such as items[0]")};
  return std::nullopt;
}

std::optional<rows::Cell> Evaluator::value(const Value& value, const rows::Row& row) {
  auto cell = source(value, row);
  if (!cell) return std::nullopt;
  if (cell->kind == rows::CellKind::kNull) {
    if (value.required) return reject(Reason::kMissingColumn, value, "the value is required, but empty");
    return cell;
  }
  if (!is_treated(value)) return cell;
  // A list that stands in the row as JSON is one JSON text for who asks for a text or for JSON.
  const bool whole_json = cell->kind == rows::CellKind::kJson && value.table.empty() &&
                          (value.type == ValueType::kText || value.type == ValueType::kJson);
  return rows::is_list(*cell) && !whole_json ? treated_list(value, *cell) : treated(value, *cell);
}

std::optional<rows::Cell> Evaluator::treated_list(const Value& value, const rows::Cell& list) {
  std::string& out = fresh();
  out.push_back('[');
  rows::Elements elements(mapping_.file, list);
  for (rows::Cell element; elements.next(element);) {
    const size_t used = texts_used_;
    const auto cell = element.kind == rows::CellKind::kNull ? element : treated(value, element);
    if (!cell) return std::nullopt;
    rows::append_element(*cell, out);
    texts_used_ = used;
  }
  out.push_back(']');
  return rows::Cell{rows::CellKind::kList, out};
}

std::optional<rows::Cell> Evaluator::treated(const Value& value, rows::Cell cell) {
  std::optional<rows::Cell> out = cell;
  if (!value.table.empty() && !(out = replaced(value, *out))) return std::nullopt;
  if (!(out = typed(value, *out)) || value.prefix.empty()) return out;
  if (out->kind == rows::CellKind::kJson)
    return reject(Reason::kInvalidField, value, "prefix: a text is expected, not an object or array");
  // The door leaves out what a spreadsheet rounded; behind a prefix it would be an id that strangers share.
  if (has_lost_digits(mapping_.file, *out)) return out;
  std::string scratch;
  std::string& text = fresh();
  text.assign(value.prefix).append(rows::plain_text(*out, scratch));
  return rows::Cell{rows::CellKind::kText, text};
}

std::optional<rows::Cell> Evaluator::source(const Value& value, const rows::Row& row) {
  switch (value.from) {
    case Value::From::kColumn:
      return listed(value, value.columns.front(), row);
    case Value::From::kConstant:
      return rows::Cell{value.constant_kind, value.constant};
    case Value::From::kProduct:
      return product(value, row);
    case Value::From::kJoined:
      return joined(value, row);
    case Value::From::kSum:
      return sum(value, row);
    case Value::From::kCount:
      return count(value, row);
    case Value::From::kFirst:
    case Value::From::kLast:
      return end_of_list(value, row);
    case Value::From::kLookup:
      return looked_up(value, row);
  }
  return rows::Cell{};
}

// The column's cell; a text that the value splits is a list.
rows::Cell Evaluator::listed(const Value& value, ColumnId column, const rows::Row& row) {
  const rows::Cell& given = cell(column, row);
  if (!value.split || given.kind != rows::CellKind::kText) return given;
  return rows::split_cell(mapping_.file, given.text, *value.split, fresh());
}

std::optional<std::string> Evaluator::number_in(const Value& value, ColumnId column, const rows::Cell& cell) {
  const bool scalar = cell.kind == rows::CellKind::kText || cell.kind == rows::CellKind::kNumber;
  auto number = scalar ? text::read_number(cell.text, value.thousands) : std::nullopt;
  if (!number) rejection_ = {Reason::kInvalidField, mapping_.column_name(column), "a number is expected"};
  return number;
}

// Amounts are multiplied and added as decimal texts: 0.1 + 0.2 is 0.3 for whoever compares the import with
// the file.
std::optional<rows::Cell> Evaluator::product(const Value& value, const rows::Row& row) {
  std::vector<rows::Cell> factors;
  for (const ColumnId column : value.columns) {
    factors.push_back(listed(value, column, row));
    if (factors.back().kind == rows::CellKind::kNull) return rows::Cell{};
  }
  if (std::any_of(factors.begin(), factors.end(), rows::is_list)) return product_of_lists(value, factors);
  std::string result = "1";
  for (size_t i = 0; i < factors.size(); ++i) {
    const auto number = number_in(value, value.columns[i], factors[i]);
    if (!number) return std::nullopt;
    auto next = text::product_text(result, *number);
    if (!next) {
      rejection_ = {Reason::kAmountOutOfRange, mapping_.column_name(value.columns[i]), kTooLargeAnAmount};
      return std::nullopt;
    }
    result = *std::move(next);
  }
  std::string& text = fresh();
  text = std::move(result);
  return rows::Cell{rows::CellKind::kNumber, text};
}

// Lists go side by side; a factor that is no list stands beside each element. An element that lacks a factor
// adds nothing.
std::optional<rows::Cell> Evaluator::product_of_lists(const Value& value,
                                                      const std::vector<rows::Cell>& factors) {
  std::vector<std::optional<rows::Elements>> lists(factors.size());
  for (size_t i = 0; i < factors.size(); ++i) {
    if (rows::is_list(factors[i])) lists[i].emplace(mapping_.file, factors[i]);
  }
  std::string sum = "0";
  bool any = false;
  for (;;) {
    size_t ended = 0, running = 0;
    bool complete = true;
    std::optional<std::string> product = "1";
    for (size_t i = 0; i < factors.size(); ++i) {
      rows::Cell factor = factors[i];
      if (lists[i]) {
        const bool more = lists[i]->next(factor);
        ++(more ? running : ended);
        if (!more) continue;
      }
      if (factor.kind == rows::CellKind::kNull) complete = false;
      if (!complete || !product) continue;
      const auto number = number_in(value, value.columns[i], factor);
      if (!number) return std::nullopt;
      product = text::product_text(*product, *number);
    }
    if (running > 0 && ended > 0) {
      return reject(Reason::kInvalidField, value,
                    "the lists have different lengths: it cannot be said which factors belong together");
    }
    if (running == 0) break;
    if (!complete) continue;
    any = true;
    const auto next = product ? text::sum_text(sum, *product) : std::nullopt;
    if (!next) return reject(Reason::kAmountOutOfRange, value, kTooLargeAnAmount);
    sum = *next;
  }
  if (!any) return rows::Cell{};
  std::string& text = fresh();
  text = std::move(sum);
  return rows::Cell{rows::CellKind::kNumber, text};
}

std::optional<rows::Cell> Evaluator::sum(const Value& value, const rows::Row& row) {
  std::string sum = "0";
  bool any = false;
  const auto add = [&](ColumnId column, const rows::Cell& summand) {
    const auto number = number_in(value, column, summand);
    if (!number) return false;
    const auto next = text::sum_text(sum, *number);
    if (!next) rejection_ = {Reason::kAmountOutOfRange, mapping_.column_name(column), kTooLargeAnAmount};
    if (next) sum = *next;
    any = true;
    return next.has_value();
  };
  for (const ColumnId column : value.columns) {
    const rows::Cell given = listed(value, column, row);
    if (given.kind == rows::CellKind::kNull) continue;
    if (!rows::is_list(given)) {
      if (!add(column, given)) return std::nullopt;
      continue;
    }
    rows::Elements elements(mapping_.file, given);
    for (rows::Cell element; elements.next(element);) {
      if (element.kind != rows::CellKind::kNull && !add(column, element)) return std::nullopt;
    }
  }
  if (!any) return rows::Cell{};
  std::string& text = fresh();
  text = std::move(sum);
  return rows::Cell{rows::CellKind::kNumber, text};
}

rows::Cell Evaluator::count(const Value& value, const rows::Row& row) {
  const rows::Cell given = listed(value, value.columns.front(), row);
  if (given.kind == rows::CellKind::kNull) return {};
  uint64_t count = rows::is_list(given) ? 0 : 1;
  if (rows::is_list(given)) {
    rows::Elements elements(mapping_.file, given);
    for (rows::Cell element; elements.next(element);) count += element.kind != rows::CellKind::kNull;
  }
  std::string& text = fresh();
  text = cat(count);
  return {rows::CellKind::kNumber, text};
}

rows::Cell Evaluator::end_of_list(const Value& value, const rows::Row& row) {
  const rows::Cell given = listed(value, value.columns.front(), row);
  if (!rows::is_list(given)) return given;
  rows::Cell found;
  std::string& text = fresh();
  rows::Elements elements(mapping_.file, given);
  for (rows::Cell element; elements.next(element);) {
    if (element.kind == rows::CellKind::kNull) continue;
    text.assign(element.text);
    found = {element.kind, text};
    if (value.from == Value::From::kFirst) break;
  }
  return found;
}

rows::Cell Evaluator::joined(const Value& value, const rows::Row& row) {
  std::string scratch;
  std::string& text = fresh();
  bool first = true;
  const auto append = [&](const rows::Cell& part) {
    if (!first) text.append(value.separator);
    first = false;
    text.append(rows::plain_text(part, scratch));
  };
  for (const ColumnId column : value.columns) {
    const rows::Cell part = listed(value, column, row);
    if (part.kind == rows::CellKind::kNull) return {};
    if (!rows::is_list(part)) {
      append(part);
      continue;
    }
    size_t count = 0;
    rows::Elements elements(mapping_.file, part);
    for (rows::Cell element; elements.next(element);) {
      if (element.kind == rows::CellKind::kNull) continue;
      append(element);
      ++count;
    }
    if (count == 0) return {};
  }
  return {rows::CellKind::kText, text};
}

std::optional<rows::Cell> Evaluator::looked_up(const Value& value, const rows::Row& row) {
  const rows::Cell key = listed(value, value.columns.front(), row);
  if (key.kind == rows::CellKind::kNull) return rows::Cell{};
  if (!rows::is_list(key)) return looked_up_one(value, key);
  std::string& out = fresh();
  out.push_back('[');
  rows::Elements elements(mapping_.file, key);
  for (rows::Cell element; elements.next(element);) {
    const auto found = element.kind == rows::CellKind::kNull ? element : looked_up_one(value, element);
    if (!found) return std::nullopt;
    rows::append_element(*found, out);
  }
  out.push_back(']');
  return rows::Cell{rows::CellKind::kList, out};
}

std::optional<rows::Cell> Evaluator::looked_up_one(const Value& value, const rows::Cell& key) {
  const auto& table = mapping_.lookups[value.lookup].table;
  KEHU_CHECK(table != nullptr);  // Mapping::load read it
  std::string scratch;
  const std::string* found = table->find(rows::plain_text(key, scratch), value.lookup_column);
  if (found != nullptr) return rows::Cell{rows::CellKind::kText, *found};
  if (value.otherwise) return rows::Cell{rows::CellKind::kText, *value.otherwise};
  if (value.required) {
    return reject(Reason::kMissingColumn, value,
                  cat("the value is required, and the look-up \"", mapping_.lookups[value.lookup].name,
                      "\" has none for this key"));
  }
  return rows::Cell{};
}

std::optional<rows::Cell> Evaluator::replaced(const Value& value, rows::Cell cell) {
  std::string scratch;
  auto found = value.table.find(to_absl(cell.text));
  if (found == value.table.end()) found = value.table.find(to_absl(rows::plain_text(cell, scratch)));
  if (found != value.table.end()) return rows::Cell{rows::CellKind::kText, found->second};
  if (value.otherwise) return rows::Cell{rows::CellKind::kText, *value.otherwise};
  return reject(Reason::kInvalidField, value, "the value is not in the mapping's table");
}

std::optional<rows::Cell> Evaluator::typed(const Value& value, rows::Cell cell) {
  if (value.whole && cell.kind != rows::CellKind::kJson) {
    // Only numbers are cleaned: a member number such as "V1.0" is left alone.
    std::string& text = fresh();
    if (text::append_number(cell.text, value.thousands, text)) cell.text = text;
  }
  switch (value.type) {
    case ValueType::kAuto:
      return cell;
    case ValueType::kText:
      return rows::Cell{rows::CellKind::kText, cell.text};
    case ValueType::kNumber:
      return number(value, cell);
    case ValueType::kBool:
      if (cell.text == "true" || cell.text == "1" || cell.text == "TRUE" || cell.text == "True" ||
          cell.text == "t") {
        return rows::Cell{rows::CellKind::kBool, "true"};
      }
      if (cell.text == "false" || cell.text == "0" || cell.text == "FALSE" || cell.text == "False" ||
          cell.text == "f") {
        return rows::Cell{rows::CellKind::kBool, "false"};
      }
      return reject(Reason::kInvalidField, value, "true or false is expected");
    case ValueType::kJson:
      break;
  }
  return json(value, cell);
}

std::optional<rows::Cell> Evaluator::json(const Value& value, rows::Cell cell) {
  json::Index index;
  if (const auto error = index.scan(cell.text)) {
    return reject(Reason::kInvalidField, value, cat("JSON is expected; ", error->to_string()));
  }
  return rows::Cell{rows::CellKind::kJson, cell.text};
}

std::optional<rows::Cell> Evaluator::number(const Value& value, rows::Cell cell) {
  const bool scalar = cell.kind == rows::CellKind::kText || cell.kind == rows::CellKind::kNumber;
  auto number = scalar ? text::read_number(cell.text, value.thousands) : std::nullopt;
  if (!number) return reject(Reason::kInvalidField, value, "a number is expected");
  if (std::isinf(std::strtod(number->c_str(), nullptr))) {
    return reject(Reason::kInvalidField, value, "the number is too large: nothing can calculate with it");
  }
  std::string& text = fresh();
  text = *std::move(number);
  return rows::Cell{rows::CellKind::kNumber, text};
}

std::optional<bool> Evaluator::all_hold(const std::vector<Condition>& conditions, const rows::Row& row) {
  for (const Condition& condition : conditions) {
    const auto held = holds(condition, row);
    if (!held || !*held) return held;
  }
  return true;
}

std::optional<bool> Evaluator::any_holds(const std::vector<Condition>& conditions, const rows::Row& row) {
  for (const Condition& condition : conditions) {
    const auto held = holds(condition, row);
    if (!held || *held) return held;
  }
  return false;
}

std::optional<bool> Evaluator::holds(const Condition& condition, const rows::Row& row) {
  const size_t used = texts_used_;
  const auto cell = value(condition.value, row);
  const auto held = cell ? test(condition, *cell) : std::nullopt;
  texts_used_ = used;
  if (!held) return std::nullopt;
  return *held != condition.negated;
}

std::optional<bool> Evaluator::test(const Condition& condition, const rows::Cell& cell) {
  if (!rows::is_list(cell)) return test_one(condition, cell);
  bool any = false, held = false;
  rows::Elements elements(mapping_.file, cell);
  for (rows::Cell element; elements.next(element);) {
    if (element.kind == rows::CellKind::kNull) continue;
    any = true;
    const auto one = test_one(condition, element);
    if (!one) return std::nullopt;
    held = held || *one;
  }
  return condition.kind == Condition::Kind::kEmpty ? !any : held;
}

std::optional<bool> Evaluator::test_one(const Condition& condition, const rows::Cell& cell) {
  if (condition.kind == Condition::Kind::kEmpty) return cell.kind == rows::CellKind::kNull;
  if (condition.kind == Condition::Kind::kOneOf) return is_one_of(condition, cell);
  std::string scratch;
  if (condition.kind == Condition::Kind::kMatches)
    return condition.pattern->found_in(rows::plain_text(cell, scratch));
  if (cell.kind == rows::CellKind::kNull) return false;
  const bool scalar = cell.kind == rows::CellKind::kText || cell.kind == rows::CellKind::kNumber;
  const auto number = scalar ? text::read_number(cell.text, condition.value.thousands) : std::nullopt;
  if (!number) {
    return reject(Reason::kInvalidField, condition.value,
                  "a condition compares this with a number, and a number cannot be read here");
  }
  return compares(condition, text::compare_numbers(*number, condition.number));
}

std::optional<Instant> Evaluator::time(const TimeSpec& spec, const rows::Row& row) {
  texts_used_ = 0;
  std::string text;
  std::string scratch;
  const std::string& name = mapping_.column_name(spec.columns.front());
  for (const ColumnId column : spec.columns) {
    std::optional<rows::Cell> part = cell(column, row);
    if (rows::is_list(*part) && !(part = only_element(*part, mapping_.column_name(column))))
      return std::nullopt;
    if (part->kind == rows::CellKind::kNull) {
      rejection_ = {Reason::kInvalidTime, mapping_.column_name(column), "the time is empty"};
      return std::nullopt;
    }
    if (!text.empty()) text.push_back(' ');
    text.append(rows::plain_text(*part, scratch));
  }
  const auto time = spec.format.parse(text);
  if (!time) {
    rejection_ = {Reason::kInvalidTime, name, cat(spec.format.expectation(), " is expected")};
    return std::nullopt;
  }
  return bounded(spec, *time);
}

std::optional<Instant> Evaluator::bounded(const TimeSpec& spec, Instant time) {
  const std::string name = spec.columns.empty() ? "" : mapping_.column_name(spec.columns.front());
  if (spec.from && time < *spec.from) {
    rejection_ = {Reason::kTimeOutOfRange, name, cat("the time lies before ", format_utc(*spec.from))};
    return std::nullopt;
  }
  if (spec.until && time >= *spec.until) {
    rejection_ = {Reason::kTimeOutOfRange, name, cat("the time is not before ", format_utc(*spec.until))};
    return std::nullopt;
  }
  return time;
}

std::nullopt_t Evaluator::reject(Reason reason, const Value& value, std::string detail) {
  const std::string column = value.columns.empty() ? "" : mapping_.column_name(value.columns.front());
  rejection_ = {reason, column, std::move(detail)};
  return std::nullopt;
}

}  // namespace kehu::mapping
