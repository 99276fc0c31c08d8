#include <algorithm>

#include "base/text.h"
#include "query/reader_core.h"
#include "query/views.h"

namespace kehu::query {
namespace {

constexpr size_t kEventsPerPage = 1000;

// "column IN ($3, $4)" over values that go to `parameters`; nothing for none.
std::string one_of(std::string_view column, const std::vector<std::string>& values,
                   std::vector<std::string>& parameters) {
  if (values.empty()) return "";
  std::string list;
  for (const std::string& value : values) {
    parameters.push_back(value);
    list += cat(list.empty() ? "$" : ", $", parameters.size());
  }
  return cat(" AND ", column, " IN (", list, ")");
}

std::string instant(Instant t) { return cat("make_timestamptz(", t.micros(), ")"); }

std::string conditions(const TimelineRequest& request, std::vector<std::string>& parameters) {
  std::string parts;
  for (const Token& part : request.parts) parts += cat(parts.empty() ? "'" : ", '", part.hash.hex(), "'");
  std::string sql = cat("part IN (", parts, ")");
  if (request.before) {
    const std::string time = instant(request.before->time);
    // The first condition alone skips files and row groups.
    sql += cat(" AND time <= ", time, " AND (time < ", time, " OR sequence < ",
               request.before->sequence.value(), ")");
  }
  if (request.from) sql += cat(" AND time >= ", instant(*request.from));
  if (request.to) sql += cat(" AND time < ", instant(*request.to));
  sql += one_of("event", request.events, parameters);
  sql += one_of("type", request.types, parameters);
  sql += one_of("source", request.sources, parameters);
  if (!request.text.empty()) {
    parameters.push_back(request.text);
    sql += cat(" AND contains(properties, $", parameters.size(), ")");
  }
  return sql;
}

}  // namespace

TimelineEvent event_at(const duck::Batch& batch, size_t row) {
  const auto text = [&](size_t column) {
    return batch.is_null(column, row) ? std::string() : std::string(batch.text(column, row));
  };
  TimelineEvent event;
  event.sequence = Sequence(static_cast<uint64_t>(batch.integer(0, row)));
  event.time = Instant(batch.integer(1, row));
  event.received_at = Instant(batch.integer(2, row));
  event.event = text(3);
  event.type = text(4);
  event.source = text(5);
  event.channel = text(6);
  event.message_id = text(7);
  event.part = text(8);
  event.properties = text(9);
  event.traits = text(10);
  event.context = text(11);
  event.identifiers = text(12);
  return event;
}

// A page goes on behind the last event of the one before, by time and sequence. Events that come in between
// do not move what was shown, and the condition on time skips the files and row groups of the pages before.
// One row more than wanted is read: it tells that there is a next page.
absl::StatusOr<TimelinePage> Session::Core::timeline(const TimelineRequest& request) {
  TimelinePage page;
  const auto snapshot = reader.lake.snapshot();
  if (request.parts.empty()) return page;
  const size_t limit = std::clamp<size_t>(request.limit, 1, kEventsPerPage);
  std::vector<std::string> parameters;
  const std::string where = conditions(request, parameters);
  if (absl::Status status = verify(*snapshot->events().files); !status.ok()) return status;
  show_tail(*snapshot, lake::TableId::kEvents);
  const std::string rows = all_rows(lake::TableId::kEvents, *snapshot->events().files, id);
  auto result = connection->query(cat("SELECT ", kTimelineColumns, " FROM (", rows, ") WHERE ", where,
                                      " ORDER BY time DESC, sequence DESC LIMIT ", limit + 1),
                                  parameters);
  if (!result.ok()) return result.status();
  const absl::Status read = result->each_row([&](const duck::Batch& batch, size_t row) {
    page.events.push_back(event_at(batch, row));
    return absl::OkStatus();
  });
  if (!read.ok()) return read;
  if (page.events.size() > limit) {
    page.events.pop_back();
    page.next = TimelineCursor{page.events.back().time, page.events.back().sequence};
  }
  return page;
}

}  // namespace kehu::query
