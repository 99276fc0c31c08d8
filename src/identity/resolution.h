#pragma once

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu::identity {

// The part of one token changes hands: the state folded from events whose strongest identifier is `part`
// leaves `from` for `to`. A token without events of its own has a move too; there is nothing to carry then.
struct Move {
  Token part;
  CustomerId from;
  CustomerId to;
  bool operator==(const Move&) const = default;
};
// In the order in which they happened; a part may move more than once.
using Moves = absl::InlinedVector<Move, 1>;

// An identifier that was usable at the door and was not used to find this event's customer.
struct Note {
  uint8_t identifier = 0;  // index into Event::identifiers
  LeftOut reason = LeftOut::kNo;
  bool operator==(const Note&) const = default;
};

// Whose an event is. Execute `moves` first, then fold the event into (customer, part).
struct Resolution {
  // Zero when the event has no usable identifier at all (every one left out at the door).
  CustomerId customer;
  // The strongest accepted identifier's token.
  Token part;
  bool new_customer = false;
  Moves moves;
  absl::InlinedVector<Note, 2> left_out;
};

// What a command did.
struct Outcome {
  Moves moves;
  // The customers that exist now in place of the old ones: one after a merge, at least two after an un-merge.
  // The first kept its id.
  absl::InlinedVector<CustomerId, 2> customers;
};

}  // namespace kehu::identity
