#pragma once

#include <array>
#include <cstdint>

#include "engine/submission.h"
#include "intake/sender.h"
#include "json/writer.h"
#include "model/event.h"
#include "model/rejection.h"

namespace kehu::gateway {

// What became of events that were sent: `UploadSummary` of the API.
class IntakeSummary {
 public:
  void add(const intake::Intake& decoded);
  void add(const engine::Ack& ack);
  void add(const IntakeSummary& other);

  uint64_t accepted() const { return accepted_; }
  // Fields of the object that is open: "accepted", "repeats", "conflicts", "rejected".
  void write_sums(json::Writer& writer) const;
  // The same, and what decoding found; of the reasons, those that were met.
  void write(json::Writer& writer) const;

 private:
  uint64_t accepted_ = 0, repeats_ = 0, conflicts_ = 0, rejected_ = 0;
  std::array<uint64_t, kReasonCount> found_{};      // by Reason, those that are known already included
  std::array<uint64_t, kLeftOutCount> left_out_{};  // by LeftOut, of repeats too
};

}  // namespace kehu::gateway
