#include "publication/follower.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/text.h"
#include "publication/delivered_mark.h"

// The source is the archive with its uncommitted rows, so catching up and keeping up are one loop: "rows
// behind position N, in order". A row has the customer as of its event and the same position after every
// recovery, so what is published again after a crash is the same as before. The mark is saved once a
// second, and never beyond what the broker has: a message may come twice, and none is left out.
//
// A tap on the apply thread would be a millisecond sooner, but a second source, with a queue that must be
// dropped when it is full and a seam between the two. The log has no customers. Both are weighed in
// docs/decisions/publishing.md.
namespace kehu::publication {
namespace {

// A stretch of the archive costs a pass over its files, so it is long; its rows are sorted, so it is
// bounded. Catching up with 2,000,000 events gave 124 k events/s with 200 MB more memory; stretches of
// 250,000 gave 88 k and took 1.2 GB.
constexpr uint64_t kStretchMax = 100'000;
// Between two looks at what is new: the delay of a message, against the CPU of a statement each.
constexpr Duration kPeriod = Duration::millis(25);
constexpr Duration kSavePeriod = Duration::seconds(1);
constexpr Duration kRoomPatience = Duration::seconds(10);
constexpr Duration kPollSlice = Duration::millis(100);
constexpr Duration kPauseMin = Duration::millis(500);
constexpr Duration kPauseMax = Duration::seconds(30);
constexpr Duration kLastFlush = Duration::seconds(3);

absl::Status stopping() { return absl::CancelledError("the server is stopping"); }

void sleep_until_stopped(const std::stop_token& stop, Duration duration) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, std::chrono::microseconds(duration.micros()), [] { return false; });
}

}  // namespace

Follower::Follower(engine::Engine& engine, FollowerOptions options, std::unique_ptr<Content> content)
    : engine_(engine), options_(std::move(options)), content_(std::move(content)) {}

absl::StatusOr<std::unique_ptr<Follower>> Follower::open(engine::Engine& engine, FollowerOptions options,
                                                         std::unique_ptr<Content> content) {
  std::unique_ptr<Follower> follower(new Follower(engine, std::move(options), std::move(content)));
  if (auto status = follower->find_start(); !status.ok()) return status;
  if (auto status = follower->open_producer(); !status.ok()) return status;
  return follower;
}

absl::Status Follower::find_start() {
  const auto mark = read_mark(*options_.files, options_.mark_file);
  if (!mark.ok()) return mark.status();
  // Another topic has nothing yet.
  if (*mark && (*mark)->topic == topic()) {
    saved_ = (*mark)->position;
  } else if (options_.from_now) {
    saved_ = engine_.durable();
    const DeliveredMark now{.topic = topic(), .position = saved_};
    if (auto status = write_mark(*options_.files, options_.mark_file, now); !status.ok()) return status;
  }
  if (saved_ > engine_.durable()) {
    return failure(absl::StatusCode::kDataLoss, options_.mark_file, " says that record ", saved_.value(),
                   " was published, but the log ends at ", engine_.durable().value(),
                   ": it is of another installation; remove it, and everything is published again");
  }
  delivered_ = saved_.value();
  return absl::OkStatus();
}

absl::Status Follower::open_producer() {
  auto producer = feed::open_kafka_producer(options_.producer);
  if (!producer.ok()) return producer.status();
  producer_ = *std::move(producer);
  sent_ = Sequence(delivered_.load());
  messages_before_ = messages_;
  return absl::OkStatus();
}

void Follower::run(const std::stop_token& stop) {
  stop_ = stop;
  const std::stop_callback cancel(stop, [this] { content_->cancel(); });
  while (!stop.stop_requested()) {
    absl::Status status = producer_ ? absl::OkStatus() : open_producer();
    if (status.ok()) status = step();
    save();
    if (stop.stop_requested()) break;
    if (status.ok()) status = save_status_;
    report(status.ok() ? producer_->trouble() : message_of(status));
    if (!status.ok()) begin_again();
  }
  finish();
}

absl::Status Follower::step() {
  const Sequence archived = engine_.archived();
  if (archived > sent_ && !full_) {
    const Sequence up_to(std::min(archived.value(), sent_.value() + kStretchMax));
    if (auto status = hand_over({.after = sent_, .up_to = up_to}); !status.ok()) return status;
  }
  if (full_) return wait_for_room();
  if (archived <= sent_) sleep_until_stopped(stop_, kPeriod);
  return poll(Duration());
}

absl::Status Follower::hand_over(query::LogStretch stretch) {
  const absl::Status status = content_->write(stretch, *this);
  if (full_) return absl::OkStatus();
  // A statement that was ended for its time goes on behind what it has given.
  if (absl::IsDeadlineExceeded(status) && sent_ > stretch.after) return absl::OkStatus();
  if (status.ok() && sent_ < stretch.up_to) mark(stretch.up_to);
  return status;
}

absl::Status Follower::send(const feed::Outgoing& message) {
  const Duration end = engine_.clock().monotonic() + kRoomPatience;
  while (!stop_.stop_requested()) {
    const auto taken = producer_->send(message);
    if (!taken.ok()) return taken.status();
    if (*taken) return absl::OkStatus();
    // The statement that gives the events is not held open for as long as a broker may be away.
    full_ = engine_.clock().monotonic() >= end;
    if (full_) {
      under_way_when_full_ = producer_->under_way();
      return absl::UnavailableError("the broker takes no more");
    }
    if (auto status = poll(kPollSlice); !status.ok()) return status;
    save();
  }
  return stopping();
}

void Follower::mark(Sequence position) {
  producer_->mark(position);
  sent_ = position;
}

absl::Status Follower::rest(Duration duration) {
  if (auto status = poll(Duration()); !status.ok()) return status;
  if (duration >= Duration::millis(1)) sleep_until_stopped(stop_, duration);
  return stop_.stop_requested() ? stopping() : absl::OkStatus();
}

absl::Status Follower::wait_for_room() {
  if (auto status = poll(kPollSlice); !status.ok()) return status;
  full_ = producer_->under_way() > under_way_when_full_ / 2;
  return absl::OkStatus();
}

absl::Status Follower::poll(Duration patience) {
  const absl::Status status = producer_->poll(patience);
  delivered_ = std::max(delivered_.load(), producer_->delivered().value());
  const uint64_t messages = messages_before_ + producer_->messages_delivered();
  if (messages > messages_) pause_ = Duration();
  messages_ = messages;
  return status;
}

void Follower::begin_again() {
  ++errors_;
  // Not when the archive, or the disk of the mark, is what fails.
  if (producer_ && !producer_->poll(Duration()).ok()) producer_.reset();
  pause_ = std::clamp(pause_ + pause_, kPauseMin, kPauseMax);
  sleep_until_stopped(stop_, pause_);
}

void Follower::save() {
  const Sequence delivered(delivered_.load());
  const Duration now = engine_.clock().monotonic();
  if (delivered == saved_ || now - saved_at_ < kSavePeriod) return;
  saved_at_ = now;
  save_status_ = write_mark(*options_.files, options_.mark_file, {.topic = topic(), .position = delivered});
  if (save_status_.ok()) saved_ = delivered;
}

void Follower::report(std::string trouble) {
  if (trouble == reported_) return;
  const bool well = trouble.empty();
  options_.notify({.well = well, .text = cat("topic ", topic(), ": ", well ? "flows again" : trouble)});
  reported_ = std::move(trouble);
}

void Follower::finish() {
  if (producer_) {
    (void)producer_->flush(kLastFlush);
    (void)poll(Duration());
  }
  saved_at_ = engine_.clock().monotonic() - kSavePeriod;
  save();
  producer_.reset();
}

Figures Follower::figures() const {
  const uint64_t delivered = delivered_;
  const uint64_t durable = engine_.durable().value();
  return {.messages = messages_, .errors = errors_, .behind = durable - std::min(durable, delivered)};
}

}  // namespace kehu::publication
