#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/blob_store.h"

namespace kehu {

// The name spaces of a state: each is one BlobStore. Stored: never renumber.
enum class Space : uint8_t {
  kMeta = 0,  // of the database itself
  kNodes = 1,
  kGroups = 2,
  kCustomers = 3,
  kNames = 4,
  kDataKeys = 5,
  kRejections = 6,
  kDefinitions = 7,
  kAudit = 8,
  kTotals = 9,
  kTimers = 10,
  kOutbox = 11,
  kRules = 12,
  kMembers = 13,
};

struct SpaceTraits {
  std::string_view name;
  Space space;
  // Its blobs may leave memory when they are on disk. The others are few, or kept whole in memory besides.
  bool evictable = false;
  // Part of Shard::digest(): what events, commands and ticks make of customers.
  bool digested = false;
};

// Every store there is. A new one is one more row; nothing else lists them.
inline constexpr SpaceTraits kSpaces[] = {
    {.name = "nodes", .space = Space::kNodes, .evictable = true, .digested = true},
    {.name = "groups", .space = Space::kGroups, .evictable = true, .digested = true},
    {.name = "customers", .space = Space::kCustomers, .evictable = true, .digested = true},
    {.name = "names", .space = Space::kNames},
    {.name = "data keys", .space = Space::kDataKeys},
    {.name = "rejections", .space = Space::kRejections, .evictable = true},
    {.name = "definitions", .space = Space::kDefinitions},
    {.name = "audit", .space = Space::kAudit},
    {.name = "totals", .space = Space::kTotals},
    {.name = "timers", .space = Space::kTimers, .evictable = true, .digested = true},
    {.name = "outbox", .space = Space::kOutbox, .evictable = true, .digested = true},
    {.name = "rules", .space = Space::kRules, .digested = true},
    {.name = "members", .space = Space::kMembers, .evictable = true, .digested = true},
};
inline constexpr size_t kSpaceCount = sizeof(kSpaces) / sizeof(kSpaces[0]);

// A state's stores, by name. `engine` has them over the database, tests over maps.
class StoreSet {
 public:
  virtual ~StoreSet() = default;
  // Not kMeta.
  virtual BlobStore& at(Space space) = 0;
};

}  // namespace kehu
