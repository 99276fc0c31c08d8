#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "absl/status/statusor.h"
#include "codec/record.h"
#include "identity/resolution.h"
#include "model/event.h"
#include "model/ids.h"

namespace kehu::shard {

// What applying one event meant. `event` points into the batch.
struct Applied {
  const Event* event = nullptr;
  Sequence sequence;
  CustomerId customer;  // zero: the event has no usable identifier and belongs to nobody
  Token part;
  bool new_customer = false;
};

struct CommandResult {
  Sequence sequence;
  absl::StatusOr<identity::Outcome> outcome;
};

// What leaves the shard, in log order. Applying appends to it; what it points to is valid until clear().
class Effects {
 public:
  std::vector<Applied> events;
  std::vector<identity::Move> moves;
  std::vector<CommandResult> commands;
  int64_t customers_delta = 0;  // customers that came to be, less those that ended

  void clear() {
    events.clear();
    moves.clear();
    commands.clear();
    customers_delta = 0;
    decoded_used_ = 0;
  }

  // Room for one more decoded event; keeps its memory over clear().
  codec::EventRecord& next_decoded() {
    if (decoded_used_ == decoded_.size()) decoded_.emplace_back();
    return decoded_[decoded_used_++];
  }

 private:
  std::deque<codec::EventRecord> decoded_;  // a deque: the events keep their places while it grows
  size_t decoded_used_ = 0;
};

}  // namespace kehu::shard
