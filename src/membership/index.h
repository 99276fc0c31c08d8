#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "base/strong.h"
#include "membership/members.h"
#include "model/ids.h"
#include "store/blob_store.h"

namespace kehu::membership {

// Who is in each segment, the other way round: so that members can be listed, counted and compared without a
// look at every customer. Customers who were ever in one have a number; a segment is a set of numbers, in
// chunks of 4,096 bits (docs/formats/rules.md). One owner thread. What changes is kept at hand until
// settle(): customers who are new have numbers that follow each other, so a segment's next change mostly is
// in the chunk of its last one. Behind settle() the store holds all state.
class Index {
 public:
  // `store` is used by nobody else.
  explicit Index(BlobStore& store) : store_(store) {}

  // The number of a customer who has none yet, from 1.
  uint32_t add(CustomerId customer);
  // The number's customer is no more.
  void remove(uint32_t number);

  void enter(RuleId rule, uint32_t number);
  void leave(RuleId rule, uint32_t number);
  // Of a rule that is gone.
  void forget(RuleId rule);
  // Writes what has changed. ~0.1 us a segment that did.
  void settle();

  uint64_t size(RuleId rule) const;
  struct Page {
    std::vector<CustomerId> customers;
    uint32_t next = 0;  // where the next page begins; 0: there is none
  };
  // In the order of their numbers, from `from` on. This and overlap() want what has changed to be settled.
  Page page(RuleId rule, uint32_t from, size_t limit) const;
  // How many are in all of these. ~1 ns a member where chunks are full.
  uint64_t overlap(absl::Span<const RuleId> rules) const;

 private:
  static constexpr uint32_t kChunkBits = 4096;
  using Bits = std::array<uint64_t, kChunkBits / 64>;
  // Of a segment: the chunk that was changed last, and how many members there are in all.
  struct AtHand {
    uint32_t chunk = 0;
    Bits bits = {};
    uint64_t size = 0;
    bool changed = false;
  };
  void change(RuleId rule, uint32_t number, bool in);
  AtHand& at_hand(RuleId rule, uint32_t chunk);
  void write_chunk(RuleId rule, const AtHand& at);
  uint32_t end() const;  // behind the greatest number
  void settle_numbers();

  BlobStore& store_;
  absl::flat_hash_map<RuleId, std::unique_ptr<AtHand>> at_hand_;
  std::vector<RuleId> changed_;  // those of at_hand_; one may stand here twice, or be gone
  std::optional<uint32_t> end_;  // end(), and `ids_` the page of the number before it, if a number was given
  std::string ids_;
};

}  // namespace kehu::membership
