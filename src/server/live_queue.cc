#include "server/live_queue.h"

namespace kehu::server {
namespace {

constexpr size_t kReasonBytes = 123;  // RFC 6455, 5.5: a control frame holds 125 bytes, two are the code

}  // namespace

// The owner is woken once, however many texts come before it looks. Who finds that nobody takes care of the
// queue wakes it and sets the mark; take() takes the mark away when it finds nothing, under the same mutex,
// so no text can come between the look and the mark. The inbox has a mutex of its own and is called when
// this one is free again.
bool LiveQueue::wants_wake() {
  const bool wake = !taken_care_of_;
  taken_care_of_ = true;
  return wake;
}

bool LiveQueue::send(std::shared_ptr<const std::string> text) {
  {
    const std::lock_guard lock(mutex_);
    // One text that is larger than the whole queue may go alone.
    if (shut_ || closing_ || (bytes_ > 0 && bytes_ + text->size() > limit_bytes_)) {
      ++dropped_;
      return false;
    }
    bytes_ += text->size();
    texts_.push_back(std::move(text));
    if (!wants_wake()) return true;
  }
  inbox_->live_ready(ticket_);
  return true;
}

void LiveQueue::close(http::CloseCode code, std::string_view reason) {
  {
    const std::lock_guard lock(mutex_);
    if (shut_ || closing_) return;
    closing_ = Closing{code, std::string(reason.substr(0, kReasonBytes))};
    if (!wants_wake()) return;
  }
  inbox_->live_ready(ticket_);
}

void LiveQueue::ask_ready() {
  {
    const std::lock_guard lock(mutex_);
    if (shut_ || closing_) return;
    ready_asked_ = true;
    if (!wants_wake()) return;
  }
  inbox_->live_ready(ticket_);
}

void LiveQueue::go_on() {
  if (held_.exchange(false) && !held()) inbox_->read_more(ticket_);
}

void LiveQueue::pause(Duration duration) { paused_until_ms_ = steady_ms() + duration.micros() / 1000; }

void LiveQueue::tick(int64_t now_ms) {
  const int64_t until = paused_until_ms_;
  if (until == 0 || now_ms < until) return;
  paused_until_ms_ = 0;
  if (!held_) inbox_->read_more(ticket_);
}

uint64_t LiveQueue::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

LiveQueue::Next LiveQueue::take() {
  const std::lock_guard lock(mutex_);
  Next next;
  if (dropped_ > told_ && bytes_ <= limit_bytes_ / 2 && !closing_) {
    next.dropped = dropped_ - told_;
    told_ = dropped_;
  }
  if (texts_.empty() && ready_asked_ && !closing_) {
    ready_asked_ = false;
    next.ready = true;
    return next;
  }
  if (texts_.empty()) {
    next.closing = closing_;
    taken_care_of_ = closing_.has_value();
    return next;
  }
  next.text = std::move(texts_.front());
  texts_.pop_front();
  bytes_ -= next.text->size();
  return next;
}

void LiveQueue::shut() {
  const std::lock_guard lock(mutex_);
  shut_ = true;
  texts_.clear();
  bytes_ = 0;
}

}  // namespace kehu::server
