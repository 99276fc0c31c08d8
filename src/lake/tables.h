#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "delta/schema.h"

// The tables of the lake: the one list from which the tails, the Delta tables and the views are made.
// docs/formats/lake.md says what they hold; docs/decisions/lake.md how to add one.
namespace kehu::lake {

// In the order in which a commit writes them. `events` is the last one: its position is that of the lake.
enum class TableId : uint8_t { kIdentityLog, kDefinitions, kSegmentLog, kCheckLog, kEvents };
inline constexpr size_t kTableCount = 5;
inline constexpr std::array<TableId, kTableCount> kAllTables = {
    TableId::kIdentityLog, TableId::kDefinitions, TableId::kSegmentLog, TableId::kCheckLog, TableId::kEvents};

struct TableEntry {
  delta::TableSchema schema;
  std::string key;  // columns that no two rows share; empty: no such promise
};
const TableEntry& table_of(TableId id);
const delta::TableSchema& schema_of(TableId id);

// One value for each table.
template <class T>
class PerTable {
 public:
  T& operator[](TableId id) { return values_[static_cast<size_t>(id)]; }
  const T& operator[](TableId id) const { return values_[static_cast<size_t>(id)]; }
  auto begin() { return values_.begin(); }
  auto end() { return values_.end(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool operator==(const PerTable&) const = default;

 private:
  std::array<T, kTableCount> values_{};
};

// Positions of columns in the schemas.
enum EventColumn : size_t {
  kEventName,
  kEventType,
  kCustomerId,
  kPart,
  kTime,
  kReceivedAt,
  kOriginalTime,
  kSourceName,
  kChannelName,
  kMessageId,
  kProperties,
  kTraits,
  kContext,
  kIdentifiers,
  kSequence,
  kProject,
  kBusinessDay,
};
enum SegmentColumn : size_t {
  kChangeSequence,
  kChangeOrdinal,
  kChangeTime,
  kRuleKind,
  kRuleName,
  kRuleVersion,
  kMember,
  kChange,
  kValue,
  kIsLive,
};
enum IdentityColumn : size_t { kMoveSequence, kMoveTime, kMovePart, kMoveCustomer };

}  // namespace kehu::lake
