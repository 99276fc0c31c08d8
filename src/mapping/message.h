#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/time.h"
#include "json/index.h"
#include "mapping/json_cells.h"
#include "mapping/row_mapper.h"

namespace kehu::mapping {

// A message of a broker.
struct Message {
  std::string topic;
  std::string stream;     // what `position` counts in: "orders/3" for a partition of a topic
  uint64_t position = 0;  // the broker's offset, or another number that no other message of the stream has
  std::string key;
  Instant time;  // the broker's, or that of the arrival
  std::string payload;
};

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
  void map(const Message& message, MappedRow& row);
  // Where a message stands, for Rejection::origin: "orders/3@1204".
  static std::string origin(const Message& message);

 private:
  MessageMapper(const Mapping& mapping, JsonCells cells);
  void pass_on(const Message& message, MappedRow& row);
  void write_row_text(const Message& message);

  const Mapping& mapping_;
  JsonCells cells_;
  bool wants_time_;
  json::Index index_;
  Row row_;
  std::string text_;
  std::string key_;
  RowMapper mapper_;
};

}  // namespace kehu::mapping
