#pragma once

#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "log/position.h"
#include "model/ids.h"
#include "model/record.h"

// One group commit as it lies in the log: docs/formats/log.md.
namespace kehu::log {

inline constexpr uint16_t kFormatVersion = 1;
inline constexpr size_t kBatchHeaderBytes = 64;
inline constexpr size_t kBatchAlignment = 512;
inline constexpr size_t kBatchBytesMax = 8 << 20;
inline constexpr size_t kFrameHeaderBytes = 5;

// One record of a batch.
struct RecordView {
  Sequence sequence;
  RecordKind kind{};
  std::string_view payload;
};

// A batch whose bytes were checked or just written. A view: valid as long as the bytes of its owner
// (BatchBuilder, Reader).
//
//   for (const RecordView record : batch) …
class Batch {
 public:
  class Iterator {
   public:
    RecordView operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return at_ != other.at_; }

   private:
    friend class Batch;
    Iterator(const char* at, Sequence sequence) : at_(at), sequence_(sequence) {}
    const char* at_;
    Sequence sequence_;
  };

  Batch() = default;

  bool empty() const { return count_ == 0; }
  Sequence first_sequence() const { return first_; }
  // The sequence after the batch's last record. A batch without records only carries a tick.
  Sequence end_sequence() const { return Sequence(first_.value() + count_); }
  uint32_t record_count() const { return count_; }
  Instant tick() const { return tick_; }
  Position position() const { return position_; }

  Iterator begin() const { return Iterator(frames_.data(), first_); }
  Iterator end() const { return Iterator(frames_.data() + frames_.size(), end_sequence()); }

 private:
  friend struct BatchFormat;
  Sequence first_;
  Instant tick_;
  uint32_t count_ = 0;
  Position position_;
  std::string_view frames_;
};

}  // namespace kehu::log
