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
constexpr size_t kSeenStep = 20'000;   // of other channels, too
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
      desk_(std::make_shared<Desk>()) {
  desk_->sender = this;
  find_stored();
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

// The channels of which the last checkpoint has intents: these come before all that a replay brings.
void OutboxSender::find_stored() {
  const Sequence position = database_.position();
  health_ = database_.scan_from(state::Space::kOutbox, outbox::kFirstCounts,
                                [&](const Hash128& place, std::string_view blob) {
                                  const auto counts = outbox::parse_counts(place, blob);
                                  if (counts && counts->pending() > 0) lane_of(counts->channel, position);
                                  return true;
                                });
}

// nullptr: nobody acts on them here.
OutboxSender::Lane* OutboxSender::lane_of(std::string_view channel, std::optional<Sequence> stored) {
  if (const auto known = lanes_.find(channel); known != lanes_.end()) return &known->second;
  auto found = options_.channels.find(channel);
  if (found == options_.channels.end())
    found = options_.channels.find(channel.substr(0, channel.find(':') + 1));
  if (found == options_.channels.end()) return nullptr;
  const outbox::Lane::Options options{.held_max = kHeldMax,
                                      .under_way_max = found->second->at_once(),
                                      .first_pause = options_.first_pause,
                                      .longest_pause = options_.longest_pause};
  return &lanes_.emplace(channel, Lane{found->second, outbox::Lane(options, stored)}).first->second;
}

void OutboxSender::take(const std::shared_ptr<const AppliedSlice>& slice) {
  {
    const std::lock_guard lock(mutex_);
    for (const IntentKey& key : slice->settled) {
      for (auto& [name, lane] : lanes_) lane.intents.settled(key);
      settled_[key] = slice->last;
    }
    for (const Intent& intent : slice->intents) {
      if (settled_.contains(intent.key)) continue;
      if (Lane* lane = lane_of(intent.channel)) {
        lane->intents.add(intent);
      } else {
        ++counters_.without_channel;
      }
    }
  }
  changed_.notify_all();
}

void OutboxSender::run() {
  os::name_this_thread("kehu-outbox");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::vector<std::string> channels;
    for (const auto& [name, lane] : lanes_) channels.push_back(name);
    for (const std::string& channel : channels) {
      if (lanes_.find(channel)->second.intents.read_from(database_.position())) {
        lock.unlock();
        read_on(channel);
        lock.lock();
      }
      begin_due(channel, lock);
    }
    log_receipts(lock);
    warn(lock);
    changed_.wait_for(lock, kPatience, [this] { return stopping_ || !is_idle(); });
  }
}

// True when there is nothing to do but what time or a checkpoint brings.
bool OutboxSender::is_idle() const {
  const Duration now = clock_.monotonic();
  const bool can_begin =
      std::ranges::any_of(lanes_, [&](const auto& each) { return each.second.intents.may_begin(now); });
  return !can_begin && !can_log() && lines_.empty();
}

bool OutboxSender::can_log() const {
  return !receipts_.empty() && !logging_ && clock_.monotonic() >= log_again_;
}

// Reads the channel's next ones of the last checkpoint, which has all that was left to it up to its position.
void OutboxSender::read_on(const std::string& channel) {
  const Sequence position = database_.position();
  std::optional<IntentKey> from;
  {
    const std::lock_guard lock(mutex_);
    from = lanes_.find(channel)->second.intents.read_from(position);
    // A receipt that the checkpoint has cannot be met by reading it again.
    std::erase_if(settled_, [&](const auto& entry) { return entry.second <= position; });
  }
  if (!from) return;
  std::vector<Intent> found;
  IntentKey up_to = *from;
  size_t seen = 0;
  bool ended = true;
  const absl::Status status = database_.scan_from(state::Space::kOutbox, outbox::place_of(*from),
                                                  [&](const Hash128& place, std::string_view blob) {
                                                    ended = found.size() < kReadStep && ++seen <= kSeenStep;
                                                    if (!ended) return false;
                                                    auto intent = outbox::parse_blob(place, blob);
                                                    if (!intent.ok() || !*intent) return true;
                                                    up_to = behind((*intent)->key);
                                                    if ((*intent)->channel == channel)
                                                      found.push_back(**std::move(intent));
                                                    return true;
                                                  });
  const std::lock_guard lock(mutex_);
  if (!status.ok()) health_ = status;
  outbox::Lane& lane = lanes_.find(channel)->second.intents;
  for (Intent& intent : found) {
    if (!settled_.contains(intent.key)) lane.found(std::move(intent));
  }
  lane.have_read(up_to, ended, position);
}

void OutboxSender::begin_due(const std::string& channel, std::unique_lock<std::mutex>& lock) {
  Lane& lane = lanes_.find(channel)->second;  // keeps its place
  while (const Intent* next = stopping_ ? nullptr : lane.intents.begin(clock_.monotonic())) {
    ++counters_.attempts;
    const Intent intent = *next;
    lock.unlock();
    lane.channel->deliver(
        intent, [desk = desk_, channel, key = intent.key](absl::StatusOr<channel::Delivery> result) {
          const std::lock_guard at_desk(desk->mutex);
          if (desk->sender != nullptr) desk->sender->finish(channel, key, std::move(result));
        });
    lock.lock();
  }
}

void OutboxSender::finish(const std::string& channel, const IntentKey& key,
                          absl::StatusOr<channel::Delivery> result) {
  {
    const std::lock_guard lock(mutex_);
    outbox::Lane& lane = lanes_.find(channel)->second.intents;
    health_ = result.status();
    std::string line = delivery_log_.line_of(channel, result, clock_.monotonic());
    if (!line.empty()) lines_.push_back(std::move(line));
    if (result.ok()) {
      if (result->outcome == IntentOutcome::kRefused) ++counters_.refusals;
      lane.ended(key);
      receipts_.push_back({key, *std::move(result)});
    } else {
      lane.failed(key, clock_.monotonic());
      ++counters_.failures;
    }
  }
  changed_.notify_all();
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
