#include "debugger/stranger_log.h"

#include "base/text.h"
#include "debugger/arrival.h"

namespace kehu::debugger {
namespace {

constexpr Duration kBetweenLines = Duration::minutes(1);
constexpr int64_t kMinute = 60'000'000;

std::string_view why(int status) {
  if (status == 404) return "nothing is served at this path";
  if (status == 405) return "the path does not take this method";
  return "no source has this key, or the admin token is wrong";
}

}  // namespace

void StrangerLog::note(const http::Request& request, int status, const Settings& settings, Instant now) {
  std::string line;
  {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (now - second_ >= Duration::seconds(1) || now < second_) {
      second_ = now;
      described_ = 0;
    }
    if (++described_ > kDescribedPerSecond) return;
    const Arrival arrival = describe(request, settings);
    seen_.push_front({now, arrival.method, arrival.path, arrival.remote, arrival.key, status});
    if (seen_.size() > kKept) seen_.pop_back();
    const bool told = count_told_ > 0 && now >= told_at_ && now - told_at_ < kBetweenLines;
    if (told || !warn_) return;
    line = cat(arrival.method, " ", arrival.path, " from ", arrival.remote, " was answered ", status, ": ",
               why(status));
    if (count_ - count_told_ > 1)
      line += cat(" (and ", count_ - count_told_ - 1, " such requests before it)");
    count_told_ = count_;
    told_at_ = now;
  }
  warn_(line);
}

uint64_t StrangerLog::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::vector<StrangerLog::Seen> StrangerLog::last() const {
  const std::lock_guard lock(mutex_);
  return {seen_.begin(), seen_.end()};
}

void StrangerLog::begin_minute(Instant now) {
  const int64_t minute = now.micros() / kMinute;
  if (minute == minute_ && wrong_tokens_.size() < kAddresses) return;
  minute_ = minute;
  wrong_tokens_.clear();
}

int StrangerLog::wait_for_token(std::string_view address, Instant now) {
  const std::lock_guard lock(mutex_);
  if (wrong_tokens_.empty()) return 0;
  begin_minute(now);
  const auto found = wrong_tokens_.find(to_absl(address));
  if (found == wrong_tokens_.end() || found->second < kWrongTokensPerMinute) return 0;
  return static_cast<int>((kMinute - now.micros() % kMinute) / 1'000'000) + 1;
}

void StrangerLog::wrong_token(std::string_view address, Instant now) {
  const std::lock_guard lock(mutex_);
  begin_minute(now);
  ++wrong_tokens_[std::string(address)];
}

}  // namespace kehu::debugger
