#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/router.h"
#include "server/buffer.h"
#include "server/chunked_body.h"
#include "server/framing.h"
#include "server/io_thread.h"
#include "server/transport.h"
#include "trace/span.h"

namespace kehu::server {

// One HTTP connection: reads a request, has it handled, writes the answer, and begins again. Requests that
// are pipelined wait in the buffer until their predecessor is answered.
//
// It works in turns (bytes arrived, an answer arrived, …). What a turn writes is collected in the thread's
// buffer and sent at the turn's end with one system call.
class Connection final : public Session, public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoThread& thread, Transport transport, Peer peer);
  ~Connection() override;

  void start();

  void answer(api::Response response) override;
  void read_more() override;
  void on_tick() override;
  void stop() override;
  void cut() override;

 private:
  enum class Phase : uint8_t {
    kHead,      // waiting for a whole header, or for header and body of an admitted request
    kChunks,    // collecting a body in chunked coding
    kStream,    // handing a body to a sink
    kHandling,  // waiting for the answer
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
  void enter(Phase phase);
  void arm();
  bool flush();  // true when everything is out
  bool has_output() const { return !out_.empty() || big_.has_value(); }
  void close();
  int64_t deadline_ms() const;

  // requests.cc: one request from its header to its answer.
  Step step(std::string_view bytes);
  Step head_step(std::string_view bytes);
  Step admit(std::string_view bytes, const Head& head);
  Step take_buffered(std::string_view bytes, const Head& head, api::Request& request,
                     const api::Route& route);
  Step take_streamed(const Head& head, const api::Request& request, const api::Route& route,
                     size_t available);
  Step take_live(const Head& head, const api::Request& request, const api::LiveUpgrade& action,
                 size_t available);
  Step chunks_step(std::string_view bytes);
  Step stream_step(std::string_view bytes);
  Step stream_chunked(std::string_view bytes);
  bool deliver(std::string_view piece);
  void end_stream();
  void dispatch_chunked();
  void refuse_chunked();
  api::Request chunked_request(api::Router::Match& match);
  template <class Call>
  void dispatch(Call call);
  Step refuse(api::Response response, const Head& head, size_t available);
  // The same, of a request whose route is known.
  Step turn_away(const api::Route& route, const api::Request& request, api::Response response,
                 const Head& head, size_t available);
  void fail(const api::Problem& problem);
  void fail(api::Response response);
  void finish(api::Response response);
  Step finish_early(std::string_view bytes);
  api::Request request_of(const Head& head, api::Method method) const;
  void note(const Head& head);
  void log_access(const api::Response& response);

  IoThread& thread_;
  Transport transport_;
  const Peer peer_;
  api::Ticket ticket_;
  Phase phase_ = Phase::kHead;
  int64_t since_ms_ = 0;  // when the phase began
  size_t moved_ = 0;      // bytes of body or answer since then
  bool in_turn_ = false;
  bool waiting_to_read_ = false;
  bool waiting_to_write_ = false;
  bool blocked_ = false;  // the socket did not take all of an answer

  Buffer held_;         // received, not used yet
  size_t scanned_ = 0;  // of held_, by an unfinished search for the end of a header
  size_t wanted_ = 0;   // header and body of an admitted request; 0: none is admitted

  // The request in hand.
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
  std::unique_ptr<api::BodySink> sink_;
  bool paused_ = false;                 // the sink wants no chunk yet
  std::optional<api::Response> early_;  // came while the handler or the sink was running
  struct Access {
    std::string target;
    api::Method method = api::Method::kGet;
    std::chrono::steady_clock::time_point began;
  };
  std::optional<Access> access_;
  trace::ActiveSpan span_;

  // Output that the socket did not take yet: first out_, then the content of big_.
  std::string out_;
  size_t out_at_ = 0;
  std::optional<api::Response> big_;
  size_t big_at_ = 0;
};

}  // namespace kehu::server
