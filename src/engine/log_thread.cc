#include "engine/log_thread.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "codec/event_json.h"
#include "codec/record.h"
#include "log/reader.h"
#include "os/thread_name.h"

namespace kehu::engine {
namespace {

constexpr Duration kTickPeriod = Duration::seconds(1);
constexpr Duration kRecoveryPause = Duration::millis(200);
constexpr size_t kBuilders = 6;
// A group is closed at this size: large enough that the sync is a small part, small enough that an ack waits for
// little more than one sync.
constexpr size_t kGroupBytes = 2u << 20;
// A submission is at most half a batch, so that any two fit together.
constexpr size_t kSubmissionBytesMax = log::kBatchBytesMax / 2;

std::optional<log::MessageIdentity> identity_of(RecordKind kind, std::string_view payload) {
  log::MessageIdentity identity;
  if (kind == RecordKind::kRejection && payload.size() >= codec::kRejectionKeyOffset + sizeof(identity.key)) {
    std::memcpy(&identity.key, payload.data() + codec::kRejectionKeyOffset, sizeof(identity.key));
    return identity.key.is_zero() ? std::nullopt : std::optional(identity);
  }
  if (kind != RecordKind::kEvent || payload.size() < codec::kEventHeaderBytes) return std::nullopt;
  std::memcpy(&identity.key, payload.data() + codec::kEventKeyOffset, sizeof(identity.key));
  std::memcpy(&identity.body_hash, payload.data() + codec::kEventBodyHashOffset, sizeof(identity.body_hash));
  return identity;
}

Ack refused(const absl::Status& why) {
  Ack ack;
  ack.status = failure(absl::StatusCode::kUnavailable, "not stored: ", message_of(why));
  return ack;
}

size_t frames_bytes(const RecordBatch& batch) {
  return batch.bytes.size() + batch.entries.size() * log::kFrameHeaderBytes;
}

}  // namespace

struct LogThread::Group {
  std::vector<Submission> submissions;
  std::vector<Ack> acks;
  std::shared_ptr<log::BatchBuilder> builder;
  size_t bytes = 0;
};

LogThread::LogThread(LogThreadOptions options)
    : options_(std::move(options)), queue_(options_.queue_bytes), builders_(kBuilders) {
  if (!options_.around_acks) {
    options_.around_acks = [](absl::FunctionRef<void()> acks) { acks(); };
  }
}

absl::StatusOr<std::unique_ptr<LogThread>> LogThread::open(LogThreadOptions options) {
  std::unique_ptr<LogThread> thread(new LogThread(std::move(options)));
  if (auto status = thread->open_log(); !status.ok()) return status;
  return thread;
}

LogThread::~LogThread() {
  if (thread_.joinable()) (void)stop();
}

absl::Status LogThread::open_log() {
  duplicates_.reset();
  writer_.reset();
  auto writer = log::Writer::open(*options_.files, options_.log);
  if (!writer.ok()) return writer.status();
  auto duplicates = log::DuplicateFilter::load(*options_.files, options_.log.directory, identity_of);
  if (!duplicates.ok()) return duplicates.status();
  writer_ = *std::move(writer);
  duplicates_.emplace(*std::move(duplicates));
  if (const uint64_t first = protect_from_.load(); first > 0) writer_->protect(Sequence(first));
  return absl::OkStatus();
}

DurableBatch LogThread::copy_of(const log::Batch& batch) const {
  size_t size = 0;
  for (const log::RecordView record : batch) size += record.payload.size();
  auto bytes = std::make_shared<std::string>();
  bytes->reserve(size);
  DurableBatch copy{.tick = batch.tick(), .records = {}, .bytes = bytes, .size = size};
  for (const log::RecordView record : batch) {
    const char* start = bytes->data() + bytes->size();
    bytes->append(record.payload);
    copy.records.push_back({record.sequence, record.kind, {start, record.payload.size()}});
  }
  return copy;
}

absl::Status LogThread::replay(Sequence from, const std::function<absl::Status(DurableBatch)>& visit) {
  auto reader = log::Reader::open(*options_.files, options_.log.directory, from);
  if (!reader.ok()) return reader.status();
  log::Batch batch;
  for (;;) {
    const auto more = reader->next(batch);
    if (!more.ok()) return more.status();
    if (!*more) return absl::OkStatus();
    DurableBatch copy = copy_of(batch);
    std::erase_if(copy.records, [from](const shard::LogRecord& record) { return record.sequence < from; });
    if (auto status = visit(std::move(copy)); !status.ok()) return status;
  }
}

void LogThread::start(Deliver deliver) {
  deliver_ = std::move(deliver);
  durable_ = writer_->next_sequence().value() - 1;
  thread_ = std::thread([this] { run(); });
}

absl::Status LogThread::stop() {
  stopping_ = true;
  queue_.close();
  if (thread_.joinable()) thread_.join();
  if (writer_ == nullptr || !writer_->status().ok()) return health();
  if (auto status = duplicates_->finish_sidecars(); !status.ok()) return status;
  return writer_->close();
}

absl::Status LogThread::submit(Submission& submission) {
  const size_t bytes = frames_bytes(submission.batch);
  if (bytes > kSubmissionBytesMax) {
    return failure(absl::StatusCode::kInvalidArgument, "a submission of ", bytes, " bytes is larger than ",
                   kSubmissionBytesMax, ": send smaller batches");
  }
  if (queue_.try_push(submission, bytes)) return absl::OkStatus();
  counters_.refused.fetch_add(1, std::memory_order_relaxed);
  return failure(absl::StatusCode::kResourceExhausted, "too many events wait for the log: send again in a second");
}

void LogThread::protect(Sequence first) {
  // Only the log thread touches the writer; it passes the value on with its next batch.
  protect_from_ = first.value();
}

void LogThread::run() {
  os::name_this_thread("kehu-log");
  Duration last_write = options_.clock->monotonic();
  while (!queue_.closed_and_empty()) {
    const Duration now = options_.clock->monotonic();
    const Duration patience(std::max<int64_t>(0, (last_write + kTickPeriod - now).micros()));
    std::optional<Submission> first = queue_.pop(patience);
    const bool tick_due = options_.clock->monotonic() - last_write >= kTickPeriod;
    if (!first && !tick_due) continue;

    Group group;
    collect(std::move(first), group);
    writer_->protect(Sequence(protect_from_.load()));
    const absl::Status status = write(group);
    last_write = options_.clock->monotonic();
    set_health(status);
    // Before the answers: whoever has one may ask at once, and asks for everything durable.
    if (status.ok()) durable_.store(writer_->next_sequence().value() - 1, std::memory_order_release);
    answer(group, status);
    if (status.ok()) {
      hand_on(group);
    } else {
      counters_.failures.fetch_add(1, std::memory_order_relaxed);
      if (!writer_->status().ok()) recover();
    }
  }
}

void LogThread::collect(std::optional<Submission> first, Group& group) {
  group.builder = builders_.take();
  while (first) {
    group.bytes += frames_bytes(first->batch);
    group.submissions.push_back(*std::move(first));
    if (group.bytes >= kGroupBytes) break;
    first = queue_.try_pop();
  }
  group.acks.resize(group.submissions.size());
}

absl::Status LogThread::write(Group& group) {
  // A conflict adds a rejection that holds the event: twice the bytes are enough for any mixture.
  const size_t room = std::min<size_t>(2 * group.bytes + log::kBatchHeaderBytes, log::kBatchBytesMax);
  const auto segment = writer_->reserve(room);
  if (!segment.ok()) return segment.status();
  duplicates_->expire_before(writer_->first_segment());
  for (size_t i = 0; i < group.submissions.size(); ++i) {
    const uint64_t before = group.builder->record_count();
    fill(group.submissions[i], *segment, group);
    const uint64_t next = writer_->next_sequence().value();
    if (const uint64_t after = group.builder->record_count(); after > before) {
      group.acks[i].first = Sequence(next + before);
      group.acks[i].last = Sequence(next + after - 1);
    }
  }
  const Duration start = options_.clock->monotonic();
  if (auto status = writer_->commit(*group.builder, options_.clock->now()); !status.ok()) return status;
  counters_.commit_micros.fetch_add(static_cast<uint64_t>((options_.clock->monotonic() - start).micros()),
                                    std::memory_order_relaxed);
  counters_.commits.fetch_add(1, std::memory_order_relaxed);
  counters_.bytes.fetch_add(group.builder->bytes(), std::memory_order_relaxed);
  return absl::OkStatus();
}

void LogThread::fill(Submission& submission, log::SegmentNumber segment, Group& group) {
  const RecordBatch& batch = submission.batch;
  Ack& ack = group.acks[static_cast<size_t>(&submission - group.submissions.data())];
  keys_.clear();
  for (const RecordBatch::Entry& entry : batch.entries) {
    if (!entry.message_key.is_zero()) keys_.push_back(entry.message_key);
  }
  duplicates_->prefetch(keys_);
  for (const RecordBatch::Entry& entry : batch.entries) {
    if (!entry.message_key.is_zero()) {
      add_once(batch, entry, segment, group, ack);
    } else {
      ack.rejections += entry.kind == RecordKind::kRejection ? 1 : 0;
      group.builder->add(entry.kind, batch.payload(entry));
    }
  }
  counters_.events.fetch_add(ack.events, std::memory_order_relaxed);
  counters_.repeats.fetch_add(ack.repeats, std::memory_order_relaxed);
  counters_.conflicts.fetch_add(ack.conflicts, std::memory_order_relaxed);
}

void LogThread::add_once(const RecordBatch& batch, const RecordBatch::Entry& entry, log::SegmentNumber segment,
                         Group& group, Ack& ack) {
  switch (duplicates_->check_and_add({entry.message_key, entry.body_hash}, segment)) {
    case log::Verdict::kNew:
      group.builder->add(entry.kind, batch.payload(entry));
      ++(entry.kind == RecordKind::kEvent ? ack.events : ack.rejections);
      return;
    case log::Verdict::kRepeat: ++ack.repeats; return;
    case log::Verdict::kConflict:
      ++(add_conflict(batch.payload(entry), segment, group) ? ack.conflicts : ack.repeats);
      return;
  }
}

// False when this very conflict is known.
bool LogThread::add_conflict(std::string_view event_record, log::SegmentNumber segment, Group& group) {
  codec::EventRecord record;
  if (!record.decode(event_record).ok()) return false;
  const Event& event = record.event();
  std::string text;
  codec::append_event_json(event, *options_.settings(), text);
  const std::string sealed = options_.seal_payload(text);
  const Hash128 key = hash128(sealed, event.source.value());
  if (duplicates_->check_and_add({key, 0}, segment) != log::Verdict::kNew) return false;
  const std::string detail = cat("message id \"", event.message_id,
                                 "\" is known with another content: send it under an id of its own, or discard it");
  group.builder->add_with(RecordKind::kRejection, [&](std::string& out) {
    codec::append_rejection({.project = event.project,
                             .source = event.source,
                             .reason = Reason::kDuplicateConflict,
                             .received_at = event.received_at,
                             .repeat_key = key,
                             .path = "/message_id",
                             .detail = detail,
                             .origin = "log",
                             .sealed_payload = sealed},
                            out);
  });
  return true;
}

void LogThread::answer(Group& group, const absl::Status& status) {
  options_.around_acks([&] {
    for (size_t i = 0; i < group.submissions.size(); ++i) {
      Ack& ack = group.acks[i];
      if (status.ok()) {
        options_.ring->mark_durable(group.submissions[i].data_keys);
      } else {
        ack = refused(status);
      }
      if (group.submissions[i].done) group.submissions[i].done(ack);
    }
  });
}

void LogThread::hand_on(Group& group) {
  const log::Batch& batch = group.builder->batch();
  DurableBatch durable{.tick = batch.tick(), .records = {}, .bytes = group.builder, .size = group.builder->bytes()};
  durable.records.reserve(batch.record_count());
  for (const log::RecordView record : batch) durable.records.push_back({record.sequence, record.kind, record.payload});
  deliver_(std::move(durable));
}

// The log says what is on the disk; nobody else knows after a failed write. Until it can be opened again nothing is
// accepted, and what waits is told so.
void LogThread::recover() {
  const Sequence next(durable_.load() + 1);
  while (!stopping_) {
    const absl::Status status = open_log();
    if (status.ok()) {
      const absl::Status replayed = replay(next, [this](DurableBatch batch) {
        if (!batch.records.empty()) durable_.store(batch.records.back().sequence.value());
        deliver_(std::move(batch));
        return absl::OkStatus();
      });
      if (replayed.ok()) return;
    }
    set_health(status);
    while (std::optional<Submission> waiting = queue_.pop(kRecoveryPause)) {
      if (waiting->done) waiting->done(refused(status));
    }
  }
}

absl::Status LogThread::health() const {
  const std::lock_guard lock(health_mutex_);
  return health_;
}

void LogThread::set_health(absl::Status status) {
  const std::lock_guard lock(health_mutex_);
  health_ = std::move(status);
}

}  // namespace kehu::engine
