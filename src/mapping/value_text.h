#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/mapping.h"
#include "toml/section.h"

namespace kehu::mapping {

// Reads values and conditions of a mapping. Columns they name are entered into the mapping as they are met.
class ValueText {
 public:
  // What a plain text stands for: `revenue = "Amount"` names a column, `name = "Order Line"` is the name
  // itself.
  enum class PlainText : uint8_t { kColumn, kConstant };

  ValueText(Mapping& mapping, toml::Errors& errors) : mapping_(mapping), errors_(errors) {}

  Choice choice(const toml::node& node, const std::string& where, PlainText plain);
  std::vector<Condition> conditions(const toml::node& node, const std::string& where);
  // Enters the column; an error at `where` when the file's columns are known and it is none of them.
  ColumnId column(const std::string& name, const toml::node& where);
  std::vector<ColumnId> columns(const toml::Section& section, std::string_view key);

  // `each` of an event: "items" or { column = "tags", split = " " }. Until end_each(), paths that begin with
  // "items[]" and "$item" name what stands in the element.
  std::optional<Value> begin_each(const toml::node& node);
  void end_each() { each_.reset(); }
  // From now on this name is the row's number.
  void name_row_number(const std::string& name);

 private:
  std::optional<ColumnId> item_column(const std::string& name, const toml::node& where);
  ColumnId computed(Computed column);
  void read_lookup(const toml::Section& section, Value& value);
  Value value(const toml::node& node, const std::string& where, PlainText plain);
  Value value_of_table(const toml::table& table, const std::string& where);
  void read_origin(const toml::Section& section, Value& value);
  void read_treatment(const toml::Section& section, Value& value);
  void set_constant(const toml::Section& section, const toml::node& node, Value& value);
  Condition condition(const toml::table& table, const std::string& where);
  void read_test(const toml::Section& section, Condition& condition);

  Mapping& mapping_;
  toml::Errors& errors_;
  std::optional<std::string> each_;  // the path of the list, with its [], when one is open
};

}  // namespace kehu::mapping
