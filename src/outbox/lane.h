#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "base/time.h"
#include "model/intent.h"

namespace kehu::outbox {

// The pending intents of one channel as its sender holds them: which one is to be tried next, and when. Those
// of one customer are tried one after the other, in the order in which they were caused; the next one when
// the one before has an end. What fails is tried again after pauses that grow; and when everything fails, one
// at a time is, to see whether the other side is back.
//
// Holds `held_max` at most. Beyond, intents are left to the store and read from it when there is room, so
// that nobody waits for a channel that is slow. One owner; no clock of its own: `now` never goes back.
class Lane {
 public:
  struct Options {
    size_t held_max = 10'000;
    size_t under_way_max = 256;
    Duration first_pause = Duration::seconds(1);  // before the second attempt; doubled for each further one
    Duration longest_pause = Duration::seconds(60);
  };
  // Failures one after the other, without an answer between, after which everything is taken to fail.
  static constexpr int kTrouble = 8;

  // `stored`: the store has intents of this channel that came up to this record; nullopt: it has none.
  Lane(Options options, std::optional<Sequence> stored);

  // A new one, in the order of keys.
  void add(Intent intent);
  // Its receipt is applied: there is nothing to be done any more.
  void settled(const IntentKey& key);

  // The one to be tried now, which is under way from then on; nullptr: none is. It lives until it ends.
  const Intent* begin(Duration now);
  // Of one that is under way: to be tried again…
  void failed(const IntentKey& key, Duration now);
  // …or with an end, whose receipt will be logged.
  void ended(const IntentKey& key);

  // Where the store is to be read on, whose newest state is of `position`; nullopt: nowhere now.
  std::optional<IntentKey> read_from(Sequence position) const;
  // One that was read there, in the order of keys.
  void found(Intent intent);
  // All intents before `up_to` were; with `end` there are no more at this position.
  void have_read(const IntentKey& up_to, bool end, Sequence position);

  bool empty() const { return open_.empty() && !read_from_; }
  // Whether it is worth to call begin() at this moment.
  bool may_begin(Duration now) const;

 private:
  struct Attempt {
    Intent intent;
    int failures = 0;
    bool is_turn = false;  // none of its customer is before it
  };
  bool is_readable() const;
  size_t at_once() const { return failures_ < kTrouble ? options_.under_way_max : 1; }
  size_t held() const { return waiting_.size() + later_.size() + behind_count_; }
  bool may_hold(const IntentKey& key) { return open_.insert(key).second; }
  const Intent* start(Attempt attempt);
  std::optional<Attempt> next(Duration now);
  void release(const CustomerId& customer);
  Duration pause_after(int failures) const;

  const Options options_;
  std::map<IntentKey, Attempt> waiting_;
  std::map<IntentKey, Attempt> under_way_;
  std::multimap<Duration, Attempt> later_;  // by when they are tried again
  // Customers of whom one is under way or to be tried again, and those behind it.
  absl::flat_hash_map<Hash128, std::deque<Attempt>> behind_;
  size_t behind_count_ = 0;
  std::set<IntentKey> open_;  // held here, until their receipt is applied
  int failures_ = 0;          // one after the other
  Duration rest_until_;
  // From this one on they are in the store only, up to dropped_; nullopt: none is.
  std::optional<IntentKey> read_from_;
  IntentKey dropped_;
  bool dropping_ = false;                  // new ones, too, are left to the store
  std::optional<Sequence> read_position_;  // the store's state that was read to its end
};

}  // namespace kehu::outbox
