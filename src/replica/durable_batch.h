#pragma once

#include <memory>
#include <vector>

#include "base/time.h"
#include "shard/shard.h"
#include "trace/span.h"

namespace kehu::replica {

// A batch that is on disk, on its way to be applied. The records point into `bytes`.
struct DurableBatch {
  Instant tick;
  std::vector<shard::LogRecord> records;
  std::shared_ptr<const void> bytes;
  size_t size = 0;  // of the bytes
  // Of traced requests whose records are in it: end when the batch is applied.
  std::vector<trace::ActiveSpan> applying = {};
};

}  // namespace kehu::replica
