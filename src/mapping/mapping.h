#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/strong.h"
#include "base/time.h"
#include "mapping/feed_spec.h"
#include "mapping/pattern.h"
#include "mapping/time_format.h"

// Rows of files → events. A mapping is a TOML text (docs/import.md) that says where an event's fields stand
// in a file. It is read once into the values below, which know nothing of TOML; FileImport (file_import.h)
// applies it.
namespace kehu::mapping {

enum class FileFormat : uint8_t { kCsv, kNdjson, kLog, kParquet };

struct FileSpec {
  FileFormat format = FileFormat::kCsv;
  std::string encoding = "UTF-8";    // a name that ICU knows
  char delimiter = ',';              // CSV
  std::optional<char> quote = '"';   // CSV
  bool header = true;                // CSV: the first row names the columns
  std::vector<std::string> names{};  // CSV without a header: the columns in order
  bool trim_header = false;          // CSV: blanks around column names do not count
  bool trim = false;                 // blanks around values do not count
  uint64_t skip_lines = 0;           // before the header
  std::vector<std::string> nulls{};  // texts that mean "no value", besides the empty one
  std::optional<Pattern> pattern{};  // log lines: named groups are the columns
};

// Index into Mapping::columns.
using ColumnId = Strong<struct ColumnIdTag, uint32_t>;

// One test of a row.
struct Condition {
  enum class Kind : uint8_t { kEmpty, kOneOf, kAbove, kBelow, kAtLeast, kAtMost, kMatches };
  ColumnId column;
  Kind kind = Kind::kEmpty;
  bool negated = false;
  std::vector<std::string> texts;  // kOneOf
  double number = 0;               // comparisons; false for a column that holds no number
  std::optional<Pattern> pattern;  // kMatches, anywhere in the text
};

enum class CellKind : uint8_t { kNull, kText, kNumber, kBool, kJson };

// A value of a row. kNumber and kBool stand in JSON's spelling; kJson is an object or array.
struct Cell {
  CellKind kind = CellKind::kNull;
  std::string_view text;
};

// kAuto: text from CSV and log lines, the value's own type from NDJSON and Parquet.
enum class ValueType : uint8_t { kAuto, kText, kNumber, kBool, kJson };

// Where a value comes from and what is done with it.
struct Value {
  enum class From : uint8_t { kColumn, kConstant, kProduct, kJoined };
  From from = From::kColumn;
  std::vector<ColumnId> columns;  // one for kColumn; factors; parts to join
  CellKind constant_kind = CellKind::kNull;
  std::string constant;
  std::string separator;  // kJoined
  std::string prefix;
  ValueType type = ValueType::kAuto;
  bool whole = false;             // "266079.0" is written 266079
  std::optional<char> thousands;  // separator to be dropped from numbers
  bool required = false;          // a row without it is rejected
  // Replaces the text; a text that is not in the table becomes `otherwise`, and without that rejects the row.
  absl::flat_hash_map<std::string, std::string> table;
  std::optional<std::string> otherwise;
  std::vector<Condition> when;  // all must hold, or there is no value
};

// The first of these that gives a value.
using Choice = std::vector<Value>;

struct Field {
  std::string name;
  Choice choice;
};

struct TimeSpec {
  std::vector<ColumnId> columns;  // joined by a space
  TimeFormat format;
  std::optional<Instant> from;   // earlier: rejection time_out_of_range
  std::optional<Instant> until;  // this instant and later: the same
};

// One event of a row; a row may make several (an order that is placed, paid, refunded).
struct EventSpec {
  Choice type;
  Choice name;
  Choice channel;
  TimeSpec time;
  std::vector<Field> identifiers;
  std::vector<Field> properties;
  std::vector<Field> traits;
  std::vector<Field> context;
  std::vector<Condition> when;  // all must hold, or the row does not make this event
};

// What makes two rows the same row, so that a second import adds nothing.
struct Identity {
  enum class Kind : uint8_t { kPosition, kContent, kColumns };
  Kind kind = Kind::kPosition;
  std::vector<ColumnId> columns;
};

struct Mapping {
  std::string name;  // of the mapping file, for messages
  FileSpec file;
  std::optional<KafkaSpec> kafka;  // instead of files; at most one of the two
  std::optional<MqttSpec> mqtt;
  std::string source;  // of messages, by its name; empty: the default one
  Identity identity;
  std::vector<Condition> keep;       // all must hold, or the row is filtered
  std::vector<Condition> skip;       // one holds: the row is filtered
  std::vector<EventSpec> events;     // none, for messages only: they are events already
  std::vector<std::string> columns;  // every column the mapping uses

  // Reads TOML. Errors are kInvalidArgument: "orders.toml:12:8: …" with what was expected and, for a misspelt
  // word, what was probably meant.
  static absl::StatusOr<Mapping> parse(std::string_view toml, std::string_view name);
  static absl::StatusOr<Mapping> load(const std::string& path);
};

}  // namespace kehu::mapping
