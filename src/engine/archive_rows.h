#pragma once

#include "lake/definition_rows.h"
#include "lake/table_row.h"
#include "shard/effects.h"

namespace kehu::engine {

// What applying left for the tables of the archive, but for those that are written another way: `events` from
// the records themselves, `identity_log` and `segment_log` from rows of their own (lake_thread.h).
inline lake::TableRows archive_rows(const shard::Effects& effects) {
  lake::TableRows rows;
  rows[lake::TableId::kDefinitions] = lake::definition_rows(effects.definitions);
  return rows;
}

}  // namespace kehu::engine
