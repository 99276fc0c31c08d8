#pragma once

#include <optional>
#include <string>

#include "mapping/mapping.h"
#include "mapping/row.h"

namespace kehu::mapping {

// Why a row could not be used.
struct RowRejection {
  Reason reason = Reason::kUnreadableRow;
  std::string column;  // empty: the row as a whole
  std::string detail;  // without values of the row
};

bool holds(const Condition& condition, const Row& row);
bool all_hold(const std::vector<Condition>& conditions, const Row& row);
bool any_holds(const std::vector<Condition>& conditions, const Row& row);

// Computes values of rows. One thread; reused from row to row.
class Evaluator {
 public:
  explicit Evaluator(const Mapping& mapping) : mapping_(mapping) {}

  // kNull when no alternative gives a value; nullopt when the row must be rejected (see rejection()). Valid
  // until the next call.
  std::optional<Cell> value(const Choice& choice, const Row& row);
  std::optional<Instant> time(const TimeSpec& spec, const Row& row);

  // Of the last call that gave nullopt.
  const RowRejection& rejection() const { return rejection_; }

 private:
  std::optional<Cell> value(const Value& value, const Row& row);
  std::optional<Cell> source(const Value& value, const Row& row);
  std::optional<Cell> product(const Value& value, const Row& row);
  Cell joined(const Value& value, const Row& row);
  std::optional<Cell> replaced(const Value& value, Cell cell);
  std::optional<Cell> typed(const Value& value, Cell cell);
  std::optional<Cell> number(const Value& value, Cell cell);
  std::nullopt_t reject(Reason reason, const Value& value, std::string detail);
  const std::string& column_name(const Value& value) const;

  const Mapping& mapping_;
  std::string scratch_;
  std::string prefixed_;
  RowRejection rejection_;
};

}  // namespace kehu::mapping
