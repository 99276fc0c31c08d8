#include "engine/log_thread.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/check.h"
#include "base/text.h"
#include "codec/event_json.h"
#include "codec/record.h"
#include "log/reader.h"
#include "os/thread_name.h"

// Group commit: all that waits when a sync ends goes into the next batch, up to 2 MiB, and is acknowledged
// by one fdatasync. A group is a batch, unless conflicts make it grow.
//
// The filter of duplicates learns of a message before the batch is durable, since two of a group may be the
// same. Room is reserved before that, because the filter must know the segment, and because a full disk
// then shows before anything was begun. Once a batch was begun, a failure leaves the filter with messages
// that may not be on the disk: filter and writer are thrown away together, and both are made again from
// what the disk has.
namespace kehu::engine {
namespace {

// Time goes on whether or not anything happens. After a failure the tick is what tries whether the disk is
// back.
constexpr Duration kTickPeriod = Duration::seconds(1);
// Behind a tick that nothing came behind. What is due has its tick at its time.
constexpr Duration kIdleTickPeriod = Duration::minutes(1);
constexpr size_t kBuildersKept = 6;
// A group is closed at this size: large enough that the sync is a small part, small enough that an ack waits
// for little more than one sync.
constexpr size_t kGroupBytes = 2u << 20;
// A batch with events gets this room at least: enough for a conflict or two, whose rejections are larger
// than the events.
constexpr size_t kRoomMin = 64u << 10;
constexpr size_t kTickRoom = 64;
// A submission is at most half a batch, so that any two fit together.
constexpr size_t kSubmissionBytesMax = log::kBatchBytesMax / 2;

std::optional<duplicates::MessageIdentity> identity_of(RecordKind kind, std::string_view payload) {
  duplicates::MessageIdentity identity;
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

// Finds the place of a row that its id names: "orders.csv@4b1c…:17~a1b0f4" is line 17 of orders.csv.
// Nothing else is known of where an event came from once it is in a batch.
std::string place_in(std::string_view message_id) {
  constexpr size_t kHashDigits = 12;
  const size_t end = message_id.rfind('~');
  const size_t colon = message_id.substr(0, std::min(end, message_id.size())).rfind(':');
  const size_t at = message_id.substr(0, std::min(colon, message_id.size())).rfind('@');
  if (end == message_id.npos || colon == message_id.npos || at == message_id.npos || at == 0) return "log";
  const std::string_view line = message_id.substr(colon + 1, end - colon - 1);
  const bool numbered = !line.empty() && line.find_first_not_of("0123456789") == line.npos;
  if (!numbered || colon - at - 1 != kHashDigits) return "log";
  return cat(message_id.substr(0, at), ":", line);
}

struct Counts {
  uint32_t repeats = 0, conflicts = 0;
};
RecordFate::Kind kind_since(const Counts& before, const Ack& ack) {
  if (ack.repeats > before.repeats) return RecordFate::Kind::kRepeat;
  return ack.conflicts > before.conflicts ? RecordFate::Kind::kConflict : RecordFate::Kind::kWritten;
}

size_t frames_bytes(const RecordBatch& batch) {
  return batch.bytes.size() + batch.entries.size() * log::kFrameHeaderBytes;
}

}  // namespace

struct LogThread::Group {
  std::vector<Submission> submissions;
  std::vector<Ack> acks;
  size_t bytes = 0;      // of the submissions
  uint64_t records = 0;  // in the builders
  uint64_t first = 0;    // the number of the first of them
  // There is nearly always one; conflicts, which grow, may need more. The last one is being filled, those
  // before it are committed.
  std::vector<std::shared_ptr<log::BatchBuilder>> builders;
  std::vector<trace::ActiveSpan> applying;
  log::SegmentNumber segment;  // in which the last one will be
  size_t room = 0;             // which is reserved for it there
};

LogThread::LogThread(LogThreadOptions options)
    : options_(std::move(options)), queue_(options_.queue_bytes), builders_(kBuildersKept) {
  options_.log.extent = &extent_;
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
  auto duplicates = duplicates::DuplicateFilter::load(*options_.files, options_.log.directory, identity_of);
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
  return reader->for_each([&](const log::Batch& batch) {
    DurableBatch copy = copy_of(batch);
    std::erase_if(copy.records, [from](const shard::LogRecord& record) { return record.sequence < from; });
    return visit(std::move(copy));
  });
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
  if (!usable()) return health();
  // A sidecar that could not be written costs the next start some time, no more.
  (void)duplicates_->finish_sidecars();
  return writer_->close();
}

absl::Status LogThread::submit(Submission& submission) {
  const size_t bytes = frames_bytes(submission.batch);
  if (bytes > kSubmissionBytesMax) {
    return failure(absl::StatusCode::kInvalidArgument, "a submission of ", bytes, " bytes is larger than ",
                   kSubmissionBytesMax, ": send smaller batches");
  }
  if (queue_.try_push(submission, bytes)) return absl::OkStatus();
  if (stopping_) return failure(absl::StatusCode::kUnavailable, "the server is stopping");
  counters_.refused.fetch_add(1, std::memory_order_relaxed);
  return failure(absl::StatusCode::kResourceExhausted,
                 "too many events wait for the log: send again in a second");
}

void LogThread::protect(Sequence first) {
  // Only the log thread touches the writer; it passes the value on with its next batch.
  protect_from_ = first.value();
}

void LogThread::set_agenda(const Agenda& agenda) {
  due_.store(agenda.due ? agenda.due->micros() : INT64_MAX, std::memory_order_relaxed);
  // Whoever sees that the tick is done sees what is due behind it.
  tick_applied_.store(agenda.tick.value(), std::memory_order_release);
  if (agenda.due) queue_.nudge();
}

// Is INT64_MAX while the last tick is on its way: what is due behind it is not known yet, and asking twice
// would write a tick for each batch until the apply thread has come so far (docs/decisions/time.md).
int64_t LogThread::due_micros() const {
  const bool done = tick_applied_.load(std::memory_order_acquire) >= tick_written_.value();
  return done ? due_.load(std::memory_order_relaxed) : INT64_MAX;
}

bool LogThread::tick_is_due(Duration now) const {
  return now - last_tick_ >= (idle_ ? kIdleTickPeriod : kTickPeriod) ||
         due_micros() <= options_.clock->now().micros();
}

// At most a second, because what is due is due by a clock that may be set forward meanwhile.
Duration LogThread::until_tick(Duration now) const {
  const Duration period = idle_ ? kIdleTickPeriod : kTickPeriod;
  const Duration second = std::clamp(last_tick_ + period - now, Duration(), kTickPeriod);
  const int64_t due = due_micros();
  if (due == INT64_MAX) return second;
  return std::clamp(Duration(due - options_.clock->now().micros()), Duration(), second);
}

void LogThread::run() {
  os::name_this_thread("kehu-log");
  last_tick_ = options_.clock->monotonic() - kTickPeriod;
  while (!queue_.closed_and_empty()) {
    std::optional<Submission> first = queue_.pop(until_tick(options_.clock->monotonic()));
    if (!first && !tick_is_due(options_.clock->monotonic())) continue;
    Group group;
    collect(std::move(first), group);
    const absl::Status status = writer_ != nullptr ? write_traced(group) : health();
    set_health(status);
    if (!status.ok()) idle_ = false;
    // This comes before the answers: whoever has one may ask at once, and asks for everything durable.
    if (status.ok()) durable_.store(writer_->next_sequence().value() - 1, std::memory_order_release);
    answer(group, status);
    if (status.ok()) {
      hand_on(group);
    } else {
      counters_.failures.fetch_add(1, std::memory_order_relaxed);
      // Once a batch was begun, the filter knows messages that may not be on disk.
      if (!group.builders.empty() || !usable()) recover();
    }
  }
}

void LogThread::collect(std::optional<Submission> first, Group& group) {
  while (first) {
    group.bytes += frames_bytes(first->batch);
    group.submissions.push_back(*std::move(first));
    if (group.bytes >= kGroupBytes) break;
    first = queue_.try_pop();
  }
  group.acks.resize(group.submissions.size());
}

absl::Status LogThread::write_traced(Group& group) {
  if (options_.tracer == nullptr || group.submissions.empty()) return write(group);
  trace::ActiveSpan span = trace::background(options_.tracer, "log flush", trace::Choice::kByRatio);
  const absl::Status status = write(group);
  span.set("kehu.log.submissions", static_cast<int64_t>(group.submissions.size()));
  span.set("kehu.log.records", static_cast<int64_t>(group.records));
  if (!status.ok()) span.fail();
  return status;
}

absl::Status LogThread::write(Group& group) {
  writer_->protect(Sequence(protect_from_.load()));
  const size_t room = group.submissions.empty() ? kTickRoom : std::max(kRoomMin, 2 * group.bytes);
  if (auto status = start_batch(log::kBatchHeaderBytes + room, group); !status.ok()) return status;
  duplicates_->expire_before(writer_->first_segment());
  group.first = writer_->next_sequence().value();
  if (!group.submissions.empty()) idle_ = false;
  if (auto status = add_tick(group); !status.ok()) return status;
  for (size_t i = 0; i < group.submissions.size(); ++i) {
    const uint64_t before = group.records;
    if (auto status = fill(group.submissions[i], group, group.acks[i]); !status.ok()) return status;
    if (group.records == before) continue;
    group.acks[i].first = Sequence(group.first + before);
    group.acks[i].last = Sequence(group.first + group.records - 1);
  }
  return commit_batch(group);
}

// Puts the tick first into its batch: what the batch brings is later than what was due.
absl::Status LogThread::add_tick(Group& group) {
  const Duration now = options_.clock->monotonic();
  if (!tick_is_due(now)) return absl::OkStatus();
  tick_bytes_.clear();
  codec::append_tick({.time = options_.clock->now()}, tick_bytes_);
  tick_written_ = Sequence(group.first + group.records);
  last_tick_ = now;
  idle_ = group.submissions.empty();
  return add(RecordKind::kTick, tick_bytes_, group);
}

absl::Status LogThread::start_batch(size_t room, Group& group) {
  group.room = std::min<size_t>({room, log::kBatchBytesMax, options_.log.segment_bytes});
  const auto segment = writer_->reserve(group.room);
  if (!segment.ok()) return segment.status();
  group.segment = *segment;
  group.builders.push_back(builders_.take());
  return absl::OkStatus();
}

// Is called before the filter learns of a message, because it must know the segment.
absl::Status LogThread::make_room(size_t payload, Group& group) {
  const log::BatchBuilder& builder = *group.builders.back();
  const bool fits = builder.bytes() + log::BatchBuilder::frame_bytes(payload) <= group.room;
  if (fits || builder.record_count() == 0) return absl::OkStatus();
  if (auto status = commit_batch(group); !status.ok()) return status;
  return start_batch(log::kBatchBytesMax, group);
}

absl::Status LogThread::commit_batch(Group& group) {
  log::BatchBuilder& builder = *group.builders.back();
  const Duration start = options_.clock->monotonic();
  if (auto status = writer_->commit(builder, options_.clock->now()); !status.ok()) return status;
  counters_.commit_micros.fetch_add(static_cast<uint64_t>((options_.clock->monotonic() - start).micros()),
                                    std::memory_order_relaxed);
  counters_.commits.fetch_add(1, std::memory_order_relaxed);
  counters_.bytes.fetch_add(builder.bytes(), std::memory_order_relaxed);
  return absl::OkStatus();
}

absl::Status LogThread::fill(const Submission& submission, Group& group, Ack& ack) {
  const RecordBatch& batch = submission.batch;
  keys_.clear();
  for (const RecordBatch::Entry& entry : batch.entries) {
    if (!entry.message_key.is_zero()) keys_.push_back(entry.message_key);
  }
  duplicates_->prefetch(keys_);
  for (const RecordBatch::Entry& entry : batch.entries) {
    absl::Status status;
    const Counts before{ack.repeats, ack.conflicts};
    const uint64_t records = group.records;
    if (!entry.message_key.is_zero()) {
      status = add_once(submission, entry, group, ack);
    } else {
      ack.rejections += entry.kind == RecordKind::kRejection ? 1 : 0;
      status = add(entry.kind, batch.payload(entry), group);
    }
    if (!status.ok()) return status;
    if (!submission.tell_fates) continue;
    ack.fates.push_back({.kind = kind_since(before, ack),
                         .sequence = Sequence(group.records > records ? group.first + records : 0)});
  }
  return absl::OkStatus();
}

absl::Status LogThread::add(RecordKind kind, std::string_view payload, Group& group) {
  if (auto status = make_room(payload.size(), group); !status.ok()) return status;
  group.builders.back()->add(kind, payload);
  ++group.records;
  return absl::OkStatus();
}

// An event that an earlier version would have given another id is looked up by that one first, and is a
// repeat when it is known with the same content. The former id is never remembered, so whoever used it
// before does not matter (docs/decisions/row-identity.md).
absl::Status LogThread::add_once(const Submission& submission, const RecordBatch::Entry& entry, Group& group,
                                 Ack& ack) {
  const RecordBatch& batch = submission.batch;
  for (const Hash128& former : entry.former_keys) {
    if (former.is_zero() || !duplicates_->knows({former, entry.body_hash})) continue;
    ++ack.repeats;
    return absl::OkStatus();
  }
  if (auto status = make_room(entry.size, group); !status.ok()) return status;
  switch (duplicates_->check_and_add({entry.message_key, entry.body_hash}, group.segment)) {
    case duplicates::Verdict::kNew:
      ++(entry.kind == RecordKind::kEvent ? ack.events : ack.rejections);
      break;
    case duplicates::Verdict::kRepeat:
      ++ack.repeats;
      return absl::OkStatus();
    case duplicates::Verdict::kConflict: {
      ++ack.conflicts;
      const bool keep = submission.conflicts == Submission::Conflicts::kQuarantine;
      return keep ? add_conflict(batch.payload(entry), group) : absl::OkStatus();
    }
  }
  return add(entry.kind, batch.payload(entry), group);
}

// Keeps the event that came with the id of another as a rejection, sealed. The same conflict again is not
// kept twice: its key is the hash of what was sealed.
absl::Status LogThread::add_conflict(std::string_view event_record, Group& group) {
  codec::EventRecord record;
  KEHU_CHECK(record.decode(event_record).ok());  // intake encoded it
  const Event& event = record.event();
  std::string text;
  codec::append_event_json(event, *options_.settings(), text);
  const std::string sealed = options_.seal_payload(text);
  const Hash128 key = hash128(sealed, event.source.value());
  const std::string detail =
      cat("message id \"", event.message_id,
          "\" is known with another content: send it under an id of its own, or discard it");
  const std::string place = place_in(event.message_id);
  std::string rejection;
  codec::append_rejection({.project = event.project,
                           .source = event.source,
                           .reason = Reason::kDuplicateConflict,
                           .received_at = event.received_at,
                           .repeat_key = key,
                           .path = "/message_id",
                           .detail = detail,
                           .origin = place,
                           .sealed_payload = sealed},
                          rejection);
  if (auto status = make_room(rejection.size(), group); !status.ok()) return status;
  if (duplicates_->check_and_add({key, 0}, group.segment) != duplicates::Verdict::kNew)
    return absl::OkStatus();
  return add(RecordKind::kRejection, rejection, group);
}

void LogThread::answer(Group& group, const absl::Status& status) {
  options_.around_acks([&] {
    for (size_t i = 0; i < group.submissions.size(); ++i) {
      Ack& ack = group.acks[i];
      if (status.ok()) {
        options_.ring->mark_durable(group.submissions[i].data_keys);
        count(ack);
      } else {
        ack = refused(status);
      }
      end_waiting(group.submissions[i].waiting, status, group);
      if (group.submissions[i].done) group.submissions[i].done(ack);
    }
  });
}

// Comes before the answer, behind which the span of the request may end.
void LogThread::end_waiting(trace::ActiveSpan& waiting, const absl::Status& status, Group& group) {
  if (!waiting) return;
  if (status.ok()) {
    group.applying.push_back(waiting.parent().child("apply"));
  } else {
    waiting.fail();
  }
  waiting.end();
}

void LogThread::count(const Ack& ack) {
  counters_.events.fetch_add(ack.events, std::memory_order_relaxed);
  counters_.repeats.fetch_add(ack.repeats, std::memory_order_relaxed);
  counters_.conflicts.fetch_add(ack.conflicts, std::memory_order_relaxed);
}

// The apply thread reads the batch where the log built it. The builder is held until its records were
// applied and archived, and then filled again.
void LogThread::hand_on(Group& group) {
  for (const std::shared_ptr<log::BatchBuilder>& builder : group.builders) {
    const log::Batch& batch = builder->batch();
    DurableBatch durable{.tick = batch.tick(), .records = {}, .bytes = builder, .size = builder->bytes()};
    durable.records.reserve(batch.record_count());
    for (const log::RecordView record : batch)
      durable.records.push_back({record.sequence, record.kind, record.payload});
    if (builder == group.builders.back()) durable.applying = std::move(group.applying);
    deliver_(std::move(durable));
  }
}

// Only the log can say what is on the disk after a failed write. Until it can be opened again nothing is
// accepted, and what waits is told so. Records that are durable after all were answered as not stored; they
// are replayed to the apply thread here, and whoever sends them again is told that they are repeats.
void LogThread::recover() {
  while (!stopping_) {
    absl::Status status = open_log();
    if (status.ok()) {
      status = replay(Sequence(durable_.load() + 1), [this](DurableBatch batch) {
        if (!batch.records.empty()) durable_.store(batch.records.back().sequence.value());
        deliver_(std::move(batch));
        return absl::OkStatus();
      });
    }
    set_health(status);
    if (status.ok()) return;
    refuse_for_a_while(status);
  }
}

void LogThread::refuse_for_a_while(const absl::Status& why) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::microseconds(options_.recovery_pause.micros());
  while (!stopping_ && Clock::now() < end) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(end - Clock::now());
    std::optional<Submission> waiting = queue_.pop(Duration(std::max<int64_t>(0, left.count())));
    if (waiting && waiting->done) waiting->done(refused(why));
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
