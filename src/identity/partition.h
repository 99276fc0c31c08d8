#pragma once

#include <vector>

#include "absl/types/span.h"
#include "identity/blobs.h"
#include "identity/resolution.h"
#include "model/settings.h"

namespace kehu::identity {

// The record that is being applied.
struct Cause {
  Sequence sequence;
  Instant at;  // log time
};

// How tokens are divided among customers, and the three ways to change it. Checks no rule: its callers do.
// Nodes are written at once; groups that are passed in are the caller's to write, groups that come out are
// too.
class Partition {
 public:
  Partition(const Settings& settings, Blobs& blobs) : settings_(settings), blobs_(blobs) {}

  // `loser` ends; all it had becomes `winner`'s, joined by `link`, whose `absorbed` is set here.
  void absorb(Group& winner, const Group& loser, Link link, Cause cause, Moves& moves);

  // Divides what `links` no longer hold together. A side that has the token the customer is named after keeps
  // the id; another is named after one of `preferred` that it contains, else after its strongest member. The
  // side that keeps the id comes first (when there is none, the first of the remaining), and also keeps what
  // was remembered.
  std::vector<Group> divide(Group group, absl::Span<const CustomerId> preferred, Cause cause, Moves& moves);

  // A person took tokens of these two apart, and has not merged them since.
  bool separated(const Group& a, const Group& b) const;

  // Takes a token that turned out to be shared out of its customer. Others that only it held together part
  // too.
  void take_out(Token token, Cause cause, Moves& moves);

 private:
  CustomerId name_of(const Group& side, CustomerId old, absl::Span<const CustomerId> preferred) const;

  const Settings& settings_;
  Blobs& blobs_;
};

}  // namespace kehu::identity
