#pragma once

#include <sys/uio.h>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <span>
#include <string>
#include <utility>  // Asio 1.74 forgets it

#include "net/event_loop.h"
#include "net/tls.h"

namespace kehu::net {

using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                boost::asio::io_context::executor_type>;

// Who is at the other end.
struct Peer {
  std::string address;
  bool local = false;  // a unix-domain socket
};

// One connected stream, TCP or unix-domain, with or without TLS, never blocking.
//
// Reading waits for readiness and then reads into a buffer of the thread, instead of handing a buffer to each
// pending read: ten thousand idle connections hold no buffers, at the same number of system calls.
class Transport {
 public:
  explicit Transport(Socket socket, const TlsContext* tls = nullptr);

  // Takes over a connected descriptor of the loop's thread.
  static Transport adopt(EventLoop& loop, int descriptor, int family, const TlsContext* tls);

  using Outcome = TlsStream::Outcome;  // closed: end of stream or an error
  Outcome read(char* to, size_t size);
  Outcome write(std::span<const iovec> parts);

  template <class Ready>
  void wait_readable(Ready ready) {
    if (tls_ != nullptr && tls_->has_read_ahead()) {
      return boost::asio::post(socket_.get_executor(),
                               [ready = std::move(ready)]() mutable { ready(boost::system::error_code()); });
    }
    if (tls_ != nullptr && tls_->read_wants_to_write()) return wait_writable(std::move(ready));
    socket_.async_wait(Socket::wait_read, std::move(ready));
  }
  template <class Ready>
  void wait_writable(Ready ready) {
    socket_.async_wait(Socket::wait_write, std::move(ready));
  }

  bool is_secure() const { return tls_ != nullptr; }
  bool shaking_hands() const { return tls_ != nullptr && tls_->shaking_hands(); }
  void finish_writing();  // sends FIN
  void close();
  // The same, with a reset in place of an end: for a stream whose end would look like that of its content.
  void break_off();

 private:
  Socket socket_;
  std::unique_ptr<TlsStream> tls_;
};

}  // namespace kehu::net
