#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "base/strong.h"
#include "base/time.h"
#include "feed/feed_spec.h"
#include "mapping/lookup.h"
#include "mapping/time_format.h"
#include "rows/cell.h"
#include "rows/json_path.h"
#include "rows/row_spec.h"
#include "text/pattern.h"

// Rows of files → events. A mapping is a TOML text (docs/import.md) that says where an event's fields stand
// in a file. It is read once into the values below, which know nothing of TOML; FileImport (file_import.h)
// applies it.
namespace kehu::mapping {

// A column of the rows: an index into Mapping::columns, or one that the mapping itself makes (Computed).
using ColumnId = Strong<struct ColumnIdTag, uint32_t>;

// Columns that no file has; their ids begin here, in the order of Mapping::computed.
inline constexpr uint32_t kFirstComputed = 1u << 31;

struct Computed {
  enum class Kind : uint8_t {
    kRowNumber,   // [rows] number
    kItem,        // what `path` reaches in the element that `each` is at
    kItemNumber,  // the element's number, from 1
  };
  std::string name;
  Kind kind = Kind::kRowNumber;
  rows::JsonPath path{};
};

// kAuto: text from CSV and log lines, the value's own type from NDJSON and Parquet.
enum class ValueType : uint8_t { kAuto, kText, kNumber, kBool, kJson };

struct Condition;

// Where a value comes from and what is done with it.
struct Value {
  enum class From : uint8_t {
    kColumn,
    kConstant,
    kProduct,  // of lists: the sum of the products
    kJoined,
    kSum,
    kCount,
    kFirst,
    kLast,
    kLookup,
  };
  From from = From::kColumn;
  std::vector<ColumnId> columns;  // one for kColumn; factors, parts to join, summands; the key of a look-up
  rows::CellKind constant_kind = rows::CellKind::kNull;
  std::string constant;
  std::string separator;             // kJoined
  std::optional<std::string> split;  // a text is a list of what stands between these
  size_t lookup = 0;                 // kLookup: index into Mapping::lookups
  size_t lookup_column = 0;          // and into LookupSpec::columns
  std::string prefix;
  ValueType type = ValueType::kAuto;
  bool whole = false;             // "266079.0" is written 266079
  std::optional<char> thousands;  // separator to be dropped from numbers
  bool required = false;          // a row without it is rejected
  bool many = false;              // identifiers: several different values are right
  // Replaces the text; a text that is not in the table becomes `otherwise`, and without that rejects the row.
  absl::flat_hash_map<std::string, std::string> table;
  std::optional<std::string> otherwise;  // also of a look-up that finds no row
  std::vector<Condition> when;           // all must hold, or there is no value
};

// One test of a row. Of a list it holds when it holds for one element.
struct Condition {
  enum class Kind : uint8_t { kEmpty, kOneOf, kAbove, kBelow, kAtLeast, kAtMost, kMatches };
  Value value;
  Kind kind = Kind::kEmpty;
  bool negated = false;
  std::vector<std::string> texts;        // kOneOf
  bool numeric = false;                  // kOneOf: compared as numbers where both are
  std::string number;                    // comparisons; what cannot be read as a number rejects the row
  std::optional<text::Pattern> pattern;  // kMatches, anywhere in the text
};

// The first of these that gives a value.
using Choice = std::vector<Value>;

struct Field {
  std::string name;
  Choice choice;
};

struct TimeSpec {
  enum class From : uint8_t {
    kColumns,
    kConstant,
    kFileModified,  // when the file was last changed
    kFileName,      // a date in the file's name, of the form `format`
    kArrival,       // the event says no time: it is that of its arrival
  };
  From where = From::kColumns;
  std::vector<ColumnId> columns;  // joined by a space
  TimeFormat format;
  Instant constant;
  std::optional<Instant> from;   // earlier: rejection time_out_of_range
  std::optional<Instant> until;  // this instant and later: the same
};

// One event of a row; a row may make several (an order that is placed, paid, refunded).
struct EventSpec {
  std::optional<Value> each;  // a list: the row makes one event of each element
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
struct RowKey {
  enum class Kind : uint8_t { kPosition, kContent, kColumns };
  Kind kind = Kind::kPosition;
  std::vector<ColumnId> columns;
};

// A table in a second file: [lookup.NAME].
struct LookupSpec {
  std::string name;
  std::string path;  // as written; beside the mapping's file when it is no absolute one
  rows::FileSpec file;
  std::string key;
  std::vector<std::string> columns;            // those that the mapping asks for
  std::shared_ptr<const LookupTable> table{};  // nullptr until Mapping::load has read it
};

// A plain text where elsewhere a column's name would stand: `name = "type"`.
struct PlainText {
  std::string key;  // "name"
  std::string text;
  uint32_t line = 0;  // of the mapping
};

struct Mapping : rows::RowSpec {
  std::optional<feed::KafkaSpec> kafka;  // instead of files; at most one of the two
  std::optional<feed::MqttSpec> mqtt;
  std::string source;  // of messages, by its name; empty: the default one
  RowKey identity;
  std::vector<Condition> keep;    // all must hold, or the row is filtered
  std::vector<Condition> skip;    // one holds: the row is filtered
  std::vector<EventSpec> events;  // none, for messages only: they are events already
  std::vector<Computed> computed;
  std::vector<LookupSpec> lookups;
  std::vector<PlainText> plain_texts;  // of event names, types and channels

  // What in this mapping is right, and was perhaps meant otherwise by who knows these columns of the file: a
  // name, type or channel of events whose text is also the name of a column. For the person who imports.
  std::vector<std::string> warnings(const std::vector<std::string>& file_columns) const;

  const std::string& column_name(ColumnId column) const {
    const uint32_t id = column.value();
    return id < kFirstComputed ? columns[id] : computed[id - kFirstComputed].name;
  }

  // Reads TOML. Errors are kInvalidArgument: "orders.toml:12:8: …" with what was expected and, for a misspelt
  // word, what was probably meant.
  static absl::StatusOr<Mapping> parse(std::string_view toml, std::string_view name);
  static absl::StatusOr<Mapping> load(const std::string& path);  // with its look-ups
};

}  // namespace kehu::mapping
