#pragma once

#include <atomic>
#include <mutex>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "model/ids.h"

namespace kehu::replica {

class Replica;

// What other threads want to see of the state: functions that the apply thread runs between two slices, each
// when everything up to its position is applied. All calls from any thread but run().
class Looks {
 public:
  using Look = absl::AnyInvocable<void(Replica&)>;

  // False when it is closed: `look` is dropped.
  bool add(Sequence after, Look look);
  // The apply thread's. Costs one load of memory when none waits.
  void run(Replica& replica);
  // Drops those that wait, and all that come.
  void close();

 private:
  struct Waiting {
    Sequence after;
    Look look;
  };
  std::mutex mutex_;
  std::vector<Waiting> waiting_;
  std::atomic<bool> any_{false};
  bool closed_ = false;
};

}  // namespace kehu::replica
