#include "server/live_session.h"

#include <algorithm>
#include <optional>
#include <string>

#include "net/buffer.h"
#include "server/live_queue.h"
#include "websocket/message_reader.h"

namespace kehu::server {
namespace {

using http::CloseCode;
using Kind = websocket::MessageReader::Kind;

// More than this of unsent frames, and the queue waits.
constexpr size_t kUnsentBytes = 64 * 1024;
constexpr size_t kKeptBytes = 4 * 1024;
constexpr int64_t kCloseMs = 3000;   // for the client's close frame
constexpr int64_t kLingerMs = 2000;  // for the client's end of the connection

int64_t millis(Duration duration) { return duration.micros() / 1000; }

// One WebSocket. Works in turns, as Connection does: what a turn writes is sent at its end. What it holds of
// messages that are arriving counts as the bodies of requests do.
class LiveSession final : public Session, public std::enable_shared_from_this<LiveSession> {
 public:
  LiveSession(IoThread& thread, net::Transport transport, const http::LiveUpgrade& action, bool deflate)
      : thread_(thread),
        transport_(std::move(transport)),
        channel_(action.open()),
        queue_(std::make_shared<LiveQueue>(thread.inbox(), thread.options().live_queue_bytes)),
        reader_({.message_bytes = action.message_bytes, .deflate = deflate}) {}
  ~LiveSession() override { give_up_memory(); }

  void start(const http::Request& request, const websocket::Upgrade& upgrade);

  void live_ready() override {
    turn([] {});
  }
  void read_more() override;
  void on_tick() override;
  void stop() override;
  void cut() override { end(CloseCode::kAbnormal); }

 private:
  enum class Phase : uint8_t {
    kOpen,
    kClosing,  // our close frame is sent, the client's is waited for
    kLinger,   // both are through, or the client broke the rules: its end of the connection is waited for
    kClosed,
  };

  template <class Work>
  void turn(Work work);
  void arm();
  void on_readable();
  void on_writable();
  void consume(std::span<char> bytes);
  void consume_held();
  void take_item(const websocket::MessageReader::Item& item);
  void note_message();
  void settle_memory();
  void give_up_memory() { thread_.body_memory().change(share_, {}); }
  void give_up_input(CloseCode code, std::string_view reason);
  void tell_caught_up(uint64_t dropped);
  void fill();
  bool flush();
  size_t unsent() const { return out_.size() - out_at_; }
  bool wants_bytes() const { return phase_ != Phase::kClosed && !(phase_ == Phase::kOpen && queue_->held()); }
  void begin_close(CloseCode code, std::string_view reason);
  void answer_close(CloseCode code);
  void linger(CloseCode told);
  void tell(CloseCode code);
  void end(CloseCode code);
  void enter(Phase phase);
  void check_open(int64_t now);
  bool is_stuck(int64_t now) const;

  IoThread& thread_;
  net::Transport transport_;
  std::unique_ptr<http::LiveChannel> channel_;
  std::shared_ptr<LiveQueue> queue_;
  http::Ticket ticket_;
  websocket::MessageReader reader_;
  net::Buffer held_;  // received while the channel held the client back
  BodyMemory::Share share_;

  Phase phase_ = Phase::kOpen;
  int64_t since_ms_ = 0;    // when the phase began
  int64_t heard_ms_ = 0;    // when bytes came
  int64_t message_ms_ = 0;  // when the message that is not complete began; 0: there is none
  int64_t data_ms_ = 0;     // when bytes of it came: a pong in its middle is no sign that it goes on
  uint64_t came_ = 0;       // of it
  bool pinged_ = false;     // and heard nothing since
  bool in_turn_ = false;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool in_burst_ = false;
  bool told_ = false;
  CloseCode closing_ = CloseCode::kNormal;  // the code of our close frame

  std::string out_;
  size_t out_at_ = 0;
  int64_t blocked_ms_ = 0;  // when the socket took something last while more waits; 0: nothing waits
};

void LiveSession::start(const http::Request& request, const websocket::Upgrade& upgrade) {
  ticket_ = thread_.add(shared_from_this());
  queue_->set_ticket(ticket_);
  count(thread_.counters().live);
  enter(Phase::kOpen);
  heard_ms_ = thread_.now_ms();
  out_ = upgrade.answer;
  turn([&] { channel_->on_open(request, queue_); });
}

template <class Work>
void LiveSession::turn(Work work) {
  if (phase_ == Phase::kClosed || in_turn_) return;
  const auto self = shared_from_this();  // ending takes us out of our slot
  in_turn_ = true;
  work();
  if (phase_ != Phase::kClosed) settle_memory();
  do {
    fill();
  } while (phase_ != Phase::kClosed && unsent() > 0 && flush() && phase_ == Phase::kOpen);
  if (phase_ != Phase::kClosed) arm();
  in_turn_ = false;
}

void LiveSession::read_more() {
  turn([this] {
    heard_ms_ = thread_.now_ms();
    if (message_ms_ != 0)
      message_ms_ = data_ms_ = heard_ms_;  // the time the channel took is not the client's
    consume_held();
  });
}

void LiveSession::consume_held() {
  if (held_.empty()) return;
  net::Buffer held = std::exchange(held_, net::Buffer());
  consume(held.content());
}

void LiveSession::arm() {
  if (unsent() > 0 && !waiting_to_write_) {
    waiting_to_write_ = true;
    transport_.wait_writable(
        [self = shared_from_this()](const boost::system::error_code&) { self->on_writable(); });
  }
  if (unsent() == 0 && out_.capacity() > kKeptBytes) std::string().swap(out_);
  if (!wants_bytes() || waiting_to_read_) return;
  waiting_to_read_ = true;
  transport_.wait_readable(
      [self = shared_from_this()](const boost::system::error_code&) { self->on_readable(); });
}

void LiveSession::on_readable() {
  waiting_to_read_ = false;
  turn([this] {
    if (!wants_bytes()) return;
    consume_held();
    char* const bytes = thread_.read_buffer();
    const net::Transport::Outcome outcome = transport_.read(bytes, IoThread::kReadBytes);
    if (outcome.closed) return end(CloseCode::kAbnormal);
    if (outcome.bytes == 0) return;
    heard_ms_ = thread_.now_ms();
    pinged_ = false;
    if (phase_ != Phase::kLinger) consume({bytes, outcome.bytes});
  });
}

void LiveSession::on_writable() {
  waiting_to_write_ = false;
  turn([this] { flush(); });
}

void LiveSession::consume(std::span<char> bytes) {
  while (!bytes.empty() && wants_bytes() && phase_ != Phase::kLinger) {
    size_t used = 0;
    const websocket::MessageReader::Item item = reader_.next(bytes, used);
    bytes = bytes.subspan(used);
    take_item(item);
  }
  if (std::exchange(in_burst_, false)) channel_->on_burst_end();
  if (phase_ == Phase::kOpen && !bytes.empty()) held_.append({bytes.data(), bytes.size()});
  note_message();
}

void LiveSession::note_message() {
  const int64_t now = thread_.now_ms();
  if (!reader_.in_message()) {
    message_ms_ = 0;
  } else if (message_ms_ == 0) {
    message_ms_ = data_ms_ = now;
  } else if (reader_.came() != came_) {
    data_ms_ = now;
  }
  came_ = reader_.came();
}

// What is held of unfinished messages counts with the bodies of requests, in one share of memory for all
// that arrives. Whoever finds no room is told to connect again, and what it sent is let go at once.
void LiveSession::settle_memory() {
  reader_.release();
  const size_t bytes = reader_.memory() + held_.capacity();
  if (bytes == share_.bytes || thread_.body_memory().change(share_, {.bytes = bytes})) return;
  count(thread_.counters().bodies_refused);
  give_up_input(CloseCode::kTryAgainLater, "too many messages are arriving at once; connect again");
}

// Closes, and reads no more of what the client sends.
void LiveSession::give_up_input(CloseCode code, std::string_view reason) {
  begin_close(code, reason);
  linger(closing_);
  reader_.abandon();
  held_.release();
  message_ms_ = 0;
  give_up_memory();
}

void LiveSession::take_item(const websocket::MessageReader::Item& item) {
  switch (item.kind) {
    case Kind::kNothing:
    case Kind::kPong:
      return;
    case Kind::kPing:
      // Pongs to a client that takes none of them need not pile up (RFC 6455, 5.5.3).
      if (phase_ == Phase::kOpen && unsent() < kUnsentBytes)
        websocket::append_frame(websocket::Opcode::kPong, item.content, out_);
      return;
    case Kind::kText:
    case Kind::kBinary:
      message_ms_ = 0;
      if (phase_ != Phase::kOpen) return;
      in_burst_ = true;
      if (item.kind == Kind::kText) return channel_->on_text(item.content);
      if (!channel_->on_binary(item.content)) begin_close(CloseCode::kUnsupportedData, "send text messages");
      return;
    case Kind::kClose:
      return answer_close(item.code);
    case Kind::kBroken:
      begin_close(item.code, item.content);
      return linger(item.code);
  }
}

void LiveSession::tell_caught_up(uint64_t dropped) {
  const std::string text = channel_->on_caught_up(dropped);
  if (!text.empty()) websocket::append_frame(websocket::Opcode::kText, text, out_);
}

// Frames of what the channel sends, as long as the client takes them.
// Texts leave the queue only as the socket takes frames, so a slow client's texts wait where they are
// bounded and counted, and not behind the socket. The channel is asked when nothing else waits: what it
// says then is as new as can be.
void LiveSession::fill() {
  while (phase_ == Phase::kOpen && unsent() < kUnsentBytes) {
    LiveQueue::Next next = queue_->take();
    if (next.dropped > 0) tell_caught_up(next.dropped);
    if (next.ready) channel_->on_ready();
    if (next.text != nullptr) {
      websocket::append_frame(websocket::Opcode::kText, *next.text, out_);
    } else if (next.closing) {
      return begin_close(next.closing->code, next.closing->reason);
    } else if (next.dropped == 0 && !next.ready) {
      return;
    }
  }
}

// True when everything is out.
bool LiveSession::flush() {
  while (unsent() > 0) {
    const iovec part{out_.data() + out_at_, unsent()};
    const net::Transport::Outcome outcome = transport_.write({&part, 1});
    if (outcome.closed) {
      end(CloseCode::kAbnormal);
      return false;
    }
    if (outcome.bytes == 0) {
      if (blocked_ms_ == 0) blocked_ms_ = thread_.now_ms();
      if (out_at_ > kUnsentBytes) out_.erase(0, std::exchange(out_at_, 0));
      return false;
    }
    out_at_ += outcome.bytes;
    blocked_ms_ = 0;
  }
  out_.clear();
  out_at_ = 0;
  if (phase_ == Phase::kLinger) transport_.finish_writing();
  return true;
}

void LiveSession::begin_close(CloseCode code, std::string_view reason) {
  if (phase_ != Phase::kOpen) return;
  char payload[websocket::kControlBytesMax];
  payload[0] = static_cast<char>(static_cast<uint16_t>(code) >> 8);
  payload[1] = static_cast<char>(static_cast<uint16_t>(code) & 0xff);
  const size_t size = reason.copy(payload + 2, sizeof payload - 2);
  websocket::append_frame(websocket::Opcode::kClose, {payload, 2 + size}, out_);
  closing_ = code;
  enter(Phase::kClosing);
}

void LiveSession::answer_close(CloseCode code) {
  if (phase_ == Phase::kClosing) return linger(closing_);
  if (std::exchange(in_burst_, false)) channel_->on_burst_end();
  if (code == CloseCode::kNoStatus) {
    websocket::append_frame(websocket::Opcode::kClose, {}, out_);
  } else {
    begin_close(code, {});
  }
  linger(code == CloseCode::kNoStatus ? CloseCode::kNormal : code);
}

void LiveSession::linger(CloseCode told) {
  enter(Phase::kLinger);
  tell(told);
  if (unsent() == 0) transport_.finish_writing();
}

void LiveSession::tell(CloseCode code) {
  if (std::exchange(told_, true)) return;
  queue_->shut();
  if (std::exchange(in_burst_, false)) channel_->on_burst_end();
  channel_->on_close(code);
  thread_.counters().live.fetch_sub(1, std::memory_order_relaxed);
}

void LiveSession::end(CloseCode code) {
  if (phase_ == Phase::kClosed) return;
  tell(phase_ == Phase::kClosing ? closing_ : code);
  enter(Phase::kClosed);
  transport_.close();
  give_up_memory();
  thread_.counters().connections.fetch_sub(1, std::memory_order_relaxed);
  thread_.remove(ticket_);
}

void LiveSession::enter(Phase phase) {
  phase_ = phase;
  since_ms_ = thread_.now_ms();
}

void LiveSession::stop() {
  if (phase_ != Phase::kOpen || !channel_->on_stop()) return turn([] {});
  turn([this] { begin_close(CloseCode::kGoingAway, "the server is stopping"); });
}

bool LiveSession::is_stuck(int64_t now) const {
  return blocked_ms_ != 0 && now > blocked_ms_ + millis(thread_.options().write_timeout);
}

void LiveSession::on_tick() {
  const int64_t now = thread_.now_ms();
  queue_->tick(now);
  if (is_stuck(now)) return end(CloseCode::kAbnormal);
  if (phase_ == Phase::kClosing && now > since_ms_ + kCloseMs) return end(closing_);
  if (phase_ == Phase::kLinger && now > since_ms_ + kLingerMs) return end(CloseCode::kAbnormal);
  if (phase_ == Phase::kOpen && !queue_->held()) check_open(now);
}

// Two deadlines hold for a message that is under way. The one by its average rate lets a large message come
// slowly; the one on silence ends what begins fast and then stops. A pong in its middle is no part of it
// and buys no time.
void LiveSession::check_open(int64_t now) {
  const Options& options = thread_.options();
  const auto slow = static_cast<int64_t>(came_ * 1000 / std::max<size_t>(1, options.bytes_per_second_min));
  const int64_t deadline =
      std::min(message_ms_ + millis(options.body_timeout) + slow, data_ms_ + millis(options.silence_timeout));
  if (message_ms_ != 0 && now > deadline) {
    return turn(
        [this] { give_up_input(CloseCode::kPolicy, "the message came too slowly, or stopped coming"); });
  }
  const int64_t silent = now - heard_ms_;
  if (silent > millis(options.live_idle)) return end(CloseCode::kAbnormal);
  if (silent <= millis(options.live_idle) / 2 || pinged_) return;
  pinged_ = true;
  turn([this] { websocket::append_frame(websocket::Opcode::kPing, {}, out_); });
}

}  // namespace

void start_live(IoThread& thread, net::Transport transport, const http::Request& request,
                const http::LiveUpgrade& action, const websocket::Upgrade& upgrade) {
  std::make_shared<LiveSession>(thread, std::move(transport), action, upgrade.deflate)
      ->start(request, upgrade);
}

}  // namespace kehu::server
