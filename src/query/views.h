#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lake/columns.h"
#include "lake/snapshot.h"

namespace kehu::query {

// Functions that the views call with a session's id; see duck/scan.h.
inline constexpr char kEventsFunction[] = "kehu_events";
inline constexpr char kMovesFunction[] = "kehu_moves";
inline constexpr char kOwnerFunction[] = "kehu_owner";
// All rows, with the customer as it was when they were ingested.
inline constexpr char kRawEvents[] = "kehu_raw_events";

// A SELECT of all rows of a table: those of the files, and those that the function call `tail` gives.
std::string all_rows(const lake::TableSchema& schema, const lake::FileSet& files, std::string_view tail);

// Statements that make a connection's temporary views over the files of a snapshot and, by the session's id,
// over its tail. They stay right while the snapshot's file sets are the same.
std::string view_definitions(const lake::Snapshot& snapshot, int64_t session);

}  // namespace kehu::query
