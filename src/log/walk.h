#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "log/segment_reader.h"

namespace kehu::log {

// Something wrong between the batches of a log.
struct Damage {
  Position at;
  std::string what;  // for the operator
  Sequence
      lost_first;  // records that are gone: [lost_first, lost_end); empty when none are or nobody can say
  Sequence lost_end;
};

// Follows the chain of batches through the segments of a directory, and tells the end from damage: behind the
// end there is no whole batch of this log, and the mark of orderly close, if there is one, agrees.
class Walk {
 public:
  enum class Step { kBatch, kDamage, kEnd };

  // Through `segments`, from the first of them on. All of the directory's segments behind it must be listed.
  Walk(os::FileSystem& files, std::string directory, std::vector<SegmentNumber> segments);

  absl::StatusOr<Step> next();

  // After kBatch; valid until the next call.
  const WholeBatch& batch() const { return batch_; }
  // After kDamage. The next call goes on at the first whole batch behind it, or ends.
  const Damage& damage() const { return damage_; }

  // Where the chain has got to.
  Position position() const;
  Sequence next_sequence() const { return next_; }
  uint32_t chain() const { return chain_; }
  std::optional<uint64_t> log_id() const { return log_id_; }
  // After kEnd.
  uint64_t torn_bytes() const { return torn_bytes_; }
  bool orderly() const { return orderly_; }

 private:
  struct Found {
    size_t index;
    SegmentReader reader;
    WholeBatch whole;
  };

  absl::StatusOr<Step> leave_segment();
  absl::StatusOr<Step> judge_end();
  absl::StatusOr<Step> judge_mark();
  absl::StatusOr<std::optional<Found>> look_in(size_t index, uint64_t offset);
  absl::StatusOr<std::optional<Found>> look_behind();
  bool follows(const WholeBatch& whole) const;
  Step take(const WholeBatch& whole);
  Step enter(Found found);
  Step skip_to(Found found);
  Step report(std::string what, Sequence lost_end);

  os::FileSystem& files_;
  std::string directory_;
  std::vector<SegmentNumber> segments_;
  std::optional<SegmentReader> reader_;
  size_t index_ = 0;
  uint32_t offset_ = 0;
  bool chained_ = false;  // whether chain_ and next_ are known
  uint32_t chain_ = 0;
  Sequence next_{1};
  std::optional<uint64_t> log_id_;
  bool judged_ = false;
  WholeBatch batch_;
  Damage damage_;
  uint64_t torn_bytes_ = 0;
  bool orderly_ = false;
};

}  // namespace kehu::log
