#pragma once

#include <cstddef>
#include <cstdint>

#include "base/time.h"

// Every bound of the system that a user can meet. Crossing one is a defined result, named beside it.
namespace kehu::limits {

inline constexpr size_t kEventBytes = 32 * 1024;          // larger: rejection event_too_large
inline constexpr size_t kSegmentBatchBytes = 500 * 1024;  // larger: HTTP 400, as Segment answers
inline constexpr size_t kRudderBatchBytes = 4000 * 1024;  // of its beacon; larger: HTTP 413, as its gateway
inline constexpr size_t kSegmentBatchEvents = 2500;       // beyond: rejection too_many_events
inline constexpr size_t kBulkBodyBytes = 100 * 1024 * 1024;  // /api/v1/events; larger: HTTP 413
inline constexpr size_t kInflateRatio = 100;                 // more: HTTP 400 inflate_limit
inline constexpr size_t kJsonDepth = 64;                     // deeper: HTTP 400 / rejection invalid_json
inline constexpr size_t kMessageIdBytes = 100;               // longer: rejection message_id_too_long
inline constexpr size_t kNameBytes = 200;                    // event name; longer: rejection name_too_long
inline constexpr size_t kIdentifierBytes = 512;              // longer: rejection identifier_too_long
inline constexpr size_t kIdentifiersPerEvent = 16;           // beyond: rejection too_many_identifiers
inline constexpr Duration kFutureTolerance = Duration::hours(1);  // later: rejection time_in_future

inline constexpr size_t kTraitsPerCustomer = 512;      // beyond: the trait is left out and counted
inline constexpr size_t kTraitBytes = 2 * 1024;        // longer: the trait is left out and counted
inline constexpr size_t kTraitSteps = 32;              // of a trait; see profile/trait_steps.h
inline constexpr size_t kEventNamesPerCustomer = 256;  // beyond: counted under the name "(other)"
inline constexpr size_t kChannelsPerCustomer = 16;     // unnumbered; beyond: together as "(other)"
inline constexpr size_t kRecentEvents = 20;            // of a customer, newest by event time
inline constexpr size_t kOrdersPerCustomer = 256;      // beyond: a uniform sample, marked as such
inline constexpr uint32_t kShards = 256;  // virtual shards; fixed for ever (key groups, partitions)

}  // namespace kehu::limits
