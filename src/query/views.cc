#include "query/views.h"

#include "base/text.h"
#include "duck/database.h"
#include "query/order_lookup.h"

namespace kehu::query {
namespace {

std::string file_list(const delta::FileSet& set) {
  std::string list;
  for (const auto& file : set.files) list += cat(list.empty() ? "" : ",", sql_literal(file->path));
  return list;
}

// The value of the identifier `type` of a row; null when it has none that counts.
std::string identifier(std::string_view type) {
  return cat(
      "list_filter(from_json(identifiers, '[{\"type\":\"VARCHAR\",\"value\":\"VARCHAR\","
      "\"left_out\":\"VARCHAR\"}]'), lambda i: i.type = '",
      type, "' AND i.left_out IS NULL)[1].value");
}

// One row for each customer who has events. What no statement asks for is not computed.
std::string customers() {
  return cat("SELECT customer_id, arg_max(", identifier("user_id"),
             ", (time, sequence)) AS user_id, "
             "coalesce(list_reduce(list(traits ORDER BY time, sequence) FILTER (WHERE traits <> '{}'), "
             "lambda a, b: CAST(json_merge_patch(a, b) AS VARCHAR)), '{}') AS traits, "
             "count(*) AS events, min(time) AS first_time, max(time) AS last_time, "
             "arg_min(channel, (time, sequence)) AS first_channel, "
             "arg_max(channel, (time, sequence)) AS last_channel, "
             "arg_min(source, (time, sequence)) AS first_source, "
             "arg_max(source, (time, sequence)) AS last_source "
             "FROM events WHERE customer_id IS NOT NULL GROUP BY customer_id");
}

// Of each segment and customer the last change counts, of the version of the segment that is in force.
std::string segments() {
  return "WITH in_force AS (SELECT name, arg_max(version, (sequence, ordinal)) AS version FROM segment_log "
         "WHERE kind = 'segment' AND customer_id IS NULL GROUP BY name "
         "HAVING arg_max(change, (sequence, ordinal)) = 'in_force') "
         "SELECT name AS segment, customer_id, arg_max(time, (sequence, ordinal)) AS entered_at "
         "FROM segment_log JOIN in_force USING (name, version) "
         "WHERE kind = 'segment' AND customer_id IS NOT NULL GROUP BY name, customer_id "
         "HAVING arg_max(change, (sequence, ordinal)) = 'entered'";
}

// properties->>'$current_url' is a path to DuckDB, so names that begin with a dollar sign need quotes.
constexpr char kProp[] =
    "CREATE OR REPLACE TEMP MACRO prop(object, name) AS object->>('$.\"' || name || '\"');";

std::string view(std::string_view name, std::string_view select) {
  return cat("CREATE OR REPLACE TEMP VIEW ", name, " AS ", select, ";");
}

// A table as statements see it.
std::string table_select(lake::TableId table, const delta::FileSet& files, int64_t session) {
  const std::string rows = all_rows(table, files, session);
  switch (table) {
    case lake::TableId::kEvents:
      return cat("SELECT * REPLACE (", present_owner(session), ") FROM (", rows, ")");
    case lake::TableId::kSegmentLog:
      return cat("SELECT * REPLACE (nullif(customer_id, repeat('0', 32)) AS customer_id) FROM (", rows, ")");
    case lake::TableId::kCheckLog:
      return cat(
          "SELECT * REPLACE (nullif(source, '') AS source, CAST(at_least AS DOUBLE) AS at_least), "
          "agreed / nullif(compared, 0) AS share FROM (",
          rows, ")");
    default:
      return rows;
  }
}

}  // namespace

// What is nobody's (of a group, of an item) has zeros in the files.
std::string present_owner(int64_t session) {
  return cat("nullif(", kOwnerFunction, "(", session,
             ", part, customer_id), repeat('0', 32)) AS customer_id");
}

std::string tail_function(lake::TableId table) { return cat("kehu_", lake::schema_of(table).name); }

// A table is its files and the tail behind them. Both are of one snapshot, in which a row is in one of the
// two, so they are put together without a look for repeats.
std::string all_rows(lake::TableId table, const delta::FileSet& set, int64_t session) {
  const delta::TableSchema& schema = lake::schema_of(table);
  const std::string columns = delta::column_list(schema);
  const std::string month = schema.by_month ? ", strftime(dt, '%Y-%m') AS month" : "";
  const std::string rows = cat("SELECT ", columns, month, " FROM ", tail_function(table), "(", session, ")");
  if (set.files.empty()) return rows;
  const std::string partition = schema.by_month ? ", hive_types = {month: VARCHAR}" : "";
  return cat("SELECT ", columns, schema.by_month ? ", month" : "", " FROM read_parquet([", file_list(set),
             "], hive_partitioning = ", schema.by_month ? "true" : "false", partition, ") UNION ALL ", rows);
}

std::string view_definitions(const lake::Snapshot& snapshot, const order::OrderText& orders,
                             int64_t session) {
  std::string sql = kProp;
  for (const lake::TableId table : lake::kAllTables) {
    sql += view(lake::schema_of(table).name, table_select(table, *snapshot.tables[table].files, session));
  }
  return cat(sql, view("customers", customers()), view("segments", segments()),
             view("order_events", order_events_select(orders, session)), view("orders", orders_select()));
}

}  // namespace kehu::query
