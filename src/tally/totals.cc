#include "tally/totals.h"

namespace kehu::tally {

void Totals::open(const Plan& plan, absl::Span<const std::string_view> parts) {
  plan_ = &plan;
  folder_ = nullptr;
  parts_.assign(parts.begin(), parts.end());
  failed_ = false;
  looked_ = false;
}

void Totals::open(const Plan& plan, std::string_view part, const Folder& folder) {
  open(plan, {&part, 1});
  folder_ = &folder;
}

// Where each tally's bytes are.
void Totals::look() {
  looked_ = true;
  if (payloads_.size() < plan_->size()) payloads_.resize(plan_->size());
  if (states_.size() < plan_->size()) states_.resize(plan_->size());
  for (const uint32_t index : used_) payloads_[index].clear();
  used_.clear();
  read_.assign(plan_->size(), false);
  for (const std::string_view part : parts_) {
    Reader reader(part);
    TallyId id;
    for (std::string_view payload; reader.next(id, payload);) {
      const auto index = plan_->find(id);
      if (!index) continue;
      payloads_[*index].push_back(payload);
      used_.push_back(*index);
    }
    failed_ |= reader.failed();
  }
}

const State& Totals::of(uint32_t index) {
  if (folder_ != nullptr) {
    if (const State* folded = folder_->find(index)) return *folded;
  }
  if (!looked_) look();
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
