#include "tally/moments.h"

#include <algorithm>

namespace kehu::tally {

void Moments::add(Instant time, uint32_t keep) {
  times_.insert(std::upper_bound(times_.begin(), times_.end(), time), time);
  if (times_.size() > keep) times_.pop_back();
}

void Moments::merge(const Moments& other, uint32_t keep) {
  for (const Instant time : other.times_) add(time, keep);
}

// Instants, each but the last as a duration before the one behind it: read from the end.
bool Moments::read(std::string_view payload) {
  clear();
  if (payload.empty()) return true;
  aggregate::WireReader in(payload);
  times_.push_back(in.instant());
  while (!in.failed() && !in.at_end()) times_.push_back(in.instant_before(times_.back()));
  std::ranges::reverse(times_);
  return in.complete();
}

void Moments::write(aggregate::WireBuffer& out) const {
  for (size_t i = times_.size(); i-- > 0;) {
    i + 1 == times_.size() ? out.instant(times_[i]) : out.duration(times_[i + 1] - times_[i]);
  }
}

}  // namespace kehu::tally
