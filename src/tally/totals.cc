#include "tally/totals.h"

namespace kehu::tally {

bool Totals::open(const Plan& plan, absl::Span<const std::string_view> parts) {
  plan_ = &plan;
  failed_ = false;
  if (payloads_.size() < plan.size()) payloads_.resize(plan.size());
  if (states_.size() < plan.size()) states_.resize(plan.size());
  for (const uint32_t index : used_) payloads_[index].clear();
  used_.clear();
  read_.assign(plan.size(), false);
  for (const std::string_view part : parts) {
    Reader reader(part);
    TallyId id;
    for (std::string_view payload; reader.next(id, payload);) {
      const auto index = plan.find(id);
      if (!index) continue;
      payloads_[*index].push_back(payload);
      used_.push_back(*index);
    }
    failed_ |= reader.failed();
  }
  return !failed_;
}

const State& Totals::of(uint32_t index) {
  State& state = states_[index];
  if (read_[index]) return state;
  read_[index] = true;
  const Counter& counter = plan_->at(index);
  const std::vector<std::string_view>& payloads = payloads_[index];
  failed_ |= !state.read(counter, payloads.empty() ? std::string_view() : payloads[0]);
  for (size_t i = 1; i < payloads.size(); ++i) {
    failed_ |= !second_.read(counter, payloads[i]);
    state.merge(counter, second_);
  }
  return state;
}

}  // namespace kehu::tally
