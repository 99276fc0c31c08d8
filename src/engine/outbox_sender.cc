#include "engine/outbox_sender.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "codec/record.h"
#include "os/thread_name.h"
#include "outbox/outbox.h"

// Intents come in two ways: as they are applied, while there is room for them, and from the last checkpoint
// once some had to be dropped. The checkpoint is a snapshot of the database, so a long backlog is read
// without asking the apply thread. From the first intent that is dropped on all are, because they are begun
// in the order in which they were caused; when the checkpoint is past the last one dropped and was read to
// its end, new ones are taken directly again.
//
// An old snapshot may show an intent whose receipt was applied since. settled_ keeps those receipts until a
// checkpoint has them, and nothing in it is begun again.
namespace kehu::engine {
namespace {

constexpr size_t kReadStep = 2000;
constexpr size_t kReceiptsMax = 1000;  // of one submission
// After this time without work a checkpoint is looked for, and what is due again.
constexpr auto kPatience = std::chrono::milliseconds(100);

IntentKey behind(const IntentKey& key) { return {key.sequence, key.ordinal + 1}; }

RecordBatch records_of(absl::Span<const std::pair<IntentKey, channel::Delivery>> made) {
  RecordBatch batch;
  for (const auto& [key, delivery] : made) {
    const Receipt receipt{.intent = key, .outcome = delivery.outcome, .detail = delivery.detail};
    codec::add_record(batch, RecordKind::kReceipt,
                      [&](std::string& out) { codec::append_receipt(receipt, out); });
  }
  return batch;
}

}  // namespace

// A delivery may outlast the sender. It answers to the desk, where it finds the sender or nobody.
struct OutboxSender::Desk {
  std::mutex mutex;
  OutboxSender* sender;
};

OutboxSender::OutboxSender(const state::Database& database, os::Clock& clock, Submit submit, Options options)
    : database_(database),
      clock_(clock),
      submit_(std::move(submit)),
      options_(std::move(options)),
      desk_(std::make_shared<Desk>()),
      dropped_{database.position(), UINT32_MAX} {
  desk_->sender = this;
}

OutboxSender::~OutboxSender() { stop(); }

void OutboxSender::start() {
  thread_ = std::thread([this] { run(); });
}

void OutboxSender::stop() {
  {
    const std::lock_guard lock(desk_->mutex);
    desk_->sender = nullptr;
  }
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool OutboxSender::wants(const shard::Effects& effects) {
  return !effects.intents.empty() || !effects.settled.empty();
}

void OutboxSender::take(const std::shared_ptr<const AppliedSlice>& slice) {
  {
    const std::lock_guard lock(mutex_);
    for (const IntentKey& key : slice->settled) {
      open_.erase(key);
      settled_[key] = slice->last;
    }
    for (const Intent& intent : slice->intents) {
      if (waiting_.size() + later_.size() >= kHeldMax) dropping_ = true;
      if (!dropping_) {
        hold(intent);
        continue;
      }
      if (!read_from_) read_from_ = intent.key;
      dropped_ = intent.key;
    }
  }
  changed_.notify_all();
}

// Is called under the lock.
void OutboxSender::hold(Intent intent) {
  if (settled_.contains(intent.key) || !open_.insert(intent.key).second) return;
  if (!options_.channels.contains(intent.channel)) {
    ++counters_.without_channel;
    open_.erase(intent.key);
    return;
  }
  waiting_.push_back({.intent = std::move(intent), .failures = 0});
}

void OutboxSender::run() {
  os::name_this_thread("kehu-outbox");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (read_from_ && waiting_.size() < kUnderWayMax && later_.size() < kHeldMax) {
      lock.unlock();
      read_on();
      lock.lock();
    }
    begin_due(lock);
    log_receipts(lock);
    warn(lock);
    changed_.wait_for(lock, kPatience, [this] { return stopping_ || !is_idle(); });
  }
}

// True when there is nothing to do but what time or a checkpoint brings.
bool OutboxSender::is_idle() const {
  const bool can_begin = !waiting_.empty() && under_way_.size() < kUnderWayMax;
  return !can_begin && !can_log() && lines_.empty();
}

bool OutboxSender::can_log() const {
  return !receipts_.empty() && !logging_ && clock_.monotonic() >= log_again_;
}

// Reads the next ones of the last checkpoint, which has all that was dropped up to its position.
void OutboxSender::read_on() {
  const Sequence position = database_.position();
  std::optional<IntentKey> from;
  {
    const std::lock_guard lock(mutex_);
    if (read_position_ == position) return;  // as far as it goes
    from = read_from_;
    // A receipt that the checkpoint has cannot be met by reading it again.
    std::erase_if(settled_, [&](const auto& entry) { return entry.second <= position; });
  }
  if (!from) return;
  std::vector<Intent> found;
  bool ended = true;
  const absl::Status status = database_.scan_from(state::Space::kOutbox, outbox::place_of(*from),
                                                  [&](const Hash128& place, std::string_view blob) {
                                                    auto intent = outbox::parse_blob(place, blob);
                                                    if (!intent.ok() || !*intent) return true;
                                                    ended = found.size() < kReadStep;
                                                    if (ended) found.push_back(**std::move(intent));
                                                    return ended;
                                                  });
  const std::lock_guard lock(mutex_);
  if (!status.ok()) health_ = status;
  for (Intent& intent : found) {
    read_from_ = behind(intent.key);
    hold(std::move(intent));
  }
  if (!ended) return;
  read_position_ = position;
  if (dropped_.sequence > position) return;
  read_from_ = std::nullopt;
  dropping_ = false;
}

void OutboxSender::begin_due(std::unique_lock<std::mutex>& lock) {
  const Duration now = clock_.monotonic();
  while (!later_.empty() && later_.begin()->first <= now && under_way_.size() < kUnderWayMax) {
    Attempt attempt = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    begin(std::move(attempt), lock);
  }
  while (!waiting_.empty() && under_way_.size() < kUnderWayMax && !stopping_) {
    Attempt attempt = std::move(waiting_.front());
    waiting_.pop_front();
    begin(std::move(attempt), lock);
  }
}

void OutboxSender::begin(Attempt attempt, std::unique_lock<std::mutex>& lock) {
  const IntentKey key = attempt.intent.key;
  // Its receipt came meanwhile: a replay brings both, one behind the other.
  if (!open_.contains(key)) return;
  const Intent intent = attempt.intent;
  under_way_.emplace(key, std::move(attempt));
  ++counters_.attempts;
  const auto channel = options_.channels.at(intent.channel);
  lock.unlock();
  channel->deliver(intent, [desk = desk_, key](absl::StatusOr<channel::Delivery> result) {
    const std::lock_guard at_desk(desk->mutex);
    if (desk->sender != nullptr) desk->sender->finish(key, std::move(result));
  });
  lock.lock();
}

void OutboxSender::finish(const IntentKey& key, absl::StatusOr<channel::Delivery> result) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = under_way_.find(key);
    if (found == under_way_.end()) return;
    Attempt attempt = std::move(found->second);
    under_way_.erase(found);
    health_ = result.status();
    std::string line = delivery_log_.line_of(attempt.intent.channel, result, clock_.monotonic());
    if (!line.empty()) lines_.push_back(std::move(line));
    if (result.ok()) {
      if (result->outcome == IntentOutcome::kRefused) ++counters_.refusals;
      receipts_.push_back({key, *std::move(result)});
    } else {
      ++counters_.failures;
      const Duration again = clock_.monotonic() + pause_after(++attempt.failures);
      later_.emplace(again, std::move(attempt));
    }
  }
  changed_.notify_all();
}

Duration OutboxSender::pause_after(int failures) const {
  Duration pause = options_.first_pause;
  for (int i = 1; i < failures && pause < options_.longest_pause; ++i) pause = pause + pause;
  return std::min(pause, options_.longest_pause);
}

// Not under the lock: where lines go may be slow.
void OutboxSender::warn(std::unique_lock<std::mutex>& lock) {
  const std::vector<std::string> lines = std::exchange(lines_, {});
  if (lines.empty() || !options_.warn) return;
  lock.unlock();
  for (const std::string& line : lines) options_.warn(line);
  lock.lock();
}

// Logs one submission at a time. What the log does not take is kept for the next one, a while later: a disk
// that is full would be asked without end.
void OutboxSender::log_receipts(std::unique_lock<std::mutex>& lock) {
  if (!can_log()) return;
  std::vector<std::pair<IntentKey, channel::Delivery>> made;
  for (size_t i = 0; i < std::min(receipts_.size(), kReceiptsMax); ++i) {
    made.emplace_back(receipts_[i].key, receipts_[i].delivery);
  }
  logging_ = true;
  lock.unlock();
  Submission submission;
  submission.batch = records_of(made);
  submission.done = [desk = desk_, count = made.size()](const Ack& ack) {
    const std::lock_guard at_desk(desk->mutex);
    OutboxSender* sender = desk->sender;
    if (sender == nullptr) return;
    {
      const std::lock_guard at_sender(sender->mutex_);
      sender->logging_ = false;
      if (ack.status.ok()) {
        sender->receipts_.erase(sender->receipts_.begin(),
                                sender->receipts_.begin() + static_cast<ptrdiff_t>(count));
      } else {
        sender->refused(ack.status);
      }
    }
    sender->changed_.notify_all();
  };
  const absl::Status submitted = submit_(std::move(submission));
  lock.lock();
  if (submitted.ok()) return;
  logging_ = false;
  refused(submitted);
}

// Is called under the lock.
void OutboxSender::refused(const absl::Status& why) {
  health_ = why;
  log_again_ = clock_.monotonic() + options_.first_pause;
}

OutboxSender::Counters OutboxSender::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

absl::Status OutboxSender::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

}  // namespace kehu::engine
