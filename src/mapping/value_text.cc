#include "mapping/value_text.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "mapping/near_word.h"

namespace kehu::mapping {
namespace {

// The columns that a file has, as far as the mapping alone can tell; empty when only the file's header says.
const std::vector<std::string>& known_columns(const FileSpec& file) {
  if (file.format == FileFormat::kLog && file.pattern) return file.pattern->group_names();
  return file.names;
}

struct TypeName {
  const char* name;
  ValueType type;
};
constexpr TypeName kTypes[] = {{"string", ValueType::kText},
                               {"number", ValueType::kNumber},
                               {"bool", ValueType::kBool},
                               {"json", ValueType::kJson}};

struct Comparison {
  const char* key;
  Condition::Kind kind;
};
constexpr Comparison kComparisons[] = {{"above", Condition::Kind::kAbove},
                                       {"below", Condition::Kind::kBelow},
                                       {"at_least", Condition::Kind::kAtLeast},
                                       {"at_most", Condition::Kind::kAtMost}};

std::string number_json(double number) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

// A TOML scalar as the text that a column would hold.
std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* real = node.as_floating_point()) return number_json(real->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

}  // namespace

ColumnId ValueText::column(const std::string& name, const toml::node& where) {
  const auto& known = known_columns(mapping_.file);
  if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end()) {
    const std::string hint = did_you_mean(name, known);
    errors_.add(where, cat("no column \"", name, "\"; the mapping knows ", list_of(known), hint));
  }
  auto& columns = mapping_.columns;
  const auto at = std::find(columns.begin(), columns.end(), name);
  const auto index = static_cast<uint32_t>(at - columns.begin());
  if (at == columns.end()) columns.push_back(name);
  return ColumnId(index);
}

std::vector<ColumnId> ValueText::columns(const Section& section, std::string_view key) {
  std::vector<ColumnId> out;
  for (const std::string& name : section.texts(key)) out.push_back(column(name, *section.find(key)));
  return out;
}

Choice ValueText::choice(const toml::node& node, const std::string& where, PlainText plain) {
  Choice out;
  const toml::array* alternatives = node.as_array();
  if (alternatives == nullptr) {
    out.push_back(value(node, where, plain));
    return out;
  }
  for (const toml::node& alternative : *alternatives) out.push_back(value(alternative, where, plain));
  return out;
}

Value ValueText::value(const toml::node& node, const std::string& where, PlainText plain) {
  if (const auto* table = node.as_table()) return value_of_table(*table, where);
  Value out;
  const auto* text = node.as_string();
  if (text != nullptr && plain == PlainText::kColumn) {
    out.columns.push_back(column(text->get(), node));
    return out;
  }
  const toml::table nothing;
  set_constant(Section(nothing, where, errors_), node, out);
  return out;
}

Value ValueText::value_of_table(const toml::table& table, const std::string& where) {
  const Section section(table, where, errors_);
  section.allow({"column", "constant", "multiply", "join", "separator", "prefix", "type", "whole",
                 "thousands", "required", "values", "otherwise", "when"});
  Value out;
  read_origin(section, out);
  read_treatment(section, out);
  return out;
}

void ValueText::read_origin(const Section& section, Value& value) {
  const int origins =
      section.has("column") + section.has("constant") + section.has("multiply") + section.has("join");
  if (origins != 1) {
    section.fail("a value needs exactly one of \"column\", \"constant\", \"multiply\" and \"join\"");
    return;
  }
  if (const auto name = section.text("column"))
    value.columns.push_back(column(*name, *section.find("column")));
  if (const toml::node* node = section.find("constant")) set_constant(section, *node, value);
  if (section.has("multiply")) {
    value.from = Value::From::kProduct;
    value.columns = columns(section, "multiply");
  }
  if (section.has("join")) {
    value.from = Value::From::kJoined;
    value.columns = columns(section, "join");
    value.separator = section.text("separator").value_or(" ");
  }
}

void ValueText::read_treatment(const Section& section, Value& value) {
  value.prefix = section.text("prefix").value_or("");
  value.whole = section.flag("whole").value_or(false);
  value.required = section.flag("required").value_or(false);
  value.thousands = section.character("thousands");
  value.otherwise = section.text("otherwise");
  if (const auto name = section.text("type")) {
    const auto at = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const TypeName& t) { return *name == t.name; });
    if (at == std::end(kTypes)) {
      section.fail(*section.find("type"), R"(type: "string", "number", "bool" or "json" is expected)");
    } else {
      value.type = at->type;
    }
  }
  if (const toml::table* table = section.table("values")) {
    for (const auto& [key, node] : *table) {
      if (const auto text = scalar_text(node)) {
        value.table.emplace(std::string(key.str()), *text);
      } else {
        section.fail(node, "values: a text is expected");
      }
    }
  } else if (value.otherwise) {
    section.fail(*section.find("otherwise"), "otherwise: it needs a table of values");
  }
  if (const toml::node* node = section.find("when")) value.when = conditions(*node, section.name());
}

void ValueText::set_constant(const Section& section, const toml::node& node, Value& value) {
  const auto text = scalar_text(node);
  if (!text) {
    section.fail(node, "a text, a number, true or false, or a table such as { column = \"…\" } is expected");
    return;
  }
  value.from = Value::From::kConstant;
  value.constant = *text;
  value.constant_kind = node.is_string()    ? CellKind::kText
                        : node.is_boolean() ? CellKind::kBool
                                            : CellKind::kNumber;
}

std::vector<Condition> ValueText::conditions(const toml::node& node, const std::string& where) {
  std::vector<Condition> out;
  const auto add = [&](const toml::node& element) {
    if (const auto* table = element.as_table()) {
      out.push_back(condition(*table, where));
    } else {
      errors_.add(element, "a condition such as { column = \"Quantity\", above = 0 } is expected");
    }
  };
  if (const auto* list = node.as_array()) {
    for (const toml::node& element : *list) add(element);
  } else {
    add(node);
  }
  return out;
}

Condition ValueText::condition(const toml::table& table, const std::string& where) {
  const Section section(table, where, errors_);
  section.allow(
      {"column", "equals", "in", "empty", "above", "below", "at_least", "at_most", "matches", "not"});
  Condition out;
  if (const auto name = section.text("column")) {
    out.column = column(*name, *section.find("column"));
  } else {
    section.fail("a condition needs a \"column\"");
  }
  if (section.toml().size() - section.has("not") != 2) {
    section.fail(
        "a condition needs exactly one test: equals, in, empty, above, below, at_least, at_most or matches");
  }
  out.negated = section.flag("not").value_or(false);
  if (const auto empty = section.flag("empty")) out.negated = out.negated == *empty;
  if (const toml::node* node = section.find("equals")) {
    out.kind = Condition::Kind::kOneOf;
    out.texts.push_back(scalar_text(*node).value_or(""));
  }
  if (section.has("in")) {
    out.kind = Condition::Kind::kOneOf;
    out.texts = section.texts("in");
  }
  for (const Comparison& comparison : kComparisons) {
    if (!section.has(comparison.key)) continue;
    out.kind = comparison.kind;
    out.number = section.number(comparison.key).value_or(0);
  }
  if (const auto expression = section.text("matches")) {
    out.kind = Condition::Kind::kMatches;
    const auto pattern = Pattern::compile(*expression);
    if (pattern.ok()) {
      out.pattern = *pattern;
    } else {
      section.fail(*section.find("matches"), message_of(pattern.status()));
    }
  }
  return out;
}

}  // namespace kehu::mapping
