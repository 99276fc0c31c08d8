#include "outbox/lane.h"

#include <algorithm>

#include "base/check.h"

namespace kehu::outbox {

Lane::Lane(Options options, std::optional<Sequence> stored) : options_(options) {
  if (!stored) return;
  read_from_ = IntentKey{};
  dropped_ = {*stored, UINT32_MAX};
}

// As long as there is something to read, half of the room is kept for it: what is read comes before all that
// is held, and whatever is behind it waits.
void Lane::add(Intent intent) {
  if (held() >= (read_from_ ? options_.held_max / 2 : options_.held_max)) dropping_ = true;
  const IntentKey key = intent.key;
  if (dropping_) {
    if (!read_from_) read_from_ = key;
    dropped_ = key;
  } else if (may_hold(key)) {
    waiting_.emplace(key, Attempt{std::move(intent)});
  }
}

void Lane::found(Intent intent) {
  const IntentKey key = intent.key;
  if (may_hold(key)) waiting_.emplace(key, Attempt{std::move(intent)});
}

// What waits elsewhere finds out when it is its turn.
void Lane::settled(const IntentKey& key) {
  open_.erase(key);
  const auto at = waiting_.find(key);
  if (at == waiting_.end()) return;
  const Attempt attempt = std::move(at->second);
  waiting_.erase(at);
  if (attempt.is_turn) release(attempt.intent.customer);
}

// What is in the store may come before what waits.
bool Lane::is_readable() const {
  return !waiting_.empty() && (!read_from_ || waiting_.begin()->first < *read_from_);
}

bool Lane::may_begin(Duration now) const {
  const bool due = !later_.empty() && later_.begin()->first <= now;
  return now >= rest_until_ && under_way_.size() < at_once() && (due || is_readable());
}

std::optional<Lane::Attempt> Lane::next(Duration now) {
  if (!later_.empty() && later_.begin()->first <= now) {
    Attempt attempt = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    return attempt;
  }
  if (!is_readable()) return std::nullopt;
  Attempt attempt = std::move(waiting_.begin()->second);
  waiting_.erase(waiting_.begin());
  return attempt;
}

const Intent* Lane::begin(Duration now) {
  if (now < rest_until_ || under_way_.size() >= at_once()) return nullptr;
  while (auto attempt = next(now)) {
    const CustomerId customer = attempt->intent.customer;
    if (!open_.contains(attempt->intent.key)) {
      // Its receipt came meanwhile: a replay brings both, one behind the other.
      if (attempt->is_turn) release(customer);
      continue;
    }
    if (!attempt->is_turn && !customer.hash.is_zero()) {
      const auto [before, alone] = behind_.try_emplace(customer.hash);
      if (!alone) {
        before->second.push_back(*std::move(attempt));
        ++behind_count_;
        continue;
      }
      attempt->is_turn = true;
    }
    return start(*std::move(attempt));
  }
  return nullptr;
}

const Intent* Lane::start(Attempt attempt) {
  const IntentKey key = attempt.intent.key;
  return &under_way_.emplace(key, std::move(attempt)).first->second.intent;
}

// A side that is gone makes all fail that was under way at once: that is one failure and not many.
void Lane::failed(const IntentKey& key, Duration now) {
  const auto at = under_way_.find(key);
  KEHU_CHECK(at != under_way_.end());
  Attempt attempt = std::move(at->second);
  under_way_.erase(at);
  if (now >= rest_until_ && ++failures_ >= kTrouble)
    rest_until_ = now + pause_after(failures_ - kTrouble + 1);
  const Duration again = now + pause_after(++attempt.failures);
  later_.emplace(again, std::move(attempt));
}

void Lane::ended(const IntentKey& key) {
  const auto at = under_way_.find(key);
  KEHU_CHECK(at != under_way_.end());
  const CustomerId customer = at->second.intent.customer;
  under_way_.erase(at);
  failures_ = 0;
  rest_until_ = Duration();
  release(customer);
}

void Lane::release(const CustomerId& customer) {
  const auto at = behind_.find(customer.hash);
  if (at == behind_.end()) return;
  if (at->second.empty()) {
    behind_.erase(at);
    return;
  }
  Attempt next = std::move(at->second.front());
  at->second.pop_front();
  --behind_count_;
  next.is_turn = true;
  const IntentKey key = next.intent.key;
  waiting_.emplace(key, std::move(next));
}

Duration Lane::pause_after(int failures) const {
  Duration pause = options_.first_pause;
  for (int i = 1; i < failures && pause < options_.longest_pause; ++i) pause = pause + pause;
  return std::min(pause, options_.longest_pause);
}

std::optional<IntentKey> Lane::read_from(Sequence position) const {
  if (!read_from_ || read_position_ == position || held() >= options_.held_max) return std::nullopt;
  const bool enough = waiting_.size() >= options_.under_way_max && waiting_.begin()->first < *read_from_;
  if (enough) return std::nullopt;
  return read_from_;
}

void Lane::have_read(const IntentKey& up_to, bool end, Sequence position) {
  read_from_ = up_to;
  if (!end) return;
  read_position_ = position;
  if (dropped_.sequence > position) return;
  read_from_ = std::nullopt;
  dropping_ = false;
}

}  // namespace kehu::outbox
