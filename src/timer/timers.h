#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "base/time.h"
#include "store/blob_store.h"
#include "timer/page.h"
#include "timer/place.h"
#include "timer/timer.h"
#include "timer/wheel.h"

namespace kehu::timer {

// What is to happen later, by customer: timers that outlive the process, fired exactly and in order
// (docs/decisions/timers.md says why it is so, docs/formats/timers.md the bytes).
//
// A timer is known by its due time and its id together; the same pair again replaces owner, kind and payload.
// Whoever set a timer knows when it is due, so nothing here finds one by id alone: to move a timer, cancel it
// and set it anew. `owner` is kept as given, for merges move nothing here: whoever fires the timer asks
// identity::Graph::current() whose it is now.
//
// One owner thread. The store holds all state between calls, so timers may be made anew at any time, which
// reads one blob; this object holds nothing but scratch. Same calls, same bytes. A set or cancel writes a
// page of at most 4 KiB and up to three blobs of some 30 bytes; once in some 50 sets a page is opened into up
// to 16, and a cancel that leaves a wheel with one page moves that page.
//
// Memory: 43 bytes and the payload for each timer; in the state's table, with spare room and keys, 50 to 70
// bytes and the payload with any number of timers spread evenly; whatever is cancelled, not more than 300.
// Any of it may be spilled. The number is not bounded here: whoever sets timers bounds how many a customer
// may have.
class Timers {
 public:
  // `store` outlives it and is used by nobody else.
  explicit Timers(BlobStore& store);

  // The payload is at most kPayloadBytes and not one of the store's own bytes. Any due time is good; one that
  // has passed fires at the next advance. ~0.5 us; with 10 million pending 2 to 3 us, most of it waiting for
  // memory.
  void set(const Timer& timer);

  // False when there is no such timer: it has fired, or was never set. Costs what set costs.
  bool cancel(Instant due, TimerId id);

  // When the first timer is due, exactly; nullopt: none is pending. Behind a cancel, and while none is, a get
  // for each level in use, mostly 5; else nothing.
  std::optional<Instant> next_due();

  // Takes the timers that are due at `now` or before, in order of (due, id), and shows each to `visit` once;
  // at most `limit` (> 0). Answers how many: fewer than `limit` means that no other is due. Time need not
  // have passed evenly, nor forward: years without timers cost nothing. ~0.2 us a timer.
  // `visit` may keep nothing of the payload, and must not call this object.
  size_t advance(Instant now, size_t limit, absl::FunctionRef<void(const Timer&)> visit);

  uint64_t pending() const { return pending_; }

 private:
  // A wheel on the way from the outermost slot, and the slot it is in.
  struct Step {
    Slot slot;
    Wheel wheel;
  };
  struct Found {
    Slot slot;
    std::string_view blob;  // a page; empty; or a wheel that does not cover the place looked for
  };

  Found find(const Place& place);
  Found find_first();
  void put_wheel(const Step& step);
  void put_root();
  void branch(const Slot& slot, const Place& place);
  void settle(const Slot& slot, absl::Span<const std::string_view> records);
  void remove_page(const Slot& slot);
  void bring_near(Found& found);

  BlobStore& store_;
  uint64_t pending_ = 0;
  std::optional<Instant> first_;  // next_due(), if it is known and there is one
  std::vector<Step> path_;        // of the last find
  std::string page_, scratch_;    // being made
  std::optional<Slot> near_;      // the wheel whose slots were prefetched last
  bool visiting_ = false;
};

}  // namespace kehu::timer
