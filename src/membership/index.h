#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "base/strong.h"
#include "membership/members.h"
#include "model/ids.h"
#include "store/blob_store.h"

namespace kehu::membership {

// Who is in each segment, the other way round: so that members can be listed, counted and compared without a
// look at every customer. Customers who were ever in one have a number; a segment is a set of numbers, in
// chunks of 4,096 bits (docs/formats/members.md). One owner thread; the store holds all state.
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

  uint64_t size(RuleId rule) const;
  struct Page {
    std::vector<CustomerId> customers;
    uint32_t next = 0;  // where the next page begins; 0: there is none
  };
  // In the order of their numbers, from `from` on.
  Page page(RuleId rule, uint32_t from, size_t limit) const;
  // How many are in all of these. ~1 ns a member where chunks are full.
  uint64_t overlap(absl::Span<const RuleId> rules) const;

 private:
  bool change(RuleId rule, uint32_t number, bool in);
  uint32_t end() const;  // behind the greatest number

  BlobStore& store_;
};

}  // namespace kehu::membership
