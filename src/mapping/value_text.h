#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "mapping/mapping.h"
#include "mapping/section.h"

namespace kehu::mapping {

// Reads values and conditions of a mapping. Columns they name are entered into the mapping as they are met.
class ValueText {
 public:
  // What a plain text stands for: `revenue = "Amount"` names a column, `name = "Order Line"` is the name
  // itself.
  enum class PlainText : uint8_t { kColumn, kConstant };

  ValueText(Mapping& mapping, TomlErrors& errors) : mapping_(mapping), errors_(errors) {}

  Choice choice(const toml::node& node, const std::string& where, PlainText plain);
  std::vector<Condition> conditions(const toml::node& node, const std::string& where);
  // Enters the column; an error at `where` when the file's columns are known and it is none of them.
  ColumnId column(const std::string& name, const toml::node& where);
  std::vector<ColumnId> columns(const Section& section, std::string_view key);

 private:
  Value value(const toml::node& node, const std::string& where, PlainText plain);
  Value value_of_table(const toml::table& table, const std::string& where);
  void read_origin(const Section& section, Value& value);
  void read_treatment(const Section& section, Value& value);
  void set_constant(const Section& section, const toml::node& node, Value& value);
  Condition condition(const toml::table& table, const std::string& where);

  Mapping& mapping_;
  TomlErrors& errors_;
};

}  // namespace kehu::mapping
