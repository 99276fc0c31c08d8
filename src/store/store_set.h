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
};

struct SpaceTraits {
  Space space;
  std::string_view name;
  // Its blobs may leave memory when they are on disk. The others are few, or kept whole in memory besides.
  bool evictable = false;
  // Part of Shard::digest(): what events, commands and ticks make of customers.
  bool digested = false;
};

// Every store there is. A new one is one more row; nothing else lists them.
inline constexpr SpaceTraits kSpaces[] = {
    {.space = Space::kNodes, .name = "nodes", .evictable = true, .digested = true},
    {.space = Space::kGroups, .name = "groups", .evictable = true, .digested = true},
    {.space = Space::kCustomers, .name = "customers", .evictable = true, .digested = true},
    {.space = Space::kNames, .name = "names"},
    {.space = Space::kDataKeys, .name = "data keys"},
    {.space = Space::kRejections, .name = "rejections", .evictable = true},
    {.space = Space::kDefinitions, .name = "definitions"},
    {.space = Space::kAudit, .name = "audit"},
    {.space = Space::kTotals, .name = "totals"},
    {.space = Space::kTimers, .name = "timers", .evictable = true, .digested = true},
    {.space = Space::kOutbox, .name = "outbox", .evictable = true, .digested = true},
    {.space = Space::kRules, .name = "rules", .digested = true},
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
