#include "query/views.h"

#include "base/text.h"
#include "duck/database.h"

namespace kehu::query {
namespace {

std::string file_list(const lake::FileSet& set) {
  std::string list;
  for (const auto& file : set.files) list += cat(list.empty() ? "" : ",", duck::quote(file->path));
  return list;
}

std::string view(std::string_view name, std::string_view select) {
  return cat("CREATE OR REPLACE TEMP VIEW ", name, " AS ", select, ";");
}

}  // namespace

std::string all_rows(const lake::TableSchema& schema, const lake::FileSet& set, std::string_view tail) {
  const std::string columns = lake::column_list(schema);
  const std::string month = schema.by_month ? ", strftime(dt, '%Y-%m') AS month" : "";
  const std::string rows = cat("SELECT ", columns, month, " FROM ", tail);
  if (set.files.empty()) return rows;
  const std::string partition = schema.by_month ? ", hive_types = {month: VARCHAR}" : "";
  return cat("SELECT ", columns, schema.by_month ? ", month" : "", " FROM read_parquet([", file_list(set),
             "], hive_partitioning = ", schema.by_month ? "true" : "false", partition, ") UNION ALL ", rows);
}

std::string view_definitions(const lake::Snapshot& snapshot, int64_t session) {
  const std::string tail = cat(kEventsFunction, "(", session, ")");
  const std::string moves = cat(kMovesFunction, "(", session, ")");
  const std::string owner = cat(kOwnerFunction, "(", session, ", part, customer_id) AS customer_id");
  return cat(view(kRawEvents, all_rows(lake::events_schema(), *snapshot.events, tail)),
             view("events", cat("SELECT * REPLACE (", owner, ") FROM ", kRawEvents)),
             view("identity_log", all_rows(lake::identity_schema(), *snapshot.identity_log, moves)));
}

}  // namespace kehu::query
