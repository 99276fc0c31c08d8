#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/router.h"
#include "net/buffer.h"
#include "net/transport.h"
#include "server/body_memory.h"
#include "server/chunked_body.h"
#include "server/framing.h"
#include "server/io_thread.h"
#include "trace/span.h"

namespace kehu::server {

// One HTTP connection: reads a request, has it handled, writes the answer, and begins again. Requests that
// are pipelined wait in the buffer until their predecessor is answered.
//
// It works in turns (bytes arrived, an answer arrived, …). What a turn writes is collected in the thread's
// buffer and sent at the turn's end with one system call.
class Connection final : public Session, public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoThread& thread, net::Transport transport, net::Peer peer);
  ~Connection() override;

  void start();

  void answer(http::Response response) override;
  void read_more() override;
  void take(absl::StatusOr<http::Piece> piece) override;
  void watch(absl::AnyInvocable<void()> left) override { left_ = std::move(left); }
  void on_tick() override;
  void stop() override;
  void cut() override;

 private:
  enum class Phase : uint8_t {
    kHead,      // waiting for a whole header, or for header and body of an admitted request
    kChunks,    // collecting a body in chunked coding
    kStream,    // handing a body to a sink
    kHandling,  // waiting for the answer
    kBody,      // sending a body that is made meanwhile
    kClosing,   // the last answer is on its way out
    kLinger,    // waiting for the client to read it: closing over unread bytes would destroy it (RST)
    kClosed,
  };
  // How many of the bytes given were used; nullopt: more are needed first.
  using Step = std::optional<size_t>;

  // connection.cc: turns, reading and writing.
  template <class Work>
  void turn(Work work);
  void on_readable();
  void on_writable();
  void read_into_thread_buffer();
  void read_into_held();
  void discard_input();
  void advance_held();
  size_t advance(std::string_view bytes);
  bool is_reading() const;
  // Nothing is expected of the client, but that it may leave.
  bool is_watching() const { return phase_ == Phase::kBody || (phase_ == Phase::kHandling && left_); }
  void enter(Phase phase);
  void arm();
  bool flush();  // true when everything is out
  bool has_output() const { return !out_.empty() || big_.has_value(); }
  void close();
  int64_t deadline_ms() const;
  void note_bytes(size_t bytes);
  bool settle_memory();
  void give_up_memory();
  void forget_input();

  // requests.cc: one request from its header to its answer.
  Step step(std::string_view bytes);
  Step head_step(std::string_view bytes);
  Step admit(std::string_view bytes, const Head& head);
  Step take_buffered(std::string_view bytes, const Head& head, http::Request& request,
                     const http::Route& route);
  Step take_streamed(const Head& head, const http::Request& request, const http::Route& route,
                     size_t available);
  Step take_live(const Head& head, const http::Request& request, const http::LiveUpgrade& action,
                 size_t available);
  Step chunks_step(std::string_view bytes);
  Step stream_step(std::string_view bytes);
  Step stream_chunked(std::string_view bytes);
  bool deliver(std::string_view piece);
  void end_stream();
  void dispatch_chunked();
  http::Request request_again(std::string_view head_bytes, http::Router::Match& match);
  template <class Call>
  void dispatch(Call call);
  Step refuse(http::Response response, const Head& head, size_t available);
  // The same, after the router's witness was told.
  Step turn_away(const http::Route* route, const http::Request& request, http::Response response,
                 const Head& head, size_t available);
  // Of a body that may not come any further, in the words of its route's clients.
  void refuse_body(const http::Problem& problem);
  void fail(const http::Problem& problem);
  void fail(http::Response response);
  void finish(http::Response response);
  Step finish_early(std::string_view bytes);
  void put(http::Response response);
  http::Request request_of(const Head& head, http::Method method) const;
  void note(const Head& head);
  struct Given {
    int status = 200;
    size_t bytes = 0;
    bool broken_off = false;
  };
  void account(const Given& given);

  // outgoing_body.cc: answers whose body is made while it is sent.
  void begin_body(http::Response response);
  void ask_piece();
  void take_piece(absl::StatusOr<http::Piece> piece);
  void put_piece(http::Piece piece);
  void end_body();
  void break_off(absl::StatusCode why);
  void give_up_body();
  void note_sent();
  size_t unsent() const;
  void watch_client();

  IoThread& thread_;
  net::Transport transport_;
  const net::Peer peer_;
  http::Ticket ticket_;
  Phase phase_ = Phase::kHead;
  int64_t since_ms_ = 0;  // when the phase began
  size_t moved_ = 0;      // bytes of body or answer since then
  int64_t last_byte_ms_ = 0;
  bool in_turn_ = false;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool blocked_ = false;  // the socket did not take all of an answer

  net::Buffer held_;    // received, not used yet
  size_t scanned_ = 0;  // of held_, by an unfinished search for the end of a header
  size_t wanted_ = 0;   // header and body of an admitted request; 0: none is admitted
  BodyMemory::Share share_;

  // The request in hand.
  const http::Route* route_ = nullptr;
  bool keyless_ = false;  // its sender is not known before its body is read
  std::shared_ptr<const http::Principal> principal_;
  bool head_only_ = false;
  bool http11_ = true;
  bool close_ = false;    // after its answer
  bool unread_ = false;   // some of it is not read, and never will be
  size_t limit_ = 0;      // of its body
  size_t body_left_ = 0;  // of a streamed body of known length
  size_t streamed_ = 0;
  std::unique_ptr<ChunkedBody> chunks_;
  std::string head_copy_;  // while a chunked body is collected
  std::string body_;
  std::unique_ptr<http::BodySink> sink_;
  absl::AnyInvocable<void()> left_;      // to be called when the client leaves before its answer
  bool paused_ = false;                  // the sink wants no chunk yet
  std::optional<http::Response> early_;  // came while the handler or the sink was running
  struct Access {
    http::Method method = http::Method::kGet;
    std::chrono::steady_clock::time_point began;
  };
  std::optional<Access> access_;
  trace::ActiveSpan span_;

  // Output that the socket did not take yet: first out_, then the content of big_.
  std::string out_;
  size_t out_at_ = 0;
  std::optional<http::Response> big_;
  size_t big_at_ = 0;

  // An answer that is streamed or large, until the socket has taken all of it.
  struct Outgoing {
    std::shared_ptr<http::BodySource> source = nullptr;  // while there may be more pieces
    int status = 200;
    bool streamed = true;
    bool chunked = true;
    bool asked = false;  // for a piece, which has not come yet
    size_t bytes = 0;
  };
  std::optional<Outgoing> outgoing_;
  bool unframed_ = false;  // the connection's end is the end of the body
};

}  // namespace kehu::server
