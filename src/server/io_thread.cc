#include "server/io_thread.h"

#include <sys/socket.h>

#include <algorithm>
#include <ctime>

#include "os/thread_name.h"
#include "server/connection.h"

namespace kehu::server {
namespace {

thread_local IoThread* current_thread = nullptr;

std::string make_date_line() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char line[64];
  const size_t size = std::strftime(line, sizeof line, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
  return std::string(line, size);
}

// Deadlines are looked at a few times within the shortest of them, but an idle server wakes once a second.
std::chrono::milliseconds tick_interval(const Options& options) {
  const Duration shortest =
      std::min({options.header_timeout, options.body_timeout, options.silence_timeout, options.write_timeout,
                options.idle_timeout, options.live_idle, Duration::seconds(4)});
  return std::chrono::milliseconds(std::max<int64_t>(20, shortest.micros() / 4000));
}

}  // namespace

int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// A handler that answers before it returns is the fast path: its connection is in the middle of a turn on
// this thread and takes the answer at once.
bool Inbox::is_own_request(http::Ticket ticket) const {
  const IoThread* thread = IoThread::current();
  return thread != nullptr && thread->inbox().get() == this && thread->dispatching &&
         thread->dispatching->slot == ticket.slot && thread->dispatching->generation == ticket.generation;
}

void Inbox::answer(http::Ticket ticket, http::Response response) {
  if (is_own_request(ticket)) {
    IoThread::current()->find(ticket)->answer(std::move(response));
  } else {
    push({.kind = Kind::kAnswer, .ticket = ticket, .response = std::move(response)});
  }
}

void Inbox::answer_all(std::vector<Answer>& answers) {
  const std::lock_guard lock(mutex_);
  if (owner_ != nullptr) {
    wake();
    for (Answer& answer : answers)
      items_.push_back(
          {.kind = Kind::kAnswer, .ticket = answer.ticket, .response = std::move(answer.response)});
  }
  answers.clear();
}

void Inbox::read_more(http::Ticket ticket) {
  if (is_own_request(ticket)) {
    IoThread::current()->find(ticket)->read_more();
  } else {
    push({.kind = Kind::kReadMore, .ticket = ticket});
  }
}

// Never at once, though it be the owner's thread: it is in the middle of asking.
void Inbox::take(http::Ticket ticket, absl::StatusOr<http::Piece> piece) {
  push({.kind = Kind::kPiece, .ticket = ticket, .piece = std::move(piece)});
}

void Inbox::watch(http::Ticket ticket, absl::AnyInvocable<void()> left) {
  if (is_own_request(ticket)) IoThread::current()->find(ticket)->watch(std::move(left));
}

void Inbox::live_ready(http::Ticket ticket) { push({.kind = Kind::kLiveReady, .ticket = ticket}); }

void Inbox::push(Item item) {
  const std::lock_guard lock(mutex_);
  if (owner_ == nullptr) return;
  wake();
  items_.push_back(std::move(item));
}

// One wake-up for all that comes before the owner looks.
void Inbox::wake() {
  if (items_.empty()) owner_->event_loop().post([this] { drain(); });
}

void Inbox::drain() {
  {
    const std::lock_guard lock(mutex_);
    if (owner_ == nullptr) return;
    taken_.swap(items_);
  }
  for (Item& item : taken_) {
    Session* session = owner_->find(item.ticket);
    if (session == nullptr) continue;
    switch (item.kind) {
      case Kind::kAnswer:
        session->answer(std::move(item.response));
        break;
      case Kind::kReadMore:
        session->read_more();
        break;
      case Kind::kPiece:
        session->take(std::move(item.piece));
        break;
      case Kind::kLiveReady:
        session->live_ready();
        break;
    }
  }
  taken_.clear();
}

void Inbox::shut() {
  const std::lock_guard lock(mutex_);
  owner_ = nullptr;
  items_.clear();
}

IoThread::IoThread(const Options& options, const http::Router& router, Counters& counters,
                   BodyMemory& body_memory)
    : options_(options),
      router_(router),
      counters_(counters),
      body_memory_(body_memory),
      inbox_(std::make_shared<Inbox>(*this)),
      tick_every_(tick_interval(options)),
      now_ms_(steady_ms()),
      date_line_(make_date_line()) {}

IoThread::~IoThread() { join(); }

IoThread* IoThread::current() { return current_thread; }

void IoThread::run() {
  thread_ = std::thread([this] {
    os::name_this_thread("kehu-http");
    loop();
  });
}

void IoThread::join() {
  if (thread_.joinable()) thread_.join();
}

void IoThread::loop() {
  current_thread = this;
  tick();
  event_loop_.run();
  inbox_->shut();
  current_thread = nullptr;
}

void IoThread::adopt(int descriptor, int family, net::Peer peer, std::shared_ptr<const net::TlsContext> tls) {
  event_loop_.post([this, descriptor, family, peer = std::move(peer), tls = std::move(tls)]() mutable {
    const auto connection = std::make_shared<Connection>(
        *this, net::Transport::adopt(event_loop_, descriptor, family, tls.get()), std::move(peer));
    connection->start();
  });
}

void IoThread::begin_stop() {
  event_loop_.post([this] {
    stopping_ = true;
    for_each_session([](Session& session) { session.stop(); });
  });
}

void IoThread::end() {
  event_loop_.post([this] {
    for_each_session([](Session& session) { session.cut(); });
    event_loop_.end();  // handlers of cut sessions still run
  });
}

http::Ticket IoThread::add(std::shared_ptr<Session> session) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot].session = std::move(session);
  session_count_.fetch_add(1, std::memory_order_relaxed);
  return {slot, slots_[slot].generation};
}

http::Ticket IoThread::renew(http::Ticket ticket) { return {ticket.slot, ++slots_[ticket.slot].generation}; }

void IoThread::remove(http::Ticket ticket) {
  Slot& slot = slots_[ticket.slot];
  ++slot.generation;
  slot.session.reset();
  free_slots_.push_back(ticket.slot);
  session_count_.fetch_sub(1, std::memory_order_relaxed);
}

// A ticket is a slot and its generation. The generation moves on when the session is removed and when its
// ticket is renewed, so what comes late for a slot finds another generation and is dropped. Other threads
// hold tickets and never a session, and so nobody has to wait for them when a connection closes.
Session* IoThread::find(http::Ticket ticket) const {
  const Slot& slot = slots_[ticket.slot];
  return slot.generation == ticket.generation ? slot.session.get() : nullptr;
}

template <class Visit>
void IoThread::for_each_session(Visit visit) {
  // A visit may remove its session, or add one (and move the slots).
  for (size_t i = 0; i < slots_.size(); ++i) {
    const std::shared_ptr<Session> session = slots_[i].session;
    if (session != nullptr) visit(*session);
  }
}

void IoThread::tick() {
  now_ms_ = steady_ms();
  date_line_ = make_date_line();
  for_each_session([](Session& session) { session.on_tick(); });
  event_loop_.after(tick_every_, [this] { tick(); });
}

}  // namespace kehu::server
