#include "server/live_session.h"

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>
#include <utility>  // Asio 1.74 forgets it

#include "server/live_queue.h"

namespace kehu::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::system::error_code;

constexpr size_t kReadAwayBytes = 1024 * 1024;

beast::string_view to_beast(std::string_view text) { return {text.data(), text.size()}; }

// Beast's way to end a connection waits until the client has closed its side, which an idle one may never do.
// Both close frames have passed by then, or the client broke the rules; what it has sent on top is read away,
// because closing over unread bytes (RST) may destroy our close frame.
class LiveSocket : public Socket {
 public:
  using Socket::Socket;
  explicit LiveSocket(Socket socket) : Socket(std::move(socket)) {}
};

template <class Handler>
void async_teardown(beast::role_type, LiveSocket& socket, Handler&& handler) {
  error_code ec;
  socket.shutdown(Socket::shutdown_send, ec);
  char unread[4096];
  for (size_t bytes = 0; !ec && bytes < kReadAwayBytes;) bytes += socket.read_some(asio::buffer(unread), ec);
  asio::post(socket.get_executor(), beast::bind_front_handler(std::forward<Handler>(handler), error_code()));
}

class LiveSession final : public Session, public std::enable_shared_from_this<LiveSession> {
 public:
  LiveSession(IoThread& thread, Socket socket, std::unique_ptr<api::LiveChannel> channel)
      : thread_(thread),
        stream_(LiveSocket(std::move(socket))),
        channel_(std::move(channel)),
        queue_(std::make_shared<LiveQueue>(thread.inbox(), thread.options().live_queue_bytes)) {}

  void start(const api::Request& request);

  void live_ready() override {
    if (open_ && !writing_) write_next();
  }
  void on_tick() override {}
  void stop() override {
    queue_->shut();
    begin_close({api::CloseCode::kGoingAway, "the server is stopping"});
  }
  void cut() override { end(api::CloseCode::kGoingAway); }

 private:
  void configure();
  void on_accepted(const error_code& ec);
  void read_next();
  void on_read(const error_code& ec);
  void write_next();
  void begin_close(LiveQueue::Closing closing);
  void send_close();
  void end(api::CloseCode code);

  IoThread& thread_;
  websocket::stream<LiveSocket> stream_;
  std::unique_ptr<api::LiveChannel> channel_;
  std::shared_ptr<LiveQueue> queue_;
  api::Ticket ticket_;
  beast::http::request<beast::http::empty_body> handshake_;
  beast::flat_buffer incoming_;
  std::shared_ptr<const std::string> outgoing_;
  std::optional<LiveQueue::Closing> closing_;
  bool open_ = false;
  bool writing_ = false;
  bool ended_ = false;
};

void LiveSession::configure() {
  const Options& options = thread_.options();
  websocket::stream_base::timeout timeout{};
  timeout.handshake_timeout = std::chrono::microseconds(options.header_timeout.micros());
  timeout.idle_timeout = std::chrono::microseconds(options.live_idle.micros());
  timeout.keep_alive_pings = true;
  stream_.set_option(timeout);
  stream_.read_message_max(options.live_message_bytes);
  stream_.text(true);
  stream_.auto_fragment(false);
}

void LiveSession::start(const api::Request& request) {
  configure();
  handshake_.method(beast::http::verb::get);
  handshake_.target(to_beast(request.target));
  handshake_.version(11);
  for (const api::Header& header : request.headers)
    handshake_.insert(to_beast(header.name), to_beast(header.value));
  ticket_ = thread_.add(shared_from_this());
  queue_->set_ticket(ticket_);
  count(thread_.counters().live);
  channel_->on_open(request, queue_);
  stream_.async_accept(handshake_,
                       [self = shared_from_this()](const error_code& ec) { self->on_accepted(ec); });
}

void LiveSession::on_accepted(const error_code& ec) {
  if (ended_) return;
  if (ec) return end(api::CloseCode::kAbnormal);
  open_ = true;
  handshake_ = {};
  read_next();
  if (closing_) {
    send_close();
  } else {
    write_next();
  }
}

void LiveSession::read_next() {
  stream_.async_read(incoming_,
                     [self = shared_from_this()](const error_code& ec, size_t) { self->on_read(ec); });
}

void LiveSession::on_read(const error_code& ec) {
  if (ended_) return;
  if (ec) {
    const bool told = ec == websocket::error::closed && stream_.reason().code != websocket::close_code::none;
    if (closing_) return end(closing_->code);
    if (ec == websocket::error::message_too_big) return end(api::CloseCode::kTooBig);
    return end(told                             ? static_cast<api::CloseCode>(stream_.reason().code)
               : ec == websocket::error::closed ? api::CloseCode::kNormal
                                                : api::CloseCode::kAbnormal);
  }
  if (!stream_.got_text()) {
    incoming_.consume(incoming_.size());
    begin_close({api::CloseCode::kUnsupportedData, "send text messages"});
  } else if (!closing_) {
    const auto bytes = incoming_.cdata();
    channel_->on_text({static_cast<const char*>(bytes.data()), bytes.size()});
    incoming_.consume(incoming_.size());
  }
  read_next();
}

void LiveSession::write_next() {
  LiveQueue::Next next = queue_->take();
  if (next.dropped > 0 && !closing_) {
    channel_->on_caught_up(next.dropped);
    // It may have said so to the client: look again.
    if (next.text == nullptr && !next.closing) next = queue_->take();
  }
  if (next.text == nullptr) {
    if (next.closing) begin_close(std::move(*next.closing));
    return;
  }
  outgoing_ = std::move(next.text);
  writing_ = true;
  stream_.async_write(asio::const_buffer(outgoing_->data(), outgoing_->size()),
                      [self = shared_from_this()](const error_code& ec, size_t) {
                        self->writing_ = false;
                        self->outgoing_.reset();
                        if (self->ended_ || ec) return;  // the pending read sees the error too
                        if (self->closing_) return self->send_close();
                        self->write_next();
                      });
}

void LiveSession::begin_close(LiveQueue::Closing closing) {
  if (closing_ || ended_) return;
  closing_ = std::move(closing);
  if (open_ && !writing_) send_close();
}

void LiveSession::send_close() {
  const websocket::close_reason reason(static_cast<websocket::close_code>(closing_->code),
                                       to_beast(closing_->reason));
  writing_ = true;  // nothing may follow a close frame
  stream_.async_close(reason,
                      [self = shared_from_this()](const error_code&) { self->end(self->closing_->code); });
}

void LiveSession::end(api::CloseCode code) {
  if (ended_) return;
  ended_ = true;
  queue_->shut();
  error_code ignored;
  stream_.next_layer().close(ignored);
  channel_->on_close(code);
  thread_.counters().live.fetch_sub(1, std::memory_order_relaxed);
  thread_.counters().connections.fetch_sub(1, std::memory_order_relaxed);
  thread_.remove(ticket_);
}

}  // namespace

void start_live(IoThread& thread, Socket socket, const api::Request& request,
                std::unique_ptr<api::LiveChannel> channel) {
  std::make_shared<LiveSession>(thread, std::move(socket), std::move(channel))->start(request);
}

}  // namespace kehu::server
