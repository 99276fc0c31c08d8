#pragma once

#include <string_view>

#include "base/byte_buffer.h"
#include "log/batch.h"

namespace kehu::log {

// Collects records in the form in which they go to the disk, so that a commit copies nothing. Reusable:
// clear() keeps the memory. Keep two or more in turn, and the batch just committed can be applied while the
// next one fills.
class BatchBuilder {
 public:
  BatchBuilder();

  void clear();

  // Whether a record with a payload of this size still fits. Adding one that does not is a bug.
  bool fits(size_t payload) const { return bytes_.size() + frame_bytes(payload) <= kBatchBytesMax; }
  static constexpr size_t frame_bytes(size_t payload) { return kFrameHeaderBytes + payload; }

  void add(RecordKind kind, std::string_view payload);

  uint32_t record_count() const { return count_; }
  // On disk, so far, header included: what Writer::reserve wants to know.
  size_t bytes() const { return bytes_.size(); }

  // What was committed; valid from Writer::commit until clear().
  const Batch& batch() const { return batch_; }

 private:
  friend class Writer;

  ByteBuffer bytes_;  // header, then frames
  uint32_t count_ = 0;
  bool committed_ = false;
  Batch batch_;
};

}  // namespace kehu::log
