#pragma once

#include "lake/definition_rows.h"
#include "lake/table_row.h"
#include "shard/effects.h"

namespace kehu::engine {

// A row of `check_log`.
inline lake::TableRow check_row(const shard::CheckResult& result) {
  return {.sequence = result.sequence,
          .cells = {result.check, static_cast<int64_t>(result.version.value()), result.compares,
                    result.source, result.as_of, static_cast<int64_t>(result.compared),
                    static_cast<int64_t>(result.agreed), result.at_least.to_string(), result.quarantined}};
}

// What applying left for the tables of the archive, but for those that are written another way: `events` from
// the records themselves, `identity_log` and `segment_log` from rows of their own (lake_thread.h).
inline lake::TableRows archive_rows(const shard::Effects& effects) {
  lake::TableRows rows;
  rows[lake::TableId::kDefinitions] = lake::definition_rows(effects.definitions);
  for (const shard::CheckResult& result : effects.checks)
    rows[lake::TableId::kCheckLog].push_back(check_row(result));
  return rows;
}

}  // namespace kehu::engine
