#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "mapping/mapping.h"
#include "rows/row.h"

namespace kehu::mapping {

// Why a row could not be used.
struct RowRejection {
  Reason reason = Reason::kUnreadableRow;
  std::string column;  // empty: the row as a whole
  std::string detail;  // without values of the row
};

// Computes values of rows. One thread; reused from row to row.
//
// A cell that it gives is valid until the next call but those of condition functions. nullopt means that the
// row must be rejected, and rejection() why.
class Evaluator {
 public:
  explicit Evaluator(const Mapping& mapping) : mapping_(mapping), computed_(mapping.computed.size()) {}

  // Before the first value of a row.
  void begin_row(const rows::Row& row);
  // From now on item columns are about this element of a list; the cell outlives its use.
  void begin_item(const rows::Cell& element, uint32_t number);

  // kNull when no alternative gives a value.
  std::optional<rows::Cell> value(const Choice& choice, const rows::Row& row);
  std::optional<rows::Cell> value(const Value& value, const rows::Row& row);
  // As value, where only one value has a meaning: a list of one is its element, a longer one rejects the row.
  std::optional<rows::Cell> single(const Choice& choice, const rows::Row& row);
  // The time in the columns of a TimeSpec that has columns.
  std::optional<Instant> time(const TimeSpec& spec, const rows::Row& row);
  // nullopt too when the time lies outside the bounds of the mapping.
  std::optional<Instant> bounded(const TimeSpec& spec, Instant time);

  std::optional<bool> all_hold(const std::vector<Condition>& conditions, const rows::Row& row);
  std::optional<bool> any_holds(const std::vector<Condition>& conditions, const rows::Row& row);

  const rows::Cell& cell(ColumnId column, const rows::Row& row) const;
  // Of the last call that gave nullopt.
  const RowRejection& rejection() const { return rejection_; }

 private:
  std::optional<rows::Cell> only_element(const rows::Cell& list, const std::string& column);
  std::optional<rows::Cell> source(const Value& value, const rows::Row& row);
  rows::Cell listed(const Value& value, ColumnId column, const rows::Row& row);
  std::optional<rows::Cell> product(const Value& value, const rows::Row& row);
  std::optional<rows::Cell> product_of_lists(const Value& value, const std::vector<rows::Cell>& factors);
  std::optional<rows::Cell> sum(const Value& value, const rows::Row& row);
  rows::Cell joined(const Value& value, const rows::Row& row);
  rows::Cell count(const Value& value, const rows::Row& row);
  rows::Cell end_of_list(const Value& value, const rows::Row& row);
  std::optional<rows::Cell> looked_up(const Value& value, const rows::Row& row);
  std::optional<rows::Cell> looked_up_one(const Value& value, const rows::Cell& key);
  std::optional<rows::Cell> treated(const Value& value, rows::Cell cell);
  std::optional<rows::Cell> treated_list(const Value& value, const rows::Cell& list);
  std::optional<rows::Cell> replaced(const Value& value, rows::Cell cell);
  std::optional<rows::Cell> typed(const Value& value, rows::Cell cell);
  std::optional<rows::Cell> number(const Value& value, rows::Cell cell);
  std::optional<rows::Cell> json(const Value& value, rows::Cell cell);
  std::optional<std::string> number_in(const Value& value, ColumnId column, const rows::Cell& cell);

  std::optional<bool> holds(const Condition& condition, const rows::Row& row);
  std::optional<bool> test(const Condition& condition, const rows::Cell& cell);
  std::optional<bool> test_one(const Condition& condition, const rows::Cell& cell);

  std::nullopt_t reject(Reason reason, const Value& value, std::string detail);
  std::string& fresh();  // an empty text that lives until the next value

  const Mapping& mapping_;
  std::vector<rows::Cell> computed_;
  std::deque<std::string> item_texts_;  // behind computed_
  std::deque<std::string> texts_;       // behind the cells of one value
  size_t texts_used_ = 0;
  RowRejection rejection_;
};

}  // namespace kehu::mapping
