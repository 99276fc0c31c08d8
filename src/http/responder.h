#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "http/response.h"

namespace kehu::http {

// Which request of a thread's connections is meant. Stale tickets (the client left) are dropped by the
// outlet.
struct Ticket {
  uint32_t slot = 0;
  uint32_t generation = 0;
};

// Of a body that is made while it is sent.
struct Piece {
  std::string bytes = {};  // perhaps none yet
  bool last = false;
};

// The way back to the thread that owns a request's connection; the server implements it, tests may too.
// Thread-safe.
class Outlet {
 public:
  struct Answer {
    Ticket ticket;
    Response response;
  };
  virtual ~Outlet() = default;
  virtual void answer(Ticket ticket, Response response) = 0;
  // Takes all of them and wakes the owner once; leaves `answers` empty, its capacity kept.
  virtual void answer_all(std::vector<Answer>& answers) = 0;
  // The streamed body of the ticket may go on.
  virtual void read_more(Ticket ticket) = 0;
  // Of the body that the ticket's answer has. An error: it cannot be made to its end.
  virtual void take(Ticket ticket, absl::StatusOr<Piece> piece) = 0;
  // What Responder::on_leave says. An outlet whose client cannot leave drops it.
  virtual void watch(Ticket, absl::AnyInvocable<void()> /*left*/) {}
};

// The duty to answer one request: exactly once, from any thread, now or later. Destroyed unanswered, it
// answers 500. Sending costs a lock and, when the owner sleeps, one wake-up; inside an AnswerBatch the lock
// and the wake-up are shared.
class Responder {
 public:
  Responder(std::shared_ptr<Outlet> outlet, Ticket ticket) : outlet_(std::move(outlet)), ticket_(ticket) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  void send(Response response);
  // Runs on the answer, whoever gives it, before it is sent.
  void decorate(absl::AnyInvocable<void(Response&)> decoration) { decoration_ = std::move(decoration); }
  // Runs on the connection's thread when the client leaves before the answer: it must not wait. Whoever ends
  // only their sending has left as well. For work that is worth ending; only from the handler itself.
  void on_leave(absl::AnyInvocable<void()> left) { outlet_->watch(ticket_, std::move(left)); }
  bool answered() const { return outlet_ == nullptr; }

 private:
  std::shared_ptr<Outlet> outlet_;
  Ticket ticket_;
  absl::AnyInvocable<void(Response&)> decoration_;
};

// A responder on its way through another thread's queue: answers with `otherwise` when what holds it is
// dropped.
class WaitingResponder {
 public:
  WaitingResponder(Responder responder, absl::AnyInvocable<Response()> otherwise)
      : responder_(std::move(responder)), otherwise_(std::move(otherwise)) {}
  WaitingResponder(WaitingResponder&&) = default;
  WaitingResponder& operator=(WaitingResponder&&) = delete;
  ~WaitingResponder() {
    if (!responder_.answered()) responder_.send(otherwise_());
  }

  void send(Response response) { responder_.send(std::move(response)); }

 private:
  Responder responder_;
  absl::AnyInvocable<Response()> otherwise_;
};

// While it lives, answers sent by this thread are collected; its end hands them over, one lock and one
// wake-up per owning thread. For threads that finish many requests at once. Does not nest.
class AnswerBatch {
 public:
  AnswerBatch();
  ~AnswerBatch();
  AnswerBatch(const AnswerBatch&) = delete;
  AnswerBatch& operator=(const AnswerBatch&) = delete;
};

// The right to the next chunk of a streamed body. Used once, from any thread; destroyed unused, it counts as
// used.
class ReadMore {
 public:
  ReadMore(std::shared_ptr<Outlet> outlet, Ticket ticket) : outlet_(std::move(outlet)), ticket_(ticket) {}
  ReadMore(ReadMore&&) = default;
  ReadMore& operator=(ReadMore&&) = delete;
  ~ReadMore() { go(); }

  void go();

 private:
  std::shared_ptr<Outlet> outlet_;
  Ticket ticket_;
};

// The duty to give one piece of a body: exactly once, from any thread. Destroyed unused, it breaks the body
// off.
class GivePiece {
 public:
  GivePiece(std::shared_ptr<Outlet> outlet, Ticket ticket) : outlet_(std::move(outlet)), ticket_(ticket) {}
  GivePiece(GivePiece&&) = default;
  GivePiece& operator=(GivePiece&&) = delete;
  ~GivePiece();

  void give(absl::StatusOr<Piece> piece);

 private:
  std::shared_ptr<Outlet> outlet_;
  Ticket ticket_;
};

// The rest of an answer's body, made while it is sent: of any length, in the memory of a piece. The owner of
// the connection asks for a piece when the client has taken the one before. It destroys the source at the
// end, after an error, and when nobody wants it any more, which may be while a piece is made.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // On the connection's thread; must not wait.
  virtual void pull(GivePiece give) = 0;
};

// Receives a request body in chunks, on the connection's thread, in order. Once the request is answered (an
// error, say) nothing more is delivered and the sink is destroyed; so it is when the client goes away
// before the end, without on_end().
class BodySink {
 public:
  virtual ~BodySink() = default;
  // `chunk` is valid during the call. The next one follows only after `more.go()`, so a sink that waits holds
  // back the client, not memory.
  virtual void on_chunk(std::string_view chunk, ReadMore more) = 0;
  virtual void on_end() = 0;
};

}  // namespace kehu::http
