#include "base/text.h"
#include "query/reader_core.h"
#include "query/views.h"

namespace kehu::query {
namespace {

std::string date(CivilDay day) { return cat("(DATE '1970-01-01' + ", day.value(), ")"); }

// Each version has members of its own, also while it is filled in; the size is that of the version in force
// at the end of the day. Who enters or leaves is counted by the versions in force alone, so a new version
// moves the size without anybody entering.
std::string history_select(const std::string& rows, const SegmentHistoryRequest& request) {
  return cat(
      "WITH log AS MATERIALIZED (SELECT time::DATE AS day, sequence, ordinal, version, change, live FROM (",
      rows,
      ") WHERE kind = 'segment' AND name = $1), "
      "days AS (SELECT unnest(generate_series(",
      date(request.from), ", ", date(request.to),
      ", INTERVAL 1 DAY))::DATE AS day), "
      "versions AS (SELECT day, arg_max(version, (sequence, ordinal)) AS version, "
      "arg_max(change, (sequence, ordinal)) = 'in_force' AS in_force FROM log "
      "WHERE change IN ('in_force', 'ended') GROUP BY day), "
      "moves AS (SELECT day, version, count(*) FILTER (change = 'entered') AS entered, "
      "count(*) FILTER (change = 'left') AS exits FROM log GROUP BY day, version), "
      "sizes AS (SELECT day, version, "
      "sum(entered - exits) OVER (PARTITION BY version ORDER BY day) AS size FROM moves), "
      "flows AS (SELECT day, count(*) FILTER (change = 'entered') AS entered, "
      "count(*) FILTER (change = 'left') AS exits FROM log WHERE live GROUP BY day), "
      "of_day AS (SELECT days.day, CASE WHEN in_force THEN version END AS version "
      "FROM days ASOF LEFT JOIN versions ON versions.day <= days.day) "
      "SELECT CAST(of_day.day AS VARCHAR), CAST(coalesce(flows.entered, 0) AS BIGINT), "
      "CAST(coalesce(flows.exits, 0) AS BIGINT), CAST(coalesce(sizes.size, 0) AS BIGINT) "
      "FROM of_day ASOF LEFT JOIN sizes "
      "ON sizes.version = of_day.version AND sizes.day <= of_day.day "
      "LEFT JOIN flows ON flows.day = of_day.day ORDER BY of_day.day");
}

}  // namespace

absl::StatusOr<std::vector<SegmentDay>> Session::Core::segment_history(const SegmentHistoryRequest& request) {
  const auto snapshot = reader.lake.snapshot();
  const delta::FileSet& files = *snapshot->tables[lake::TableId::kSegmentLog].files;
  if (absl::Status status = verify(files); !status.ok()) return status;
  show_tail(*snapshot, lake::TableId::kSegmentLog);
  const std::string rows = all_rows(lake::TableId::kSegmentLog, files, id);
  auto result = connection->query(history_select(rows, request), {request.segment});
  if (!result.ok()) return result.status();
  std::vector<SegmentDay> days;
  const absl::Status status = result->each_row([&](const duck::Batch& batch, size_t row) {
    days.push_back({.day = std::string(batch.text(0, row)),
                    .entered = batch.integer(1, row),
                    .left = batch.integer(2, row),
                    .size = batch.integer(3, row)});
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return days;
}

}  // namespace kehu::query
