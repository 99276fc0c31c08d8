#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/strong.h"

namespace kehu {

// Position of a record in the log, from 1, without gaps. 0 means "before everything".
using Sequence = Strong<struct SequenceTag, uint64_t>;
using ProjectId = Strong<struct ProjectIdTag, uint32_t>;
using SourceId = Strong<struct SourceIdTag, uint32_t>;
// Index into Settings::identifier_types; stable for the life of a project.
using IdentifierTypeId = Strong<struct IdentifierTypeTag, uint8_t>;

// Keyed 128-bit hash of (project, identifier type, normalised value): stands for the value everywhere behind
// the door. Without the project's key nobody can compute it from the value.
struct Token {
  Hash128 hash;
  constexpr auto operator<=>(const Token&) const = default;
  template <class H>
  friend H AbslHashValue(H state, const Token& token) {
    return H::combine(std::move(state), token.hash);
  }
};

// A customer is named after the token of the first identifier seen, so most events know their owner without a
// look-up. Only tokens that joined another customer have an entry that says so.
struct CustomerId {
  Hash128 hash;
  constexpr auto operator<=>(const CustomerId&) const = default;
  static constexpr CustomerId named_after(const Token& token) { return CustomerId{token.hash}; }
  template <class H>
  friend H AbslHashValue(H state, const CustomerId& id) {
    return H::combine(std::move(state), id.hash);
  }
};

// One of limits::kShards virtual shards: the key group of a customer, for ever.
using ShardId = Strong<struct ShardIdTag, uint32_t>;
ShardId shard_of(CustomerId customer);

// Names of events, traits and properties behind the door are 48-bit hashes, so that a customer's state needs
// no table of names that all shards share. The names themselves are kept once per project (NameTable).
using NameId = Strong<struct NameIdTag, uint64_t>;
NameId name_id(std::string_view name);

}  // namespace kehu
