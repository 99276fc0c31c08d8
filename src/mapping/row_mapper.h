#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "json/writer.h"
#include "mapping/evaluate.h"
#include "mapping/mapping.h"
#include "rows/row.h"

namespace kehu::mapping {

// What a row became: events, rejections, or, with neither, a row that the mapping filters out.
struct MappedRow {
  uint64_t line = 0;
  std::string_view text;  // of the row; valid until the next row
  std::string events;     // lines of POST /api/v1/events, each with its line feed
  uint32_t event_count = 0;
  // Of each event the message ids under which earlier versions sent it. The server takes an event for a
  // repeat when it knows the same content under one of them.
  std::vector<absl::InlinedVector<std::string, 2>> former_ids;
  std::vector<RowRejection> rejections;
  // Columns whose identifier in this row a spreadsheet took digits from (model/spreadsheet.h), each once.
  std::vector<std::string_view> digits_lost;

  bool filtered() const { return event_count == 0 && rejections.empty(); }
};

// Applies a mapping to rows. Pure; one thread; ~3 µs a row.
class RowMapper {
 public:
  explicit RowMapper(const Mapping& mapping) : mapping_(mapping), evaluator_(mapping) {}

  // The file that the rows are of, for times that it tells. kInvalidArgument when its name has no date of the
  // form that the mapping says.
  absl::Status set_file(std::string_view path, Instant modified);

  void map(const rows::Row& row, MappedRow& out);

 private:
  // Which of a row's events.
  struct Place {
    size_t position = 0;  // of the [[event]] in the mapping
    uint32_t item = 0;    // of the element, from 1; 0 without `each`
  };
  void map_each(const EventSpec& event, const rows::Row& row, size_t position, MappedRow& out);
  void map_one(const EventSpec& event, const rows::Row& row, Place place, MappedRow& out);
  bool append_event(const EventSpec& event, const rows::Row& row, Place place, MappedRow& out);
  bool append_identifiers(const EventSpec& event, const rows::Row& row, json::Writer& writer, MappedRow& out);
  void look_for_lost_digits(const Field& field, const rows::Cell& cell, const rows::Row& row, MappedRow& out);
  bool append_identifier(const Field& field, const rows::Cell& cell, json::Writer& writer);
  bool append_fields(std::string_view key, const std::vector<Field>& fields, const rows::Row& row,
                     json::Writer& writer);
  bool append_text(std::string_view key, const Choice& choice, const rows::Row& row, json::Writer& writer);
  bool append_time(const EventSpec& event, const rows::Row& row, size_t position, json::Writer& writer);
  // And which of those of its kind, from 0.
  struct Numbered {
    Place place;
    size_t ordinal = 0;
  };
  bool append_message_id(const EventSpec& event, const rows::Row& row, Numbered place, json::Writer& writer,
                         MappedRow& out);
  bool append_kind(const EventSpec& event, const rows::Row& row, const std::string& text,
                   json::Writer& writer, std::string& kind);
  size_t ordinal_among_its_kind(size_t position, const rows::Row& row);
  bool may_be_of_this_kind(const EventSpec& event, const rows::Row& row);
  bool append_columns_key(const rows::Row& row, std::string& key, std::string& former);
  bool reject();  // by the evaluator's rejection

  const Mapping& mapping_;
  Evaluator evaluator_;
  RowRejection rejection_;
  std::vector<std::optional<Instant>> file_times_;  // of events whose time the file tells
  std::string kind_;        // type and name of the event at hand: what makes its id its own
  std::string other_kind_;  // of another [[event]]
  std::string other_text_;
  std::string list_;  // that `each` goes through
  std::string text_;
};

// A spreadsheet or data frame took digits from the number, or from one in the list (model/spreadsheet.h).
bool has_lost_digits(const rows::FileSpec& file, const rows::Cell& cell);

// A file's name without directories, as it is stored: without the personal values in it.
std::string stored_name(std::string_view path);

// How a file is named in message ids: its name without directories and ".gz", and a hash of its first bytes,
// so that two different files of one name do not meet.
std::string file_key(std::string_view path, std::string_view first_bytes);

// A line of events as people read it: indented, one member to a line.
std::string pretty(std::string_view json);

}  // namespace kehu::mapping
