#include "gateway/log_parts.h"

#include <utility>

// What one sender has under way at the log is bounded by parts and by bytes. At the bound the sender is
// held back, and goes on when half of the bytes are through: with one mark for both, each part that arrives
// would wake it for one more.
namespace kehu::gateway {

void LogParts::submit(intake::Intake& decoded, Part part) {
  if (decoded.times_ahead > 0) gateway_.times_ahead() += decoded.times_ahead;
  Sent sent{.followed = std::move(part.followed), .message = part.message};
  sent.number = sent.followed.add_part(decoded.records, part.first_entry);
  sent.bytes = decoded.records.bytes.size();
  sent.found.add(decoded);
  depart(sent.bytes);
  engine::Submission submission{
      .batch = std::move(decoded.records),
      .data_keys = std::move(decoded.new_key_ids),
      .tell_fates = static_cast<bool>(sent.followed),
      .done = [parts = shared_from_this(), sent](const engine::Ack& ack) { parts->arrive(sent, ack); },
      .waiting = std::move(part.waiting)};
  decoded = {};
  if (auto status = gateway_.engine().submit(std::move(submission)); !status.ok()) {
    arrive(sent, {.status = status});
  }
}

void LogParts::depart(size_t bytes) {
  const std::lock_guard lock(mutex_);
  ++parts_;
  bytes_ += bytes;
  if (holds_ || (parts_ < bound_.parts && bytes_ < bound_.bytes)) return;
  holds_ = true;
  hold();
}

void LogParts::arrive(const Sent& sent, const engine::Ack& ack) {
  sent.followed.logged(sent.number, ack);
  const std::lock_guard lock(mutex_);
  --parts_;
  bytes_ -= sent.bytes;
  if (holds_ && parts_ < bound_.parts && bytes_ <= bound_.bytes / 2) {
    holds_ = false;
    go_on();
  }
  settle(sent, ack);
  complete_if_done();
}

void LogParts::settle(const Sent& sent, const engine::Ack& ack) {
  if (ack.status.ok()) {
    summary_.add(sent.found);
    summary_.add(ack);
  } else if (failure_.ok()) {
    failure_ = ack.status;
  }
}

void LogParts::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
  complete_if_done();
}

void LogParts::fail(const absl::Status& why) {
  const std::lock_guard lock(mutex_);
  if (failure_.ok()) failure_ = why;
  ended_ = true;
  complete_if_done();
}

void LogParts::complete_if_done() {
  if (!ended_ || parts_ > 0 || completed_) return;
  completed_ = true;
  complete();
}

}  // namespace kehu::gateway
