#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "tally/folder.h"
#include "tally/plan.h"

namespace kehu::tally {

// The tallies of one customer: those of its parts, added up when somebody asks. Reused from customer to
// customer, with its memory.
class Totals {
 public:
  // The parts' bytes and the plan are kept by the caller until the next open(). Damage is found when somebody
  // asks.
  void open(const Plan& plan, absl::Span<const std::string_view> parts);
  // Of a customer of one part that `folder` has just made: what it has in its hands is not read again.
  void open(const Plan& plan, std::string_view part, const Folder& folder);

  // By the index of the plan. Valid until the next open(). Damage counts as nothing and sets failed().
  const State& of(uint32_t index);
  const Counter& counter(uint32_t index) const { return plan_->at(index); }
  bool failed() const { return failed_; }

 private:
  void look();

  const Plan* plan_ = nullptr;
  const Folder* folder_ = nullptr;
  std::vector<std::string_view> parts_;
  bool looked_ = false;                                  // into the parts
  std::vector<std::vector<std::string_view>> payloads_;  // of each tally: of those parts that have it
  std::vector<uint32_t> used_;
  std::deque<State> states_;
  std::vector<bool> read_;
  State second_;
  bool failed_ = false;
};

}  // namespace kehu::tally
