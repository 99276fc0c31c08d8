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

// Most sums fit into 64 bits; the others come as texts.
constexpr char kCountColumns[] =
    "granule, count, TRY_CAST(sum AS BIGINT) AS sum, CASE WHEN TRY_CAST(sum AS BIGINT) IS NULL THEN CAST(sum "
    "AS "
    "VARCHAR) END AS wide, least, greatest, first, last";
constexpr char kNoCount[] =
    "NULL AS granule, NULL AS count, NULL AS sum, NULL AS wide, NULL AS least, NULL AS greatest, NULL AS "
    "first, "
    "NULL AS last";
constexpr char kEventColumns[] = "sequence, epoch_us(time) AS t, type, event, channel, source";
constexpr char kNoEvent[] =
    "NULL AS sequence, NULL AS t, NULL AS type, NULL AS event, NULL AS channel, NULL AS source, NULL AS "
    "properties";

std::string names_are(const std::vector<std::string>& names) {
  return names.empty() ? "" : cat(" AND type = 'track' AND event IN (", list_of(names), ")");
}

StoredCount count_at(const duck::Batch& batch, size_t row) {
  return {.part = {},
          .counting = static_cast<size_t>(batch.integer(1, row)),
          .granule = batch.integer(2, row),
          .count = static_cast<uint64_t>(batch.integer(3, row)),
          .sum = batch.is_null(4, row) ? wide_number(batch.text(5, row)) : Sum{batch.integer(4, row)},
          .least = batch.integer(6, row),
          .greatest = batch.integer(7, row),
          .first = Instant(batch.integer(8, row)),
          .last = Instant(batch.integer(9, row))};
}

// Rows of events; the reading of a channel is kept from one to the next.
class EventColumns {
 public:
  explicit EventColumns(bool properties) : properties_(properties) {}

  StoredEvent at(const duck::Batch& batch, size_t row) {
    StoredEvent stored{.part = {},
                       .sequence = Sequence(static_cast<uint64_t>(batch.integer(10, row))),
                       .event = {},
                       .source = text_at(batch, 15, row)};
    stored.event.time = Instant(batch.integer(11, row));
    stored.event.type = type_of(text_at(batch, 12, row));
    stored.event.name = text_at(batch, 13, row);
    if (channel_text_ != text_at(batch, 14, row)) {
      channel_text_ = text_at(batch, 14, row);
      channel_ = read_channel(channel_text_);
    }
    stored.event.channel = channel_.name();
    stored.event.properties = properties_ ? text_at(batch, 16, row) : std::string_view("{}");
    return stored;
  }

 private:
  const bool properties_;
  ChannelReading channel_;
  std::string channel_text_;
};

}  // namespace

Sum wide_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  Sum sum = 0;
  for (const char digit : text.substr(negative ? 1 : 0)) sum = sum * 10 + (digit - '0');
  return negative ? -sum : sum;
}

absl::StatusOr<std::string> Session::Core::rows_of_parts(const PartsWanted& wanted) {
  const auto snapshot = reader.lake.snapshot();
  const delta::FileSet& files = *snapshot->events().files;
  if (absl::Status status = verify(files); !status.ok()) return status;
  show_tail(*snapshot, lake::TableId::kEvents);
  return cat(" FROM (", all_rows(lake::TableId::kEvents, files, id),
             ") WHERE sequence <= ", wanted.up_to.value(), " AND part > ",
             sql_literal(wanted.after.hash.hex()));
}

absl::Status Session::each_of_parts(const PartsWanted& wanted,
                                    const std::function<absl::Status(const StoredEvent&)>& visit,
                                    const std::function<absl::Status(const StoredCount&)>& count) {
  const auto rows = core_->rows_of_parts(wanted);
  if (!rows.ok()) return rows.status();
  std::string sql;
  if (wanted.each) {
    sql = cat("SELECT part, NULL AS which, ", kNoCount, ", ", kEventColumns, ", ",
              wanted.properties ? "properties" : "NULL AS properties", *rows, names_are(wanted.events));
  }
  for (size_t i = 0; i < wanted.counted.size(); ++i) {
    const auto counted = translation::translate(wanted.counted[i], cat("(SELECT *", *rows, ")"));
    if (!counted.ok()) return counted.status();
    sql += cat(sql.empty() ? "" : " UNION ALL ", "SELECT part, ", i, "::BIGINT AS which, ", kCountColumns,
               ", ", kNoEvent, " FROM (", *counted, ")");
  }
  if (sql.empty()) return absl::OkStatus();
  auto result = core_->connection->query(cat("FROM (", sql, ") ORDER BY part"));
  if (!result.ok()) return result.status();
  EventColumns events(wanted.properties);
  return result->each_row([&](const duck::Batch& batch, size_t row) {
    const auto part = Hash128::from_hex(text_at(batch, 0, row));
    if (!part) return absl::DataLossError("the archive names a part that is none");
    if (!batch.is_null(1, row)) {
      StoredCount counted = count_at(batch, row);
      counted.part = Token{*part};
      return count(counted);
    }
    StoredEvent stored = events.at(batch, row);
    stored.part = Token{*part};
    return visit(stored);
  });
}

absl::Status Session::each_part(const PartsWanted& wanted, const std::function<absl::Status(Token)>& visit) {
  const auto rows = core_->rows_of_parts(wanted);
  if (!rows.ok()) return rows.status();
  auto result = core_->connection->query(
      cat("SELECT DISTINCT part", *rows, names_are(wanted.events), " ORDER BY part"));
  if (!result.ok()) return result.status();
  return result->each_row([&](const duck::Batch& batch, size_t row) {
    const auto part = Hash128::from_hex(text_at(batch, 0, row));
    return part ? visit(Token{*part}) : absl::DataLossError("the archive names a part that is none");
  });
}

}  // namespace kehu::query
