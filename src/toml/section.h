#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

// What the settings of operators are written in: the only folder that includes toml++, whose values the
// readers of such files see under these names.
namespace kehu::toml {

using ::toml::array;
using ::toml::date;
using ::toml::date_time;
using ::toml::node;
using ::toml::parse;
using ::toml::parse_error;
using ::toml::source_position;
using ::toml::table;
using ::toml::time;

// The first thing wrong with a TOML text; later ones are usually its consequence.
class Errors {
 public:
  explicit Errors(std::string_view file) : file_(file) {}

  void add(const toml::source_position& where, std::string_view message);
  void add(const toml::node& where, std::string_view message) { add(where.source().begin, message); }
  bool any() const { return !status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string file_;
  absl::Status status_;
};

// A TOML table whose keys are all known: an unknown one is an error that says which was probably meant.
// Values of the wrong type are errors too, and read as if they were not there.
class Section {
 public:
  Section(const toml::table& table, std::string name, Errors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  void allow(const std::vector<std::string>& keys) const;
  const toml::node* find(std::string_view key) const { return table_.get(key); }
  bool has(std::string_view key) const { return find(key) != nullptr; }

  std::optional<std::string> text(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  // A list of texts; one text alone is a list of one.
  std::vector<std::string> texts(std::string_view key) const;
  // Exactly one character.
  std::optional<char> character(std::string_view key) const;
  // nullptr when there is none.
  const toml::table* table(std::string_view key) const;

  void fail(const toml::node& where, std::string_view message) const;
  void fail(std::string_view message) const { fail(table_, message); }

  const toml::table& toml() const { return table_; }
  const std::string& name() const { return name_; }

 private:
  const toml::table& table_;
  std::string name_;
  Errors& errors_;
};

}  // namespace kehu::toml
