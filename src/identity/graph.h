#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "identity/blobs.h"
#include "identity/link.h"
#include "identity/resolution.h"
#include "model/event.h"
#include "model/record.h"
#include "model/settings.h"
#include "store/blob_store.h"

namespace kehu::identity {

// Says whose an event is, in log order, and remembers why (docs/identity.md has the rules,
// docs/formats/identity.md the bytes). Every token that was ever accepted belongs to exactly one customer; a
// customer always contains the token it is named after. Same calls in the same order, same answers and same
// blobs.
//
// One owner thread. The stores hold all state, so a graph may be made anew at any time.
class Graph {
 public:
  // `nodes`: token → its owner; `groups`: customer → its tokens and links. All three outlive the graph.
  Graph(const Settings& settings, BlobStore& nodes, BlobStore& groups);

  // New rules for what follows; what was joined under the old ones stays.
  void use(const Settings& settings) { settings_ = &settings; }

  // Appends the keys of `nodes` that resolving this event reads, for a prefetch together with other stores.
  static void keys(const Event& event, std::vector<Hash128>& node_keys);
  // Brings near what resolving these events reads: nodes first, then the groups of events that join
  // something.
  void prefetch(absl::Span<const Event* const> events);

  // An event whose identifiers are all known in one customer costs one read of `nodes` each (~50 ns) and
  // writes nothing. Others read and write groups: microseconds, and up to a millisecond for a customer of
  // 1,000 tokens.
  Resolution resolve(const Event& event, Sequence sequence);

  // Joins the customers of the two tokens whatever the type, the limit or an earlier un-merge says; the
  // winner keeps its id. `now` is the batch's tick. NotFound: a token is unknown. AlreadyExists: they are one
  // customer. FailedPrecondition: a unique type would have two values, or a token is shared.
  // FailedPrecondition too: too large.
  absl::StatusOr<Outcome> merge(const MergeCommand& command, Sequence sequence, Instant now);

  // Removes the links that the record at `command.link` made and gives each side its own customer again; no
  // evidence joins them from now on. When the record joined customers, only those links are removed, not
  // those of identifiers that were new in it. `command.customer` may be any id the customer ever had.
  // NotFound: no such customer or link. FailedPrecondition: the customer remembers too many separations.
  absl::StatusOr<Outcome> unmerge(const UnmergeCommand& command, Sequence sequence, Instant now);

  std::optional<CustomerId> customer_of(Token token) const;
  // The customer that an id stands for now; ids of merged customers stay good. nullopt: never seen.
  std::optional<CustomerId> current(CustomerId any) const;
  // Whose the token was after the record at `when`, or at a moment of the log's time. NotFound: not seen by
  // then. OutOfRange: it changed hands too often since (limit: kHistoryPerToken) to know.
  absl::StatusOr<CustomerId> customer_as_of(Token token, Sequence when) const;
  absl::StatusOr<CustomerId> customer_as_of(Token token, Instant when) const;

  // Everybody who had the token, oldest first, the present owner last; as far back as is remembered, like
  // customer_as_of(). Empty: never seen.
  std::vector<CustomerId> owners_of(Token token) const;

  // Strongest first. These and the following are empty for an id that is not a current customer.
  std::vector<KnownIdentifier> identifiers_of(CustomerId customer) const;
  std::vector<Link> links(CustomerId customer) const;
  std::vector<Separation> separations(CustomerId customer) const;
  std::vector<Refusal> refusals(CustomerId customer) const;  // oldest first
  std::vector<Change> history(CustomerId customer) const;    // oldest first
  // Why two tokens are one customer: the links from `from` to `to` in order. NotFound: unknown or not one
  // customer.
  absl::StatusOr<std::vector<Link>> explain(Token from, Token to) const;

 private:
  void group_keys_of(const Event& event, std::vector<Hash128>& group_keys) const;

  const Settings* settings_;
  mutable Blobs blobs_;
};

}  // namespace kehu::identity
