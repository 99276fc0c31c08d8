#pragma once

#include <cstddef>

// How much identity remembers of one customer or token. Crossing a bound is a defined result, named beside
// it.
namespace kehu::identity {

inline constexpr size_t kTokensPerCustomer = 1000;      // beyond: the identifier is left out (limit)
inline constexpr size_t kSeparationsPerCustomer = 256;  // beyond: not joined (limit), un-merge refused
inline constexpr size_t kRefusalsPerCustomer = 32;      // beyond: the oldest is forgotten
inline constexpr size_t kChangesPerCustomer = 64;       // beyond: the oldest is forgotten
inline constexpr size_t kHistoryPerToken = 64;    // beyond: the oldest is forgotten; AS OF says OutOfRange
inline constexpr size_t kConflictsPerToken = 64;  // shared_after counts as this when it is larger
// Two customers of so many identifiers each are not joined again when shared values that had joined them were
// taken out so often within a day: each time all of one side move twice.
inline constexpr size_t kLargeSide = 32;
inline constexpr ptrdiff_t kSplitsPerDay = 8;
inline constexpr size_t kPassingPerCustomer = 16;  // beyond: the one seen first is forgotten
inline constexpr size_t kCommandTextBytes = 512;   // longer actors and reasons of commands are cut

}  // namespace kehu::identity
