#include <algorithm>

#include "base/text.h"
#include "server/connection.h"
#include "server/wire.h"

// Answers whose body is made while it is sent. A piece is asked for when the socket has taken the one
// before, so a connection holds one piece, however slowly it is read. Asking does not wait: a worker makes
// the piece, which comes back through the connection's inbox as answers do, and so a reader that stops
// holds no thread. The other way was a worker that writes into a bounded pipe for each answer: it is simple
// for the maker, and two slow readers hold both workers (docs/decisions/streamed-answers.md).
namespace kehu::server {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace

void Connection::begin_body(http::Response response) {
  outgoing_ = Outgoing{.source = std::move(response.source), .status = response.status, .chunked = http11_};
  unframed_ = !http11_;
  enter(Phase::kBody);
  put_piece({.bytes = std::move(response.body)});
}

void Connection::ask_piece() {
  if (outgoing_->asked || has_output()) return;
  outgoing_->asked = true;
  outgoing_->source->pull(http::GivePiece(thread_.inbox(), ticket_));
}

void Connection::take_piece(absl::StatusOr<http::Piece> piece) {
  outgoing_->asked = false;
  if (!piece.ok()) return break_off(piece.status().code());
  const bool last = piece->last;
  put_piece(*std::move(piece));
  if (!last) return;
  end_body();
  advance_held();
}

// An empty chunk would be the last one.
void Connection::put_piece(http::Piece piece) {
  outgoing_->bytes += piece.bytes.size();
  if (outgoing_->chunked) {
    if (!piece.bytes.empty()) {
      append_chunk_size(piece.bytes.size(), thread_.write_buffer());
      piece.bytes.append(kLineEnd);
    }
    if (piece.last) piece.bytes.append(kLastChunk);
  }
  put({.body = std::move(piece.bytes)});
}

void Connection::end_body() {
  outgoing_->source.reset();
  enter(close_ || thread_.stopping() ? Phase::kClosing : Phase::kHead);
}

// The status is sent long since. What tells the client is that the last chunk is missing, or a reset. A
// message is for nobody's log: it may repeat personal values.
void Connection::break_off(absl::StatusCode why) {
  if (thread_.options().log && outgoing_->streamed) {
    thread_.options().log(Severity::kWarning, cat("an answer of ", route_->pattern, " is broken off after ",
                                                  outgoing_->bytes - std::min(outgoing_->bytes, unsent()),
                                                  " bytes: ", absl::StatusCodeToString(why)));
  }
  close();
}

void Connection::give_up_body() {
  if (!outgoing_) return;
  span_.fail();
  account({.status = outgoing_->status,
           .bytes = outgoing_->bytes - std::min(outgoing_->bytes, unsent()),
           .broken_off = true});
  outgoing_.reset();
}

// The socket has taken everything there was. It may be cut off until then, and the access log would have told
// of an answer that nobody got.
void Connection::note_sent() {
  if (!outgoing_ || outgoing_->source != nullptr) return;
  account({.status = outgoing_->status, .bytes = outgoing_->bytes});
  outgoing_.reset();
}

// What is made and has not gone out: of the body, and a few bytes around it.
size_t Connection::unsent() const {
  return out_.size() - out_at_ + (big_ ? big_->content().size() - big_at_ : 0) +
         (in_turn_ ? thread_.write_buffer().size() : 0);
}

// Whoever ends their side of the connection waits for no more. What is pipelined waits for its turn, in one
// read.
void Connection::watch_client() {
  if (!held_.empty()) return;
  const net::Transport::Outcome outcome = transport_.read(thread_.read_buffer(), IoThread::kReadBytes);
  if (outcome.closed) return close();
  if (outcome.bytes > 0) held_.append({thread_.read_buffer(), outcome.bytes});
}

}  // namespace kehu::server
