#include "server/connection.h"

#include <algorithm>
#include <array>
#include <limits>

namespace kehu::server {
namespace {

constexpr size_t kReadAhead = 16 * 1024;
// More than this of unsent answers, and pipelined requests wait.
constexpr size_t kTurnBytes = 64 * 1024;
constexpr int64_t kLingerMs = 2000;

int64_t millis(Duration duration) { return duration.micros() / 1000; }

}  // namespace

Connection::Connection(IoThread& thread, net::Transport transport, net::Peer peer)
    : thread_(thread), transport_(std::move(transport)), peer_(std::move(peer)) {}

Connection::~Connection() { give_up_memory(); }

void Connection::start() {
  ticket_ = thread_.add(shared_from_this());
  enter(Phase::kHead);
  if (thread_.stopping()) return close();
  arm();
}

// All that happens to a connection happens in turns. What a turn writes is gathered in the thread's buffer,
// sent once at its end, and only then is the next event waited for; so a pipelined burst costs one write.
// The memory for what is arriving is settled once as well. A handler that answers at once does so in the
// middle of a turn: the answer is put aside, and taken when the handler has returned.
template <class Work>
void Connection::turn(Work work) {
  const auto self = shared_from_this();  // closing takes us out of our slot
  in_turn_ = true;
  work();
  if (phase_ == Phase::kClosing || phase_ == Phase::kLinger) forget_input();
  if (phase_ != Phase::kClosed && !settle_memory()) {
    count(thread_.counters().bodies_refused);
    http::Problem problem =
        http::Problem::overloaded("too many requests are arriving at once; send it again");
    problem.retry_after_s = 2;
    has_output() ? close() : refuse_body(problem);
    held_.release();
    give_up_memory();
  }
  if (phase_ != Phase::kClosed) flush();
  if (phase_ != Phase::kClosed) arm();
  thread_.write_buffer().clear();
  in_turn_ = false;
}

void Connection::answer(http::Response response) {
  if (in_turn_) {
    early_ = std::move(response);
    return;
  }
  turn([&] {
    finish(std::move(response));
    advance_held();
  });
}

void Connection::read_more() {
  paused_ = false;
  if (in_turn_) return;
  turn([&] {
    enter(phase_);  // the time the sink took is not the client's
    advance_held();
  });
}

void Connection::take(absl::StatusOr<http::Piece> piece) {
  if (!outgoing_ || outgoing_->source == nullptr) return;
  turn([&] { take_piece(std::move(piece)); });
}

void Connection::on_tick() {
  const int64_t now = thread_.now_ms();
  if (phase_ == Phase::kHead && held_.empty() && now > since_ms_ + 1000) {
    held_.release();
    settle_memory();
  }
  if (now < deadline_ms()) return;
  turn([&] {
    const bool idle = phase_ == Phase::kHead && held_.empty();
    if (outgoing_) return break_off(absl::StatusCode::kDeadlineExceeded);
    if (has_output() || idle || phase_ == Phase::kClosing || phase_ == Phase::kLinger) return close();
    fail({.status = 408,
          .code = "request_timeout",
          .title = "The request took too long to arrive",
          .detail = wanted_ == 0 && phase_ == Phase::kHead ? "the header was not complete in time"
                                                           : "the body came too slowly, or stopped coming"});
  });
}

void Connection::stop() {
  if (phase_ == Phase::kHead && held_.empty() && !has_output()) close();
}

void Connection::cut() { outgoing_ ? break_off(absl::StatusCode::kUnavailable) : close(); }

void Connection::enter(Phase phase) {
  phase_ = phase;
  since_ms_ = last_byte_ms_ = thread_.now_ms();
  moved_ = 0;
}

int64_t Connection::deadline_ms() const {
  const Options& options = thread_.options();
  // By the average since the phase began, and by the time of the last byte: what came at once buys no
  // silence.
  const auto moving = [&](Duration head_start, Duration silence) {
    const int64_t average =
        since_ms_ + millis(head_start) +
        static_cast<int64_t>(moved_ * 1000 / std::max<size_t>(1, options.bytes_per_second_min));
    return std::min(average, last_byte_ms_ + millis(silence));
  };
  if (has_output()) return moving(options.write_timeout, options.write_timeout);
  switch (phase_) {
    case Phase::kHead:
      if (wanted_ != 0) return moving(options.body_timeout, options.silence_timeout);
      return since_ms_ + millis(held_.empty() && !transport_.shaking_hands() ? options.idle_timeout
                                                                             : options.header_timeout);
    case Phase::kChunks:
      return moving(options.body_timeout, options.silence_timeout);
    case Phase::kStream:
      return paused_ ? std::numeric_limits<int64_t>::max()
                     : moving(options.body_timeout, options.silence_timeout);
    case Phase::kLinger:
      return since_ms_ + kLingerMs;
    default:
      return std::numeric_limits<int64_t>::max();
  }
}

void Connection::arm() {
  if (phase_ == Phase::kBody) ask_piece();
  if (has_output()) {
    if (waiting_to_write_) return;
    waiting_to_write_ = true;
    transport_.wait_writable(
        [self = shared_from_this()](const boost::system::error_code&) { self->on_writable(); });
    return;
  }
  if (phase_ == Phase::kClosing) {
    if (!unread_ && held_.empty()) return close();
    transport_.finish_writing();
    enter(Phase::kLinger);
  }
  const bool watches = is_watching() && held_.empty();
  const bool wants_bytes = phase_ == Phase::kLinger || watches || (is_reading() && !paused_);
  if (!wants_bytes || waiting_to_read_) return;
  waiting_to_read_ = true;
  transport_.wait_readable(
      [self = shared_from_this()](const boost::system::error_code&) { self->on_readable(); });
}

bool Connection::is_reading() const {
  return phase_ == Phase::kHead || phase_ == Phase::kChunks || phase_ == Phase::kStream;
}

void Connection::on_readable() {
  waiting_to_read_ = false;
  if (phase_ == Phase::kClosed) return;
  turn([this] {
    if (phase_ == Phase::kLinger) return discard_input();
    if (is_watching()) return watch_client();
    if (!is_reading() || paused_ || has_output()) return;
    if (held_.empty()) {
      read_into_thread_buffer();
    } else {
      read_into_held();
    }
  });
}

void Connection::on_writable() {
  waiting_to_write_ = false;
  if (phase_ == Phase::kClosed) return;
  turn([this] {
    if (flush() && phase_ != Phase::kClosed) advance_held();
  });
}

// The usual case: whole requests arrive in one piece and are used where they were read.
void Connection::read_into_thread_buffer() {
  const net::Transport::Outcome outcome = transport_.read(thread_.read_buffer(), IoThread::kReadBytes);
  if (outcome.closed) return close();
  note_bytes(outcome.bytes);
  const std::string_view bytes(thread_.read_buffer(), outcome.bytes);
  const std::string_view rest = bytes.substr(advance(bytes));
  if (rest.empty() || phase_ == Phase::kClosing || phase_ == Phase::kClosed) return;
  held_.append(rest);
}

void Connection::read_into_held() {
  // It grows with what came, and not by what was announced.
  const size_t missing = wanted_ > held_.size() ? wanted_ - held_.size() : 0;
  char* to = held_.space(std::max(std::min(missing, held_.size()), kReadAhead));
  const net::Transport::Outcome outcome = transport_.read(to, held_.room());
  if (outcome.closed) return close();
  note_bytes(outcome.bytes);
  held_.grew(outcome.bytes);
  advance_held();
}

void Connection::discard_input() {
  const net::Transport::Outcome outcome = transport_.read(thread_.read_buffer(), IoThread::kReadBytes);
  if (outcome.closed) close();
}

void Connection::advance_held() {
  if (phase_ == Phase::kClosed) return;
  held_.drop(advance(held_.view()));
}

size_t Connection::advance(std::string_view bytes) {
  size_t used = 0;
  while (is_reading() && !paused_) {
    const bool first = outgoing_ || big_ || thread_.write_buffer().size() > kTurnBytes || !out_.empty();
    if (first && !flush()) break;
    const Step used_now = step(bytes.substr(used));
    if (!used_now) break;
    used += *used_now;
  }
  return used;
}

// Fresh bytes lie in the buffer that all connections of the thread share, so what the socket does not take
// is moved to `out_`. A large body stays where it is, and both go into one write. Only a socket that is
// full makes a copy.
bool Connection::flush() {
  std::string& fresh = thread_.write_buffer();
  const bool was_blocked = !out_.empty();
  if (was_blocked) {
    out_.append(fresh);
    fresh.clear();
  }
  std::string_view first = was_blocked ? std::string_view(out_).substr(out_at_) : std::string_view(fresh);
  std::string_view second = big_ ? big_->content().substr(big_at_) : std::string_view();
  while (!first.empty() || !second.empty()) {
    const std::array<iovec, 2> parts = {iovec{const_cast<char*>(first.data()), first.size()},
                                        iovec{const_cast<char*>(second.data()), second.size()}};
    const net::Transport::Outcome outcome = transport_.write(parts);
    if (outcome.closed) {
      close();
      return false;
    }
    if (outcome.bytes == 0) break;
    const size_t of_first = std::min(first.size(), outcome.bytes);
    first.remove_prefix(of_first);
    second.remove_prefix(outcome.bytes - of_first);
    note_bytes(outcome.bytes);
  }
  if (big_) big_at_ = big_->content().size() - second.size();
  if (first.empty() && second.empty()) {
    out_.clear();
    out_at_ = 0;
    big_.reset();
    fresh.clear();
    if (blocked_) enter(phase_);
    blocked_ = false;
    note_sent();
    return true;
  }
  if (was_blocked) {
    out_at_ = out_.size() - first.size();
  } else {
    out_.assign(first);
    out_at_ = 0;
  }
  fresh.clear();
  if (!blocked_) enter(phase_);
  blocked_ = true;
  return false;
}

void Connection::note_bytes(size_t bytes) {
  moved_ += bytes;
  if (bytes > 0) last_byte_ms_ = thread_.now_ms();
}

// False when this connection holds more of what arrived than there is room for.
bool Connection::settle_memory() {
  static const size_t kInside = std::string().capacity();  // costs no memory
  const size_t bytes = held_.capacity() + body_.capacity() - std::min(body_.capacity(), kInside);
  const bool keyless = keyless_ && (wanted_ != 0 || phase_ == Phase::kChunks);
  if (bytes == share_.bytes && keyless == share_.keyless) return true;
  // What waits behind a request that is being handled is one read at most, and is looked at after its answer.
  return thread_.body_memory().change(share_, {.bytes = bytes, .keyless = keyless}) || !is_reading();
}

// Of what came behind the last answer, or before it when its request failed, nothing is read any more.
void Connection::forget_input() {
  unread_ = unread_ || !held_.empty();
  held_.release();
  std::string().swap(body_);
}

void Connection::give_up_memory() { thread_.body_memory().change(share_, {}); }

void Connection::close() {
  if (phase_ == Phase::kClosed) return;
  const bool looks_whole = unframed_ && (outgoing_ || has_output());
  looks_whole ? transport_.break_off() : transport_.close();
  phase_ = Phase::kClosed;
  sink_.reset();
  if (left_) std::exchange(left_, nullptr)();
  give_up_body();
  span_.end();
  give_up_memory();
  out_.clear();
  big_.reset();
  thread_.counters().connections.fetch_sub(1, std::memory_order_relaxed);
  thread_.remove(ticket_);
}

}  // namespace kehu::server
