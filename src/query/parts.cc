#include "base/text.h"
#include "query/reader_core.h"
#include "query/views.h"

// The archive part by part. Files that were compacted are sorted by part already; DuckDB sorts all of them
// again, since it cannot know, and spills what its memory does not hold.
namespace kehu::query {
namespace {

EventType type_of(std::string_view name) {
  for (const EventType type : {EventType::kTrack, EventType::kIdentify, EventType::kPage, EventType::kScreen,
                               EventType::kGroup, EventType::kAlias}) {
    if (to_string(type) == name) return type;
  }
  return EventType::kTrack;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += cat(out.empty() ? "" : ", ", sql_literal(name));
  return out;
}

std::string_view text_at(const duck::Batch& batch, size_t column, size_t row) {
  return batch.is_null(column, row) ? std::string_view() : batch.text(column, row);
}

}  // namespace

absl::StatusOr<std::string> Session::Core::rows_of_parts(const PartsWanted& wanted) {
  const auto snapshot = reader.lake.snapshot();
  const delta::FileSet& files = *snapshot->events().files;
  if (absl::Status status = verify(files); !status.ok()) return status;
  show_tail(*snapshot, lake::TableId::kEvents);
  std::string rows =
      cat(" FROM (", all_rows(lake::TableId::kEvents, files, id),
          ") WHERE sequence <= ", wanted.up_to.value(), " AND part > ", sql_literal(wanted.after.hash.hex()));
  if (!wanted.events.empty()) rows += cat(" AND type = 'track' AND event IN (", list_of(wanted.events), ")");
  return rows;
}

absl::Status Session::each_event_of_parts(const PartsWanted& wanted,
                                          const std::function<absl::Status(const StoredEvent&)>& visit) {
  const auto rows = core_->rows_of_parts(wanted);
  if (!rows.ok()) return rows.status();
  auto result =
      core_->connection->query(cat("SELECT part, sequence, epoch_us(time), type, event, channel, source",
                                   wanted.properties ? ", properties" : "", *rows, " ORDER BY part"));
  if (!result.ok()) return result.status();
  ChannelReading channel;
  std::string channel_text;
  return result->each_row([&](const duck::Batch& batch, size_t row) {
    const auto part = Hash128::from_hex(text_at(batch, 0, row));
    if (!part) return absl::DataLossError("the archive names a part that is none");
    StoredEvent stored{.part = Token{*part},
                       .sequence = Sequence(static_cast<uint64_t>(batch.integer(1, row))),
                       .event = {},
                       .source = text_at(batch, 6, row)};
    stored.event.time = Instant(batch.integer(2, row));
    stored.event.type = type_of(text_at(batch, 3, row));
    stored.event.name = text_at(batch, 4, row);
    if (channel_text != text_at(batch, 5, row)) {
      channel_text = text_at(batch, 5, row);
      channel = read_channel(channel_text);
    }
    stored.event.channel = channel.name();
    stored.event.properties = wanted.properties ? text_at(batch, 7, row) : std::string_view("{}");
    return visit(stored);
  });
}

absl::Status Session::each_part(const PartsWanted& wanted, const std::function<absl::Status(Token)>& visit) {
  const auto rows = core_->rows_of_parts(wanted);
  if (!rows.ok()) return rows.status();
  auto result = core_->connection->query(cat("SELECT DISTINCT part", *rows, " ORDER BY part"));
  if (!result.ok()) return result.status();
  return result->each_row([&](const duck::Batch& batch, size_t row) {
    const auto part = Hash128::from_hex(text_at(batch, 0, row));
    return part ? visit(Token{*part}) : absl::DataLossError("the archive names a part that is none");
  });
}

}  // namespace kehu::query
