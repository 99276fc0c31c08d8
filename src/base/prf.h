#pragma once

#include <cstdint>

#include "base/siphash.h"

namespace kehu {

// Chance that can be asked again: 64 bits that depend on nothing but the arguments, and that nobody without
// the seed can tell from random ones. A replay, a second machine and an auditor with the seed get the same.
// Give each use (an experiment, a journey's branch) a seed of its own, or customers that are lucky once are
// lucky always; `sequence` tells the draws of one customer apart. ~40 ns.
//
// They are the first 64 bits of siphash128 of the customer's high half, low half and the sequence, each 8
// bytes little-endian; this will not change.
uint64_t prf(const SipKey& seed, const Hash128& customer, uint64_t sequence);

// Bits as a number in [0, 1): the upper 53 as a multiple of 2^-53, so each number is as likely as any other,
// and 1 never comes. `unit_interval(prf(…)) < share` holds for `share` of the customers.
constexpr double unit_interval(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

}  // namespace kehu
