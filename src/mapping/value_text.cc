#include "mapping/value_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "base/text.h"
#include "text/near_word.h"
#include "text/number_text.h"

namespace kehu::mapping {
namespace {

// The columns that a file has, as far as the mapping alone can tell; empty when only the file's header says.
const std::vector<std::string>& known_columns(const rows::FileSpec& file) {
  if (file.format == rows::FileFormat::kLog && file.pattern) return file.pattern->group_names();
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

// A list of texts and numbers; `numbers` when one of them is a number.
std::vector<std::string> scalar_texts(const toml::Section& section, std::string_view key, bool& numbers) {
  const toml::array* list = section.find(key)->as_array();
  const bool scalars =
      list != nullptr && !list->empty() &&
      std::all_of(list->begin(), list->end(), [](auto& node) { return scalar_text(node).has_value(); });
  if (!scalars) return section.texts(key);
  std::vector<std::string> out;
  for (const toml::node& node : *list) {
    out.push_back(*scalar_text(node));
    numbers = numbers || node.is_number();
  }
  return out;
}

// Where a value comes from, and how it is read: the same in values and in conditions.
constexpr std::array kOriginKeys = {"column",    "multiply", "join",   "separator", "sum",   "count",
                                    "first",     "last",     "lookup", "key",       "split", "type",
                                    "thousands", "whole",    "values", "otherwise"};
constexpr std::array kTestKeys = {"equals", "in",       "empty",   "above",
                                  "below",  "at_least", "at_most", "matches"};

}  // namespace

ColumnId ValueText::column(const std::string& name, const toml::node& where) {
  for (size_t i = 0; i < mapping_.computed.size(); ++i) {
    const Computed& own = mapping_.computed[i];
    if (own.kind == Computed::Kind::kRowNumber && own.name == name)
      return ColumnId(kFirstComputed + static_cast<uint32_t>(i));
  }
  if (const auto item = item_column(name, where)) return *item;
  if (mapping_.file.format == rows::FileFormat::kNdjson) {
    if (const auto path = rows::JsonPath::parse(name); !path.ok())
      errors_.add(where, message_of(path.status()));
  }
  const auto& known = known_columns(mapping_.file);
  if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end()) {
    const std::string hint = text::did_you_mean(name, known);
    errors_.add(where, cat("no column \"", name, "\"; the mapping knows ", text::list_of(known), hint));
  }
  auto& columns = mapping_.columns;
  const auto at = std::find(columns.begin(), columns.end(), name);
  const auto index = static_cast<uint32_t>(at - columns.begin());
  if (at == columns.end()) columns.push_back(name);
  return ColumnId(index);
}

ColumnId ValueText::computed(Computed column) {
  mapping_.computed.push_back(std::move(column));
  return ColumnId(kFirstComputed + static_cast<uint32_t>(mapping_.computed.size() - 1));
}

void ValueText::name_row_number(const std::string& name) {
  computed({.name = name, .kind = Computed::Kind::kRowNumber});
}

// "items[].sku" and "$item.sku" below each = "items".
std::optional<ColumnId> ValueText::item_column(const std::string& name, const toml::node& where) {
  const bool spelt = name == "$item" || name.starts_with("$item.") || name.starts_with("$item[");
  if (!each_) {
    if (spelt || name == "$item_number")
      errors_.add(where, cat("\"", name, "\" is the element of a list: the event needs each = \"LIST\""));
    return std::nullopt;
  }
  if (name == "$item_number") return computed({.name = name, .kind = Computed::Kind::kItemNumber});
  if (!spelt && !name.starts_with(*each_)) return std::nullopt;
  auto path =
      rows::JsonPath::parse_rest(std::string_view(name).substr(spelt ? std::strlen("$item") : each_->size()));
  if (!path.ok()) {
    errors_.add(where, message_of(path.status()));
    return ColumnId(0);
  }
  return computed({.name = name, .kind = Computed::Kind::kItem, .path = *std::move(path)});
}

std::optional<Value> ValueText::begin_each(const toml::node& node) {
  Value out;
  std::string list;
  if (const auto* text = node.as_string()) {
    list = text->get();
  } else if (const auto* table = node.as_table()) {
    const toml::Section section(*table, "event", errors_);
    section.allow({"column", "split"});
    list = section.text("column").value_or("");
    out.split = section.text("split");
    if (out.split && out.split->empty()) section.fail(*section.find("split"), "split: a text is expected");
  }
  if (list.empty()) {
    errors_.add(
        node, "[event] each: a list is expected, such as \"items\" or { column = \"skus\", split = \" \" }");
    return std::nullopt;
  }
  if (list.ends_with("[]")) list.resize(list.size() - 2);
  const bool flat =
      mapping_.file.format == rows::FileFormat::kCsv || mapping_.file.format == rows::FileFormat::kLog;
  each_ = cat(list, "[]");
  // The name of a column of a table is no path.
  const std::string source = flat || out.split ? list : *each_;
  each_.reset();
  out.columns.push_back(column(source, node));
  each_ = cat(list, "[]");
  return out;
}

std::vector<ColumnId> ValueText::columns(const toml::Section& section, std::string_view key) {
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
  set_constant(toml::Section(nothing, where, errors_), node, out);
  return out;
}

Value ValueText::value_of_table(const toml::table& table, const std::string& where) {
  const toml::Section section(table, where, errors_);
  std::vector<std::string> keys(kOriginKeys.begin(), kOriginKeys.end());
  keys.insert(keys.end(), {"constant", "prefix", "required", "when", "many"});
  section.allow(keys);
  Value out;
  read_origin(section, out);
  read_treatment(section, out);
  return out;
}

void ValueText::read_origin(const toml::Section& section, Value& value) {
  int origins = section.has("lookup") ? 1 : section.has("column");
  for (const char* key : {"constant", "multiply", "join", "sum", "count", "first", "last"})
    origins += section.has(key);
  if (origins != 1) {
    section.fail(
        "a value needs exactly one of \"column\", \"constant\", \"multiply\", \"join\", \"sum\", \"count\", "
        "\"first\", \"last\" and \"lookup\"");
    return;
  }
  if (const toml::node* node = section.find("constant")) set_constant(section, *node, value);
  if (section.has("lookup")) return read_lookup(section, value);
  struct Origin {
    const char* key;
    Value::From from;
    bool several;
  };
  constexpr Origin kOrigins[] = {
      {"column", Value::From::kColumn, false}, {"multiply", Value::From::kProduct, true},
      {"join", Value::From::kJoined, true},    {"sum", Value::From::kSum, true},
      {"count", Value::From::kCount, false},   {"first", Value::From::kFirst, false},
      {"last", Value::From::kLast, false}};
  for (const Origin& origin : kOrigins) {
    if (!section.has(origin.key)) continue;
    value.from = origin.from;
    if (origin.several) {
      value.columns = columns(section, origin.key);
    } else if (const auto name = section.text(origin.key)) {
      value.columns.push_back(column(*name, *section.find(origin.key)));
    }
  }
  value.separator = section.text("separator").value_or(" ");
  value.split = section.text("split");
  if (value.split && value.split->empty())
    section.fail(*section.find("split"), "split: what stands between the values is expected, such as \" \"");
}

// { lookup = "products", key = "sku", column = "category" }
void ValueText::read_lookup(const toml::Section& section, Value& value) {
  const std::string name = section.text("lookup").value_or("");
  std::vector<std::string> known;
  for (const LookupSpec& lookup : mapping_.lookups) known.push_back(lookup.name);
  const auto at = std::find(known.begin(), known.end(), name);
  if (at == known.end()) {
    return section.fail(*section.find("lookup"),
                        cat("there is no section [lookup.", name, "]", text::did_you_mean(name, known)));
  }
  const auto key = section.text("key"), wanted = section.text("column");
  if (!key || !wanted) {
    return section.fail(
        "a look-up needs the \"key\" (a column of the row) and the \"column\" of the other file that it "
        "gives");
  }
  value.from = Value::From::kLookup;
  value.split = section.text("split");
  value.columns.push_back(column(*key, *section.find("key")));
  value.lookup = static_cast<size_t>(at - known.begin());
  auto& asked = mapping_.lookups[value.lookup].columns;
  const auto place = std::find(asked.begin(), asked.end(), *wanted);
  value.lookup_column = static_cast<size_t>(place - asked.begin());
  if (place == asked.end()) asked.push_back(*wanted);
}

void ValueText::read_treatment(const toml::Section& section, Value& value) {
  value.prefix = section.text("prefix").value_or("");
  value.whole = section.flag("whole").value_or(false);
  value.required = section.flag("required").value_or(false);
  value.many = section.flag("many").value_or(false);
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
  } else if (value.otherwise && value.from != Value::From::kLookup) {
    section.fail(*section.find("otherwise"), "otherwise: it needs a table of values, or a look-up");
  }
  if (const toml::node* node = section.find("when")) value.when = conditions(*node, section.name());
}

void ValueText::set_constant(const toml::Section& section, const toml::node& node, Value& value) {
  const auto text = scalar_text(node);
  if (!text) {
    section.fail(node, "a text, a number, true or false, or a table such as { column = \"…\" } is expected");
    return;
  }
  value.from = Value::From::kConstant;
  value.constant = *text;
  value.constant_kind = node.is_string()    ? rows::CellKind::kText
                        : node.is_boolean() ? rows::CellKind::kBool
                                            : rows::CellKind::kNumber;
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
  const toml::Section section(table, where, errors_);
  std::vector<std::string> keys(kOriginKeys.begin(), kOriginKeys.end());
  keys.insert(keys.end(), kTestKeys.begin(), kTestKeys.end());
  keys.emplace_back("not");
  section.allow(keys);
  Condition out;
  const auto given = [&](absl::Span<const char* const> words) {
    return std::count_if(words.begin(), words.end(), [&](const char* key) { return section.has(key); });
  };
  if (given({"column", "multiply", "join", "sum", "count", "first", "last", "lookup"}) == 0) {
    section.fail("a condition needs a \"column\"");
    return out;
  }
  if (given(kTestKeys) != 1) {
    section.fail(
        "a condition needs exactly one test: equals, in, empty, above, below, at_least, at_most or matches");
  }
  read_origin(section, out.value);
  read_treatment(section, out.value);
  read_test(section, out);
  return out;
}

void ValueText::read_test(const toml::Section& section, Condition& out) {
  out.negated = section.flag("not").value_or(false);
  if (const auto empty = section.flag("empty")) out.negated = out.negated == *empty;
  if (const toml::node* node = section.find("equals")) {
    out.kind = Condition::Kind::kOneOf;
    out.numeric = node->is_number();
    const auto text = scalar_text(*node);
    if (!text) section.fail(*node, "equals: a text, a number, true or false is expected");
    out.texts.push_back(text.value_or(""));
  }
  if (section.has("in")) {
    out.kind = Condition::Kind::kOneOf;
    out.texts = scalar_texts(section, "in", out.numeric);
  }
  for (const Comparison& comparison : kComparisons) {
    const toml::node* node = section.find(comparison.key);
    if (node == nullptr) continue;
    out.kind = comparison.kind;
    const auto text = section.number(comparison.key) ? scalar_text(*node) : std::nullopt;
    if (text && !text::append_number(*text, std::nullopt, out.number))
      section.fail(*node, cat(comparison.key, ": a number is expected"));
  }
  if (const auto expression = section.text("matches")) {
    out.kind = Condition::Kind::kMatches;
    const auto pattern = text::Pattern::compile(*expression);
    if (pattern.ok()) {
      out.pattern = *pattern;
    } else {
      section.fail(*section.find("matches"), message_of(pattern.status()));
    }
  }
}

}  // namespace kehu::mapping
