#include "debugger/recorder.h"

#include <algorithm>
#include <utility>

namespace kehu::debugger {

Recorder::Source& Recorder::source_at(SourceId id, Instant now) {
  Source& source = sources_.try_emplace(id, now).first->second;
  source.heard = std::max(source.heard, now);
  return source;
}

void Recorder::set_watched(Source& source, Instant now) {
  const bool watched = source.watchers > 0 || now < source.watched_until;
  if (watched == source.watched) return;
  source.watched = watched;
  watched_.fetch_add(watched ? 1 : -1, std::memory_order_relaxed);
}

// Of all sources: one whose requests have ceased must not cost those of the others a lock for ever.
void Recorder::end_watches(Instant now) {
  if (now < next_look_) return;
  next_look_ = now + Duration::seconds(1);
  for (auto& [id, source] : sources_) set_watched(source, now);
}

std::optional<Recorder::Admission> Recorder::admit(SourceId id, Why why, Instant now) {
  const std::lock_guard lock(mutex_);
  end_watches(now);
  if (why == Why::kWatched && !sources_.contains(id)) return std::nullopt;
  Source& source = source_at(id, now);
  if (why == Why::kWatched && !source.watched) return std::nullopt;
  TokenBucket& budget = source.watched ? source.watched_budget : source.wrong_budget;
  if (budget.wait(now) > Duration()) {
    ++source.skipped;
    return std::nullopt;
  }
  budget.charge(1, now);
  return Admission{.id = ++last_id_, .skipped = std::exchange(source.skipped, 0)};
}

void Recorder::drop_first(Source& source) {
  const size_t bytes = source.kept.front().text->size();
  source.bytes -= bytes;
  bytes_ -= bytes;
  source.kept.pop_front();
}

void Recorder::keep(SourceId id, uint64_t request, Text text) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = sources_.find(id);
    if (found == sources_.end()) return;
    Source& source = found->second;
    source.bytes += text->size();
    bytes_ += text->size();
    // By number: the second text of a request that was pushed out meanwhile must not push out a newer one.
    const auto same = std::lower_bound(source.kept.begin(), source.kept.end(), request,
                                       [](const Kept& kept, uint64_t wanted) { return kept.id < wanted; });
    if (same != source.kept.end() && same->id == request) {
      source.bytes -= same->text->size();
      bytes_ -= same->text->size();
      same->text = text;
    } else {
      source.kept.insert(same, {request, text});
    }
    while (source.kept.size() > kRequests || (source.bytes > kSourceBytes && source.kept.size() > 1)) {
      drop_first(source);
    }
    make_room();
  }
  if (listener_) listener_(id, text);
}

void Recorder::make_room() {
  while (bytes_ > kBytes) {
    Source* oldest = nullptr;
    for (auto& [id, source] : sources_) {
      if (!source.kept.empty() && (oldest == nullptr || source.heard < oldest->heard)) oldest = &source;
    }
    while (!oldest->kept.empty()) drop_first(*oldest);
  }
}

std::vector<Text> Recorder::last(SourceId id) const {
  const std::lock_guard lock(mutex_);
  std::vector<Text> texts;
  const auto found = sources_.find(id);
  if (found == sources_.end()) return texts;
  for (const Kept& kept : found->second.kept) texts.push_back(kept.text);
  return texts;
}

void Recorder::look(SourceId id, Instant now) {
  const std::lock_guard lock(mutex_);
  Source& source = source_at(id, now);
  source.watched_until = now + kWatchedFor;
  set_watched(source, now);
}

void Recorder::open(SourceId id, Instant now) {
  const std::lock_guard lock(mutex_);
  Source& source = source_at(id, now);
  ++source.watchers;
  set_watched(source, now);
}

void Recorder::close(SourceId id, Instant now) {
  const std::lock_guard lock(mutex_);
  Source& source = source_at(id, now);
  --source.watchers;
  source.watched_until = now + kWatchedFor;
  set_watched(source, now);
}

}  // namespace kehu::debugger
