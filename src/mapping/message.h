#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "feed/message.h"
#include "json/index.h"
#include "mapping/row_mapper.h"
#include "rows/json_cells.h"

namespace kehu::mapping {

// Messages → events. Without [event] in the mapping, a message is an event as POST /api/v1/events takes it,
// and gets its place as message id if it has none.
//
// With [event], a message is a row whose columns are the members of its JSON object, and, by the message
// itself, `$topic`, `$level1`, `$level2` … (between the topic's slashes), `$key` and `$time`. What is no JSON
// object stands in `$value`: telemetry is often a bare number.
class MessageMapper {
 public:
  // The mapping must outlive it.
  static absl::StatusOr<MessageMapper> make(const Mapping& mapping);

  // `row` is valid until the next call.
  void map(const feed::Message& message, MappedRow& row);
  // Where a message stands, for Rejection::origin: "orders/3@1204".
  static std::string origin(const feed::Message& message);

 private:
  MessageMapper(const Mapping& mapping, rows::JsonCells cells);
  void pass_on(const feed::Message& message, MappedRow& row);
  void pass_on_value(uint32_t node, const std::string& id, const std::string& place, MappedRow& row);
  void write_row_text(const feed::Message& message);

  const Mapping& mapping_;
  rows::JsonCells cells_;
  bool wants_time_;
  json::Index index_;
  rows::Row row_;
  std::string text_;
  std::string key_;
  RowMapper mapper_;
};

}  // namespace kehu::mapping
