#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/ids.h"
#include "shard/effects.h"

namespace kehu::replica {

// Who waits for the outcome of a command, by the command's record. All calls from any thread.
class Commands {
 public:
  using Answer = std::promise<absl::StatusOr<shard::Outcome>>;

  // `answer` gets the outcome of the record, or why there will be none.
  void expect(Sequence record, std::shared_ptr<Answer> answer);
  // Answers whoever waits for one of these.
  void finish(absl::Span<shard::CommandResult> results);
  // Nobody gets an outcome any more, but this.
  void close(const absl::Status& why);

 private:
  std::mutex mutex_;
  std::map<Sequence, std::shared_ptr<Answer>> waiting_;
  absl::Status closed_;
};

}  // namespace kehu::replica
