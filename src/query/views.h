#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lake/snapshot.h"
#include "lake/tables.h"
#include "order/order_text.h"

namespace kehu::query {

// Functions that the views call with a session's id; see duck/scan.h. One for each table gives its tail:
std::string tail_function(lake::TableId table);
inline constexpr char kOwnerFunction[] = "kehu_owner";

// The column customer_id of events as it is today, from the stored one.
std::string present_owner(int64_t session);

// A SELECT of all rows of a table: those of `files`, and those of the session's tail.
std::string all_rows(lake::TableId table, const delta::FileSet& files, int64_t session);

// Statements that make a connection's temporary views over the files of a snapshot and, by the session's id,
// over its tails: one for each table, `customers`, `segments`, `order_events` and `orders`; and the macro
// prop(). They stay right while the snapshot's file sets are the same.
std::string view_definitions(const lake::Snapshot& snapshot, const order::OrderText& orders, int64_t session);

}  // namespace kehu::query
