#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "model/ids.h"
#include "model/record.h"
#include "trace/span.h"

namespace kehu::engine {

// What became of a submission. `status` OK: everything in it is durable, repeats included.
struct Ack {
  absl::Status status;
  uint32_t events = 0;     // new ones
  uint32_t repeats = 0;    // known already; nothing was written for them
  uint32_t conflicts = 0;  // a known message id with another body
  uint32_t rejections = 0;
  // Of its records; zero when nothing was written.
  Sequence first = {}, last = {};
  // Of each entry of the batch, when the submission asked for it and the status is OK.
  std::vector<RecordFate> fates = {};
};

// Records on their way into the log, with what must happen when they are there.
struct Submission {
  RecordBatch batch;
  // Data keys whose records are in the batch.
  std::vector<uint64_t> data_keys;
  // Whether an event whose message id is known with another body goes into quarantine, or is only counted.
  enum class Conflicts : uint8_t { kQuarantine, kOnlyCount } conflicts = Conflicts::kQuarantine;
  bool tell_fates = false;  // for Ack::fates
  // Called once, on the log thread: must be quick and must not call the engine back.
  absl::AnyInvocable<void(const Ack&)> done;
  // Of a traced request: ends when the records are durable. Empty mostly.
  trace::ActiveSpan waiting = {};
};

}  // namespace kehu::engine
