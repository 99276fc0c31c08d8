#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "json/writer.h"
#include "mapping/evaluate.h"
#include "mapping/mapping.h"
#include "mapping/row.h"

namespace kehu::mapping {

// What a row became: events, rejections, or, with neither, a row that the mapping filters out.
struct MappedRow {
  uint64_t line = 0;
  std::string_view text;  // of the row; valid until the next row
  std::string events;     // lines of POST /api/v1/events, each with its line feed
  uint32_t event_count = 0;
  std::vector<RowRejection> rejections;

  bool filtered() const { return event_count == 0 && rejections.empty(); }
};

// Applies a mapping to rows. Pure; one thread; ~3 µs a row.
class RowMapper {
 public:
  explicit RowMapper(const Mapping& mapping) : mapping_(mapping), evaluator_(mapping) {}

  void map(const Row& row, MappedRow& out);

 private:
  bool append_event(const EventSpec& event, const Row& row, size_t ordinal, std::string& out);
  bool append_identifiers(const EventSpec& event, const Row& row, json::Writer& writer);
  bool append_fields(std::string_view key, const std::vector<Field>& fields, const Row& row,
                     json::Writer& writer);
  bool append_text(std::string_view key, const Choice& choice, const Row& row, json::Writer& writer);
  void append_message_id(const Row& row, size_t ordinal, json::Writer& writer);
  std::string columns_key(const Row& row) const;

  const Mapping& mapping_;
  Evaluator evaluator_;
  RowRejection rejection_;
  std::string text_;
};

// How a file is named in message ids: its name without directories and ".gz", and a hash of its first bytes,
// so that two different files of one name do not meet.
std::string file_key(std::string_view path, std::string_view first_bytes);

// A line of events as people read it: indented, one member to a line.
std::string pretty(std::string_view json);

}  // namespace kehu::mapping
